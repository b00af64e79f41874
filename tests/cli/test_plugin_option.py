"""``--plugin FILE.py``: a model in a single file, on every command that may need it."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_helpers import Ganzoo, one_sentence

from ganzoo.cli.main import COMMANDS, cli
from ganzoo.zoo.manager import default_zoo

SOURCE = """
import ganzoo

class MyGAN(ganzoo.Model):
    '''A model in a file.'''

    name = "my_gan"

    def latent(self, data):
        return ganzoo.LatentSpec(z=ganzoo.Normal(4))
"""
SHORT = ["--images", "64", "--batch", "32", "-o", "width=0.125"]


@pytest.fixture
def file(ganzoo: Ganzoo) -> Path:
    """A file in the working directory, which the fixture ``ganzoo`` has changed."""
    path = Path("my_gan.py")
    path.write_text(SOURCE)
    return path


def test_a_run_of_a_file_is_trained_sampled_and_gone_on_with_only_where_the_file_is_named(
    ganzoo: Ganzoo, file: Path
) -> None:
    printed = ganzoo("train", "--plugin", file, "my_gan", "--data", "mnist", *SHORT).stdout
    assert "ganzoo sample runs/00001-my_gan-mnist --plugin my_gan.py -n 100 --out grid.png" in printed
    record = json.loads(Path("runs/00001-my_gan-mnist/run.json").read_text())
    assert "my_gan.py" not in json.dumps(record | {"command": ""})

    default_zoo.cache_clear()
    for line in (["sample", "latest"], ["train", "--resume", "latest"], ["show", "my_gan"]):
        sentence = one_sentence(ganzoo(*line, code=2))
        assert "there is no model 'my_gan'" in sentence
        if line[0] != "show":
            assert sentence.startswith("00001-my_gan-mnist cannot be opened without its model: ")
            assert sentence.endswith("or name the file that does with --plugin FILE.py")

    ganzoo("sample", "latest", "-n", 4, "--out", "four.png", "--plugin", file)
    assert Path("four.png").stat().st_size > 0
    ganzoo("train", "--resume", "latest", "--images", 96, "--quiet", "--plugin", file)


def test_the_file_may_be_named_before_the_command(ganzoo: Ganzoo, file: Path) -> None:
    assert "A model in a file." in ganzoo("--plugin", file, "show", "my_gan", "-o", "width=0.125").stdout
    assert default_zoo().files == (file,)


@pytest.mark.parametrize("command", ["config", "show"])
def test_other_commands_take_it_too(command: str, ganzoo: Ganzoo, file: Path) -> None:
    assert "my_gan" in ganzoo(command, "my_gan", "--plugin", file, "-o", "width=0.125").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_opens_a_run_or_a_model_takes_it(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    parameters = {each.name for each in command.params}
    assert "plugin_files" in parameters or not parameters & {"run", "model", "models"}


def test_lists_have_what_the_file_brings(ganzoo: Ganzoo, file: Path) -> None:
    assert "A model in a file." in ganzoo("models", "--plugin", file).stdout
    (line,) = (line for line in ganzoo("plugins", "--plugin", file).stdout.splitlines() if "my_gan" in line)
    assert line.split() == ["my_gan", "my_gan", "loaded", "my_gan"]


def test_help_and_completion_do_not_run_the_file(ganzoo: Ganzoo) -> None:
    from click.shell_completion import ShellComplete

    Path("bad.py").write_text("raise SystemExit(5)")
    ganzoo("train", "--plugin", "bad.py", "--help")
    complete = ShellComplete(cli, {}, "ganzoo", "_GANZOO_COMPLETE")
    assert complete.get_completions(["train", "--plugin", "bad.py"], "info")[0].value == "infogan"
    assert one_sentence(ganzoo("train", "gan", "--plugin", "bad.py", code=2)) == (
        "the plugin bad.py cannot be used: its import raised SystemExit: 5"
    )


def test_what_the_file_leaves_open_is_written_at_the_end(file: Path) -> None:
    file.write_text(f"{SOURCE}\nLOG = open('log.txt', 'w')\n\ndef log(text):\n    LOG.write(text)\n\nlog('hello')\n")
    line = [sys.executable, "-m", "ganzoo", "--plugin", file, "show", "my_gan"]
    subprocess.run(line, check=True, capture_output=True)
    assert Path("log.txt").read_text() == "hello"


def test_a_file_that_is_not_there_is_one_sentence(ganzoo: Ganzoo) -> None:
    for line in (["train", "x", "--plugin", "none.py"], ["--plugin", "none.py", "train", "x"]):
        assert one_sentence(ganzoo(*line, code=2)) == "--plugin none.py: there is no such file"
