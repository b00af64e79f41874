"""Commands of plugins: real distributions on the path, and the command line in this process."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from cli_helpers import Ganzoo, one_sentence
from plugin_sites import install_into

from ganzoo.cli.main import COMMANDS, cli

DANCE = """
import click

@click.command()
@click.option("--steps", default=1)
def dance(steps):
    click.echo("step " * steps)

def no_command():
    pass
"""
POINTS = "[ganzoo.commands]\ndance = dancing:dance\n"

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install("some-dist", entry_points=..., module="source")``."""
    for name in ("LOAD", "DISABLE", "STRICT"):
        monkeypatch.delenv(f"GANZOO_{name}_PLUGINS", raising=False)
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))
    written: list[str] = []

    def write(distribution: str, **settings: str) -> Path:
        written.extend(settings)
        return install_into(site, distribution, **settings)

    yield write
    for module in written:
        sys.modules.pop(module, None)


def completions(*words: str) -> list[str]:
    from click.shell_completion import ShellComplete

    complete = ShellComplete(cli, {}, "ganzoo", "_GANZOO_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_the_help_lists_a_plugins_command_without_importing_it(install: Install, ganzoo: Ganzoo) -> None:
    witness = install("dance-dist", entry_points=POINTS, dancing=DANCE)
    (line,) = (line for line in ganzoo("--help").stdout.splitlines() if "dance" in line)
    assert line.split(maxsplit=1) == ["dance", "from dance-dist 1.2"]
    assert completions("dan") == ["dance"]
    assert not witness.exists()


def test_a_plugins_command_is_used_like_any_other(install: Install, ganzoo: Ganzoo) -> None:
    install("dance-dist", entry_points=POINTS, dancing=DANCE)
    assert ganzoo("dance", "--steps", 3).stdout == "step step step \n"
    assert ganzoo("dance-dist:dance").stdout == "step \n"
    assert "--steps" in ganzoo("dance", "--help").stdout
    assert "did you mean 'dance'" in one_sentence(ganzoo("danse", code=2))
    assert completions("dance", "--st") == ["--steps"]


BROKEN = {
    "an import error": ("import no_such_module", "its import raised ModuleNotFoundError: No module named"),
    "an exit": ("raise SystemExit(0)", "its import raised SystemExit: 0"),
    "not there": ("x = 1", "its import raised AttributeError"),
    "a lack": ("import ganzoo\nraise ganzoo.Unavailable('there is no floor')", "cannot be used: there is no floor"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_command_is_one_sentence_and_harms_no_other(fault: str, install: Install, ganzoo: Ganzoo) -> None:
    source, said = BROKEN[fault]
    install("dance-dist", entry_points=POINTS, dancing=source)
    sentence = one_sentence(ganzoo("dance", code=2))
    assert sentence.startswith("the command 'dance' of dance-dist 1.2 cannot be used: ")
    assert said in sentence
    assert "dance-dist 1.2" in ganzoo("--help").stdout
    assert completions("dance", "--st") == []
    assert "Usage" in ganzoo("train", "--help").stdout


def test_what_is_no_command_is_refused(install: Install, ganzoo: Ganzoo) -> None:
    install("dance-dist", entry_points=POINTS.replace("g:dance", "g:no_command"), dancing=DANCE)
    expected = "'dance' of dance-dist 1.2 is a function object; expected a click command"
    assert one_sentence(ganzoo("dance", code=2)) == expected


def test_strictly_a_broken_command_raises_its_own_error(
    install: Install, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("dance-dist", entry_points=POINTS, dancing="1 / 0")
    monkeypatch.setenv("GANZOO_STRICT_PLUGINS", "1")
    with pytest.raises(ZeroDivisionError):
        ganzoo("dance")


def test_a_built_in_command_keeps_its_name(install: Install, ganzoo: Ganzoo) -> None:
    witness = install("dance-dist", entry_points=POINTS.replace("dance =", "models ="), dancing=DANCE)
    lines = ganzoo("--help").stdout.splitlines()
    assert ["models", "List the models."] in [line.split(maxsplit=1) for line in lines]
    assert any(line.split(maxsplit=1) == ["dance-dist:models", "from dance-dist 1.2"] for line in lines)
    command = cli.get_command(click.Context(cli), "models")
    assert command is not None
    assert not witness.exists()
    assert ganzoo("dance-dist:models").stdout == "step \n"


def test_a_name_of_two_plugins_names_both(install: Install, ganzoo: Ganzoo) -> None:
    install("dance-dist", entry_points=POINTS, dancing=DANCE)
    install("other-dist", entry_points=POINTS)
    sentence = one_sentence(ganzoo("dance", code=2))
    assert sentence.endswith("type 'ganzoo dance-dist:dance' or 'ganzoo other-dist:dance'")
    assert ganzoo("dance-dist:dance").stdout == "step \n"


@pytest.mark.parametrize("variable", ["GANZOO_DISABLE_PLUGINS=dance", "GANZOO_LOAD_PLUGINS=", "--no-plugins"])
def test_a_command_that_is_left_out_is_not_there(
    variable: str, install: Install, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = install("dance-dist", entry_points=POINTS, dancing=DANCE)
    flags = ["--no-plugins"] if variable == "--no-plugins" else []
    # Set before the flag sets it, so that it is taken back after the test.
    name, _, value = variable.partition("=")
    monkeypatch.setenv(*(("GANZOO_LOAD_PLUGINS", "dance") if flags else (name, value)))
    assert "dance" not in ganzoo(*flags, "--help").stdout
    assert "there is no command 'dance'" in one_sentence(ganzoo(*flags, "dance", code=2))
    assert not witness.exists()


def test_known_commands_are_found_without_a_look_at_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.cli.lazy.mentioned", lambda group: 1 / 0)
    monkeypatch.setattr("ganzoo.zoo.commands.plugin_commands", lambda builtin: 1 / 0)
    for name in COMMANDS:
        assert cli.get_command(click.Context(cli), name) is not None
