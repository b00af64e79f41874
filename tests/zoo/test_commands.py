import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganzoo.core.errors import UsageError
from ganzoo.zoo.commands import find_command, plugin_commands
from ganzoo.zoo.installed import COMMANDS, mentioned
from ganzoo.zoo.selection import Selection

Install = Callable[..., Path]

BUILT_IN = ("train", "sample")


def points(*names: str, module: str = "of_plugin") -> str:
    return "[ganzoo.commands]\n" + "".join(f"{name} = {module}:{name.replace('-', '_')}\n" for name in names)


def test_commands_are_found_without_an_import(install: Install) -> None:
    witness = install("one-dist", entry_points=points("dance", "sing"), of_plugin="")
    commands = plugin_commands(BUILT_IN)
    assert [(command.typed, command.origin) for command in commands] == [
        ("dance", "one-dist 1.2"),
        ("sing", "one-dist 1.2"),
    ]
    assert [command.status.reason for command in commands] == ["loaded when it is used"] * 2
    assert find_command("sing", commands) is commands[1]
    assert find_command("One_Dist:sing", commands) is commands[1]
    assert find_command("sin", commands) is find_command("two-dist:sing", commands) is None
    assert not witness.exists()


def test_a_built_in_name_is_kept_and_the_way_to_the_plugins_is_told(install: Install) -> None:
    install("one-dist", entry_points=points("train"))
    (command,) = plugin_commands(BUILT_IN)
    assert command.typed == "one-dist:train"
    assert command.status.reason == "a built-in command has this name; type ganzoo one-dist:train"
    assert command.status.commands == ("one-dist:train",)
    assert find_command("one-dist:train", [command]) is command


def test_a_name_of_two_plugins_is_an_error_when_it_is_asked_for(install: Install) -> None:
    install("one-dist", entry_points=points("dance", "sing"))
    install("two-dist", entry_points=points("dance"))
    commands = plugin_commands(BUILT_IN)
    assert [command.typed for command in commands] == ["one-dist:dance", "sing", "two-dist:dance"]
    with pytest.raises(UsageError) as caught:
        find_command("dance", commands)
    assert str(caught.value) == (
        "the command 'dance' is offered by one-dist and two-dist; "
        "type 'ganzoo one-dist:dance' or 'ganzoo two-dist:dance'"
    )
    found = find_command("two-dist:dance", commands)
    assert found is not None
    assert found.origin == "two-dist 1.2"
    remarks = [command.status.reason for command in commands if command.point.name == "dance"]
    assert remarks[0] == "others offer a command of this name; type ganzoo one-dist:dance"


def test_a_denied_command_is_not_there_and_clashes_with_none(install: Install) -> None:
    install("one-dist", entry_points=points("dance"))
    install("two-dist", entry_points=points("dance"))
    denied, other = plugin_commands(BUILT_IN, Selection(deny=frozenset({"one-dist"})))
    assert (denied.usable, denied.status.state) == (False, "disabled")
    assert denied.status.reason == "named in GANZOO_DISABLE_PLUGINS"
    assert (other.typed, other.usable) == ("dance", True)
    assert find_command("dance", [denied, other]) is other
    assert not any(command.usable for command in plugin_commands(BUILT_IN, Selection(allow=frozenset())))


def test_an_unreadable_list_of_commands_fails_alone(install: Install) -> None:
    install("torn-dist", entry_points="[ganzoo.commands]\nno equals sign\n")
    install("one-dist", entry_points=points("dance"))
    whole, torn = plugin_commands(BUILT_IN)
    assert (whole.typed, whole.usable) == ("dance", True)
    assert (torn.status.state, torn.usable) == ("failed", False)
    assert torn.status.reason.startswith("its entry_points.txt cannot be read")


def test_a_group_that_nobody_mentions_is_known_without_reading_metadata(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.metadata.distributions", None)
    assert not mentioned(COMMANDS)
    install("other-dist", entry_points="[console_scripts]\nother = other:main\n")
    assert not mentioned(COMMANDS)
    install("one-dist", entry_points=points("dance"))
    assert mentioned(COMMANDS)


def test_where_distributions_may_hide_they_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Finder:
        """An import hook that knows distributions of its own."""

        find_spec = find_distributions = staticmethod(lambda *_: None)

    monkeypatch.syspath_prepend(str(tmp_path / "missing"))
    assert not mentioned(COMMANDS)
    with monkeypatch.context() as patched:
        patched.setattr("sys.meta_path", [*sys.meta_path, Finder])
        assert mentioned(COMMANDS)
    with monkeypatch.context() as patched:
        (tmp_path / "archive.zip").write_bytes(b"")
        patched.syspath_prepend(str(tmp_path / "archive.zip"))
        assert mentioned(COMMANDS)
    (tmp_path / "old.egg").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "old.egg"))
    assert mentioned(COMMANDS)
