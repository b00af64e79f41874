"""Time how long commands take to start, each in turns with the least that it could take.

python benchmarks/startup.py

Python's compiled modules are kept, as an installation has them, and a first turn that is not counted makes them.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

GANZOO = [sys.executable, "-m", "ganzoo"]
PAIRS = (
    ([sys.executable, "-c", "import click"], [*GANZOO, "--help"]),
    ([sys.executable, "-c", "import torch"], [*GANZOO, "train", "infogan", "--data", "mnist", "--dry-run"]),
)
"""The least, and the command."""
FIRST_TICK = [*GANZOO, "train", "infogan", "--data", "mnist", "--images", "12800", "--out"]


def seconds(command: list[str], folder: str) -> float:
    """How long a command takes, from nothing to its end."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def first_tick(folder: str) -> float:
    """Seconds of training before the first line of a run's statistics."""
    subprocess.run([*FIRST_TICK, folder], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    [statistics] = Path(folder).glob("*/stats.jsonl")
    return float(json.loads(statistics.read_text(encoding="utf-8").splitlines()[0])["seconds"])


def main() -> None:
    """Print the medians, and what a command takes beyond the least in the same turn."""
    parser = argparse.ArgumentParser(description="Time how long commands take to start.")
    parser.add_argument("--turns", type=int, default=9, help="turns of each pair [9]")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        for pair in PAIRS:
            turns = [[seconds(command, folder) for command in pair] for _ in range(asked.turns + 1)][1:]
            for command, times in zip(pair, zip(*turns, strict=True), strict=True):
                print(f"{median(times):6.3f} s  {' '.join(['python', *command[1:]])}")
            ratio = median(other / least for least, other in turns)
            print(f"{median(other - least for least, other in turns):6.3f} s more within a turn, {ratio:.2f} times\n")
    with TemporaryDirectory() as folder:
        print(f"{first_tick(folder):6.2f} s of training before the first line of statistics")


if __name__ == "__main__":
    main()
