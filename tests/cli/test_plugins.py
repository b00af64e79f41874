"""What ``ganzoo plugins`` says of each plugin."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Ganzoo
from plugin_sites import install_into, model_source

from ganzoo.cli.plugins import brought, remarks
from ganzoo.zoo.manager import default_zoo
from ganzoo.zoo.status import PluginStatus


def a_status(**values: Any) -> PluginStatus:
    return PluginStatus(name="a", distribution="a-dist", version="1", builtin=False, state="loaded", **values)


def test_the_list_can_be_asked_for_by_name(ganzoo: Ganzoo) -> None:
    assert ganzoo("plugins", "list").stdout == ganzoo("plugins").stdout
    assert json.loads(ganzoo("plugins", "list", "--json").stdout) == json.loads(ganzoo("plugins", "--json").stdout)


def test_many_names_of_a_kind_are_counted() -> None:
    status = a_status(models=("x", "y"), metrics=tuple("abcdefg"), commands=("dance",), observes=True)
    assert brought(status) == ["x y", "7 metrics", "ganzoo dance", "observer of runs"]
    assert brought(a_status()) == []


@pytest.mark.parametrize(("seconds", "said"), [(0.5, []), (1.26, ["slow: its import took 1.3 s"])])
def test_a_slow_import_is_named(seconds: float, said: list[str]) -> None:
    assert remarks(a_status(seconds=seconds)) == said
    assert remarks(a_status(reason="it failed", seconds=seconds)) == ["it failed", *said]


def test_commands_of_plugins_are_listed(ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganzoo.zoo.commands import PluginCommand
    from ganzoo.zoo.installed import EntryPoint

    point = EntryPoint("train", "foo-dist", "3", lambda: None)
    command = PluginCommand(point, "foo-dist:train", clash="a built-in command has this name")
    monkeypatch.setattr("ganzoo.zoo.commands.plugin_commands", lambda builtin: [command] if "train" in builtin else [])
    (line,) = (line for line in ganzoo("plugins").stdout.splitlines() if "foo-dist" in line)
    assert "not loaded" in line
    assert "ganzoo foo-dist:train" in line
    assert line.rstrip().endswith("a built-in command has this name; type ganzoo foo-dist:train")
    assert len(json.loads(ganzoo("plugins", "--json").stdout)) == len(default_zoo().plugins()) + 1


@pytest.mark.parametrize("flags", [[], ["--no-plugins"]])
def test_no_plugins_leaves_out_all_but_the_built_in_ones(
    flags: list[str], ganzoo: Ganzoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = install_into(tmp_path / "site", "strange-dist", strange_module=model_source("strange"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("GANZOO_LOAD_PLUGINS", "strange-dist")  # the flag writes over it; restored after the test
    default_zoo.cache_clear()
    try:
        described = {each["distribution"]: each for each in json.loads(ganzoo(*flags, "plugins", "--json").stdout)}
    finally:
        default_zoo.cache_clear()
        sys.modules.pop("strange_module", None)
    assert described["strange-dist"]["state"] == ("disabled" if flags else "loaded")
    assert ("--no-plugins" in described["strange-dist"]["reason"]) == bool(flags)
    assert witness.exists() != bool(flags)
    assert described["ganzoo"]["state"] in ("loaded", "unavailable")
