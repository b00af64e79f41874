"""With seven hostile or broken plugins ganzoo works, and each one's problem is a line of ``ganzoo plugins``."""

import os
from pathlib import Path

import pytest
from cli_helpers import typed
from plugin_sites import HOSTILE, install_into

COMMANDS = "[ganzoo.commands]\nhorror = no_such_module:command\ntrain = no_such_module:command\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all of them are installed, and a command that cannot be imported."""
    folder = tmp_path_factory.mktemp("hostile")
    for distribution, (source, _, _) in HOSTILE.items():
        install_into(folder, distribution, **{distribution.replace("-", "_"): source})
    install_into(folder, "horror-dist", entry_points=COMMANDS)
    return folder


def on(site: Path) -> dict[str, str]:
    """The environment in which a command finds them."""
    return {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])}


def test_the_help_imports_none_of_them(site: Path, tmp_path: Path) -> None:
    result = typed("--help", cwd=tmp_path, **on(site))
    assert (result.returncode, result.stderr) == (0, "")
    assert ["horror", "from horror-dist 1.2"] in [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert not list(site.glob("* was imported"))


def test_each_ones_problem_is_a_line(site: Path, tmp_path: Path) -> None:
    result = typed("plugins", cwd=tmp_path, **on(site))
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    for distribution, (_, state, problem) in HOSTILE.items():
        (line,) = (line for line in lines if f" {distribution} 1.2 " in line)
        assert f" {state} " in line
        assert problem in line
    assert any("a built-in command has this name; type ganzoo horror-dist:train" in line for line in lines)
    (gan,) = (line for line in lines if line.startswith("gan "))
    assert gan.split()[3:] == ["loaded", "gan"]


def test_training_works_and_is_not_one_of_theirs(site: Path, tmp_path: Path) -> None:
    budget = ["--images", "64", "--batch", "32", "-o", "width=0.125"]
    result = typed("train", "gan", "--data", "mnist", *budget, cwd=tmp_path, **on(site))
    assert (result.returncode, result.stderr) == (0, "")
    assert "finished: 64 images" in result.stdout
    assert list(site.glob("* was imported"))


def test_a_broken_command_is_one_sentence(site: Path, tmp_path: Path) -> None:
    result = typed("horror", cwd=tmp_path, **on(site))
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "Error: the command 'horror' of horror-dist 1.2 cannot be used: its import raised "
        "ModuleNotFoundError: No module named 'no_such_module'"
    ]
