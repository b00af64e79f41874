"""What the tests of the command line share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from click.testing import Result

__all__ = ["COMMAND", "TINY", "Ganzoo", "Trained", "one_sentence", "typed"]

COMMAND = Path(sys.executable).with_name("ganzoo")
TINY = ["--images", "256", "--batch", "32", "--save-every", "32", "-o", "width=0.125"]

Ganzoo = Callable[..., Result]


class Trained(NamedTuple):
    """A run made by the installed command, and what that printed."""

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


def one_sentence(result: Result) -> str:
    """The message of a failed command, once it is clear that it is all that was printed of the failure."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in result.stderr
    return lines[0].removeprefix("Error: ")
