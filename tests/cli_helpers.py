"""What the tests of the command line share."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from ganzoo.cli.main import cli

__all__ = ["COMMAND", "TINY", "Ganzoo", "Trained", "called", "one_sentence", "refused", "typed"]

COMMAND = Path(sys.executable).with_name("ganzoo")
TINY = ["--images", "256", "--batch", "32", "--save-every", "32", "-o", "width=0.125"]

Ganzoo = Callable[..., Result]


class Trained(NamedTuple):
    """A run, and what the command that made it printed."""

    root: Path
    printed: str

    @property
    def run(self) -> Path:
        return self.root / "00001-infogan-mnist"


def typed(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as typed."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    line = [str(COMMAND), *arguments]
    return subprocess.run(line, cwd=cwd, env=variables, capture_output=True, text=True, timeout=120)


def called(*arguments: str, cwd: Path) -> str:
    """What a command prints that is called in this process, which has imported torch already; it must end well."""
    with chdir(cwd), pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", [str(COMMAND), *arguments])  # which the run's record quotes
        result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def one_sentence(result: Result) -> str:
    """The message of a failed command, once it is clear that it is all that was printed of the failure."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in result.stderr
    return lines[0].removeprefix("Error: ")


def refused(ganzoo: Ganzoo, folder: Path, *line: object) -> str:
    """The sentence with which a command is refused, once it is clear that it left every file of the folder alone."""
    before = contents(folder)
    said = one_sentence(ganzoo(*line, code=2))
    assert contents(folder) == before
    return said


def contents(folder: Path) -> dict[Path, bytes | None]:
    """What a folder holds: each file's bytes, and None for a folder."""
    return {path: None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}
