"""Kills trainings, goes on with them until they end, and compares them with trainings that nobody disturbed.

    python tests/kill_runs.py --kills 1000 --seed 0

prints a line for each run, and last how many kills were survived; its exit status says whether all were. What each
kill may not cost is in ``killed_run.py``.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from threading import Lock

from killed_run import Count, Lost, differences, killed, undisturbed

__all__ = ["MODELS", "kill_many"]

MODELS = ("gan", "cgan", "acgan", "infogan", "infogan-cr", "bigan", "vaegan")
KILLS_A_RUN = 7
"""At most: a run that is killed too often never gets past its first checkpoints."""


def kill_many(
    kills: int,
    seed: int,
    folder: Path,
    models: Sequence[str] = MODELS,
    workers: int = 2,
    installed: bool = False,
    minutes: float = float("inf"),
) -> Count:
    """Kills trainings until there have been enough kills, and prints a line for each run.

    Args:
        kills: how many.
        seed: of the kills' moments and of the trainings.
        folder: where to; what went well is removed.
        models: whose trainings; they take turns.
        workers: how many at once.
        installed: whether to start the installed command.
        minutes: when to begin no more runs.

    Returns:
        What came of them; nothing is raised for a run that was lost.
    """
    total, planned, number, lock = Count(), 0, 0, Lock()
    ends = time.perf_counter() + 60 * minutes
    references: dict[str, tuple[Path, float]] = {}

    def begin(model: str) -> None:
        references[model] = undisturbed(model, seed, folder / model, installed)

    def work(_: int) -> None:
        nonlocal planned, number
        while True:
            with lock:
                wanted = min(kills - planned, KILLS_A_RUN)
                if wanted <= 0 or time.perf_counter() > ends:
                    return
                this, number, planned = number, number + 1, planned + wanted
            count = kill_one(this, models[this % len(models)], wanted)
            with lock:
                planned += count.kills - wanted  # those that came too late are made up for
                total.add(count)
                print(f"seed {seed}, run {this}: {count}; so far {total.survived} / {total.kills}", flush=True)

    def kill_one(number: int, model: str, wanted: int) -> Count:
        reference, seconds = references[model]
        dice, place, count = random.Random(f"{seed} {number}"), folder / f"{number:04d}-{model}", Count(runs=1)
        try:
            run = killed(model, seed, place, dice, wanted, seconds, installed, count)
            if differing := differences(run, reference):
                raise Lost(f"{run} differs from {reference} in {', '.join(differing)}")
        except Lost as error:
            count.lost.append(f"seed {seed}, run {number} ({model}): {error}")
        else:
            count.survived = count.kills
            rmtree(place)
        return count

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(begin, models))
        list(pool.map(work, range(workers)))
    for sentence in total.lost:
        print(f"LOST: {sentence}", flush=True)
    print(f"seed {seed}: {total}", flush=True)
    return total


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description="Kills trainings and looks what is lost.")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no more runs after this time")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="MODEL")
    parser.add_argument("--installed", action="store_true", help="start the installed command each time")
    parser.add_argument("--keep", type=Path, help="an empty folder for what was lost")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        count = kill_many(
            options.kills,
            options.seed,
            folder,
            options.models,
            options.workers,
            options.installed,
            options.minutes,
        )
    sys.exit(1 if count.lost or not count.kills else 0)


if __name__ == "__main__":
    main()
