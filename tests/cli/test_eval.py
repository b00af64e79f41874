import shlex
import shutil
from pathlib import Path

from cli_helpers import Ganzoo, Trained


def test_the_last_line_advises_a_command_that_finds_the_run(trained: Trained, tmp_path: Path, ganzoo: Ganzoo) -> None:
    shutil.copytree(trained.root, tmp_path / "my runs")
    printed = ganzoo("eval", "--runs", "my runs", "--metric", "information", "--samples", 1000).stdout
    command = printed.splitlines()[-1].split("`")[1]
    assert shlex.split(command) == ["ganzoo", "report", "my runs/00001-infogan-mnist"]
