import errno
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_helpers import COMMAND, Ganzoo, one_sentence
from click.testing import CliRunner

from ganzoo.cli.lazy import LazyCommand, LazyGroup
from ganzoo.cli.main import COMMANDS, cli
from ganzoo.core.errors import GanzooError, RunError, UsageError

# What takes a tenth or more of the time that click takes to be imported, and neither help nor completion needs.
SLOW = ["importlib.metadata", "email", "pathlib", "dataclasses", "json", "difflib", "traceback"]
HEAVY = ["torch", "torchvision", "numpy", "PIL", "rich", "pydantic", "pluggy", "safetensors", "ganzoo.api"]


def failing(error: BaseException) -> LazyGroup:
    """A group with a command that fails, as ``cli`` would have it."""
    group = LazyGroup(name="ganzoo", lazy={"fail": LazyCommand("-", "Fail.")}, params=cli.params)

    @click.command()
    def fail() -> None:
        raise error

    group.get_command = lambda ctx, name: fail  # type: ignore[method-assign]
    return group


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["completion", "bash"]])
def test_help_and_completion_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, json\n"
        "from ganzoo.cli.main import cli\n"
        "try:\n    cli(sys.argv[1:], prog_name='ganzoo')\n"
        f"except SystemExit:\n    print(json.dumps(sorted(set({HEAVY}) & set(sys.modules))), file=sys.stderr)\n"
    )
    line = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(line, capture_output=True, text=True, check=True)
    assert json.loads(result.stderr.splitlines()[-1]) == []
    assert "ganzoo" in result.stdout


def imported(*arguments: str, names: list[str]) -> list[str]:
    """Which of these modules a command imports."""
    code = (
        "import sys\n"
        "from ganzoo.cli.main import cli\n"
        "try:\n    cli(sys.argv[1:], prog_name='ganzoo')\n"
        f"except SystemExit:\n    print(*sorted(set({names}) & set(sys.modules)), file=sys.stderr)\n"
    )
    line = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(line, capture_output=True, text=True, check=True)
    return result.stderr.splitlines()[-1].split()


def test_the_help_imports_little_more_than_click() -> None:
    before = "import sys, click; print(*sys.modules)"
    already = subprocess.run([sys.executable, "-c", before], capture_output=True, text=True, check=True).stdout.split()
    assert imported("--help", names=[name for name in SLOW if name not in already]) == []


UNUSED = ["torch._dynamo", "torch._inductor", "torch.onnx", "sympy", "torchvision", "scipy", "sklearn"]
UNUSED += ["torchmetrics", "rich", "jinja2", "ganzoo.comparison", "ganzoo.testing"]


def test_a_dry_run_imports_neither_the_compiler_nor_what_measures() -> None:
    line = ["train", "infogan", "--data", "mnist", "--dry-run", "-o", "width=0.125", "--batch", "8"]
    assert imported(*line, names=[*UNUSED, "torch", "ganzoo_infogan"]) == ["ganzoo_infogan", "torch"]


def test_drawing_samples_imports_neither_the_compiler_nor_what_measures(tmp_path: Path) -> None:
    line = ["sample", "infogan-mnist", "-n", "10", "--out", str(tmp_path / "samples.png")]
    assert imported(*line, names=[*UNUSED, "torch", "ganzoo_infogan"]) == ["ganzoo_infogan", "torch"]


def test_python_m_ganzoo_is_the_command() -> None:
    by_module = subprocess.run(
        [sys.executable, "-m", "ganzoo", "--version"], capture_output=True, text=True, check=True
    )
    by_name = subprocess.run([str(COMMAND), "--version"], capture_output=True, text=True, check=True)
    assert by_module.stdout == by_name.stdout
    assert by_name.stdout.startswith("ganzoo ")


def test_the_static_help_is_that_of_the_commands(ganzoo: Ganzoo) -> None:
    printed = ganzoo("--help").stdout
    for name, lazy in COMMANDS.items():
        assert lazy.help in printed
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize("name", [*COMMANDS, "runs list", "runs show", "runs rm"])
def test_every_help_has_examples_line_by_line(name: str, ganzoo: Ganzoo) -> None:
    printed = ganzoo(*name.split(), "--help").stdout
    _, examples = printed.split("Examples:\n")
    lines = [line.strip() for line in examples.strip().splitlines()]
    assert len(lines) >= 2
    assert all("ganzoo " in line for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_have_commands_and_options_that_exist(name: str) -> None:
    context = click.Context(cli)
    described = cli.get_command(context, name)
    assert described is not None
    groups = [described, *(described.commands.values() if isinstance(described, click.Group) else [])]
    lines = [line.split(" #")[0] for each in groups for line in (each.epilog or "").splitlines()]
    for line in lines:
        _, named, words = line.partition("ganzoo ")
        if not named:
            continue
        command = cli.get_command(context, words.split()[0])
        assert command is not None
        parts = [command, *(command.commands.values() if isinstance(command, click.Group) else [])]
        known = {option for part in parts for param in part.params for option in param.opts}
        assert {word for word in words.split() if word.startswith("-")} <= known


def test_a_wrong_command_gets_a_suggestion(ganzoo: Ganzoo) -> None:
    assert one_sentence(ganzoo("tarin", code=2)) == "there is no command 'tarin'; did you mean 'train'?"


def test_a_wrong_option_gets_a_suggestion(ganzoo: Ganzoo) -> None:
    assert "did you mean '--images'?" in one_sentence(ganzoo("train", "gan", "--imges", "3", code=2))


def test_a_misused_option_points_to_the_help(ganzoo: Ganzoo) -> None:
    sentence = one_sentence(ganzoo("train", "gan", "--batch", "many", code=2))
    assert sentence.endswith("; see 'ganzoo train --help'")


def test_without_a_command_the_help_is_printed(ganzoo: Ganzoo) -> None:
    assert "Commands:" in ganzoo(code=2).stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("no such thing"), 2, "no such thing"),
        (RunError("the run\nfailed"), 1, "the run failed"),
        (GanzooError("something"), 1, "something"),
        (OSError(errno.ENOSPC, "full", "/disk/x"), 1, "No space left on device: /disk/x"),
        (OSError("odd"), 1, "odd"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.ClickException("plain"), 1, "plain"),
    ],
)
def test_expected_failures_are_one_sentence_and_an_exit_code(error: BaseException, code: int, message: str) -> None:
    result = CliRunner().invoke(failing(error), ["fail"])
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.strip() == f"Error: {message}"


def test_a_bug_keeps_its_traceback() -> None:
    result = CliRunner().invoke(failing(KeyError("bug")), ["fail"])
    assert isinstance(result.exception, KeyError)


def test_debug_shows_the_traceback_before_the_sentence() -> None:
    result = CliRunner().invoke(failing(RunError("broken")), ["--debug", "fail"])
    assert result.stderr.startswith("Traceback")
    assert result.stderr.splitlines()[-1] == "Error: broken"
    assert result.exit_code == 1


def test_debug_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(failing(RunError("broken")), ["fail"]).stderr


def test_output_that_nobody_reads_ends_the_command_quietly(tmp_path: Path) -> None:
    command = f"{COMMAND} --help | true"
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert result.stderr == ""
