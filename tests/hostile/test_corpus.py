"""Files of strangers: each is refused in one sentence, soon, in little memory, and nothing else happens."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import TINY, typed

SECONDS = 2.0
"""Of processor time that a refusal may take."""
MEGABYTES = 300
"""Of memory above what the process had."""
TRIAL = Path(__file__).with_name("trial.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, pipes and /proc are Linux's"),
]


def tried(*arguments: Path) -> list[dict[str, object]]:
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, str(TRIAL), *map(str, arguments)]
    done = subprocess.run(line, env=variables, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def judged(rows: list[dict[str, object]], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [
        row
        for row in rows
        if row["end"] != "refused"
        or "\n" in row["said"]
        or len(row["said"]) > 1000
        or row["seconds"] > SECONDS
        or row["mb"] > MEGABYTES
        or not row["outside"]
    ]
    slowest, largest = (max(row[key] for row in rows) for key in ("seconds", "mb"))
    with capsys.disabled():
        print(
            f"\nhostile {what} refused / tried: {len(rows) - len(wrong)} / {len(rows)} "
            f"(at most {slowest:.1f} s of processor and {largest:.0f} MB)"
        )
    assert wrong == []


def test_hostile_files_are_refused_by_every_parser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tried(tmp_path)
    assert len(rows) >= 170
    judged(rows, "files", capsys)


def test_hostile_runs_are_refused_by_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = typed("train", "infogan", *TINY, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    (tmp_path / "trials").mkdir()
    rows = tried(tmp_path / "trials", next((tmp_path / "runs").glob("0*")))
    assert len(rows) >= 60
    judged(rows, "runs", capsys)
