"""One training that is killed and resumed, and what must be left of it.

Each training is a process that runs the command ``ganzoo train``, forked from a server that has the slow imports
behind it, or started as the installed command. It is killed with SIGKILL a few times: while it starts, at any time
later, or just when a temporary file or folder of its run is seen, which is in the middle of a write. After each kill
every checkpoint that shows its name must be whole, and none may be missing that was there before. In the end the
run's directory must hold what the undisturbed run's holds, byte for byte, but for the fields of time.
"""

import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import connection
from pathlib import Path
from typing import Any

__all__ = ["Count", "Lost", "contents", "differences", "inspect", "killed", "undisturbed"]

TINY = [
    *("--data", "mnist", "--images", "640", "--batch", "16", "--save-every", "48", "--device", "cpu"),
    *("--precision", "fp32", "-o", "width=0.125", "--quiet"),
]
POLL = 0.0005
PATIENCE = 300
TIMES = {"seconds", "images_per_second"}
RECORD_TIMES = {"created", "seconds", "peak_memory", "command"}
_PRELOADED = ["torch", "torch._dynamo", "rich.console", "ganzoo.api", "ganzoo.cli.main", "ganzoo.cli.train"]

_FORKS = threading.Lock()
"""Held to start a fork or ask for its end: a start asks all, and of two that ask at once one is told 255."""


class Lost(AssertionError):
    """A kill cost something that had been saved, or changed what came after."""


@dataclass
class Count:
    """What came of the kills.

    Attributes:
        kills: how many there were.
        survived: how many struck runs that ended as if nothing had been.
        moments: how many struck while starting, at any time, or on the sight of a temporary file.
        torn: how many left something half-written behind.
        by_model: how many struck a model's runs.
        runs: how many runs were killed and ended.
        lost: a sentence for each run that did not end as it should.
    """

    kills: int = 0
    survived: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    torn: int = 0
    by_model: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    lost: list[str] = field(default_factory=list)

    def add(self, other: "Count") -> None:
        """Counts another's kills too."""
        self.kills += other.kills
        self.survived += other.survived
        self.moments += other.moments
        self.torn += other.torn
        self.by_model += other.by_model
        self.runs += other.runs
        self.lost += other.lost

    def __str__(self) -> str:
        struck = ", ".join(f"{number} {moment}" for moment, number in sorted(self.moments.items()))
        models = ", ".join(f"{model} {number}" for model, number in sorted(self.by_model.items()))
        return (
            f"kills survived / kills: {self.survived} / {self.kills} in {self.runs} runs ({models}); {struck}; "
            f"{self.torn} left something half-written"
        )


class Training:
    """A process that runs ``ganzoo train …``.

    Args:
        words: what follows ``ganzoo``.
        folder: its working directory.
        installed: start the installed command; otherwise a fork that runs the same code.
    """

    def __init__(self, words: Sequence[str], folder: Path, installed: bool) -> None:
        self.output = folder / ".output"
        self._popen: subprocess.Popen[bytes] | None = None
        if installed:
            command = [str(Path(sys.executable).with_name("ganzoo")), *words]
            variables = {**os.environ, "OMP_NUM_THREADS": "1"}
            with self.output.open("wb") as file:
                self._popen = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, env=variables)
        else:
            server = multiprocessing.get_context("forkserver")
            server.set_forkserver_preload(_PRELOADED)
            self._fork = server.Process(target=_become, args=(["ganzoo", *words], str(folder), str(self.output)))
            with _FORKS:
                self._fork.start()

    @property
    def status(self) -> int | None:
        """Its exit status once it has ended, negative for a signal."""
        if self._popen is not None:
            return self._popen.poll()
        with _FORKS:
            return self._fork.exitcode

    def kill(self) -> None:
        """SIGKILL, and wait for the end of it."""
        child = self._fork if self._popen is None else self._popen
        child.kill()
        self.wait()

    def wait(self) -> int:
        """Its exit status."""
        if self._popen is not None:
            return self._popen.wait(PATIENCE)
        connection.wait([self._fork.sentinel], PATIENCE)
        status = self.status
        assert status is not None, f"a training has not ended in {PATIENCE} seconds"
        return status

    def expect_success(self) -> None:
        """Waits for the end, which must be a good one."""
        if self.wait() != 0:
            raise Lost(f"a training ended with {self.wait()}: {self.output.read_text(errors='replace')[-2000:]}")


def _become(words: list[str], folder: str, output: str) -> None:
    """Turns a process into the command."""
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    sys.argv = words
    import torch

    from ganzoo.cli.main import main

    torch.set_num_threads(1)  # the server may have been started with more
    main()


def undisturbed(model: str, seed: int, folder: Path, installed: bool = False) -> tuple[Path, float]:
    """A whole training: its run directory, and the seconds that it took."""
    folder.mkdir(parents=True)
    started = time.perf_counter()
    Training(["train", model, "--seed", str(seed), *TINY], folder, installed).expect_success()
    (run,) = run_directories(folder)
    return run, time.perf_counter() - started


def run_directories(folder: Path) -> list[Path]:
    """The runs in a working directory."""
    return sorted(path.parent for path in (folder / "runs").glob("[0-9]*/run.json"))


def killed(
    model: str,
    seed: int,
    folder: Path,
    dice: random.Random,
    kills: int,
    seconds: float,
    installed: bool,
    count: Count,
) -> Path:
    """A training that is killed up to ``kills`` times and resumed each time.

    Args:
        model: what is trained.
        seed: the training's own.
        folder: an empty working directory.
        dice: when to kill.
        kills: how often at the most; a run that ends before its moment comes is left in peace.
        seconds: how long an undisturbed one takes.
        installed: whether to start the installed command.
        count: what is done is noted here; ``survived`` is for the caller to tell.

    Returns:
        The finished run.

    Raises:
        Lost: a checkpoint is damaged or missing after a kill, or the run cannot go on.
    """
    folder.mkdir(parents=True)
    finished: set[str] = set()
    while True:
        found = run_directories(folder)
        words = ["train", "--resume", str(found[-1])] if found else ["train", model, "--seed", str(seed), *TINY]
        if found:
            words.append("--quiet")
        training = Training(words, folder, installed)
        moment = dice.choices(["while starting", "at any time", "in a write"], [1, 3, 6])[0]
        if count.kills == kills or not wait_for(moment, training, folder, dice, seconds, finished):
            training.expect_success()
            (run,) = run_directories(folder)
            return run
        training.kill()
        if training.status != -9:  # it was just about to end by itself
            training.expect_success()
            (run,) = run_directories(folder)
            return run
        count.kills += 1
        count.moments[moment] += 1
        count.by_model[model] += 1
        count.torn += any(temporaries(folder))
        finished = inspect(folder, finished)


def wait_for(
    moment: str, training: Training, folder: Path, dice: random.Random, seconds: float, finished: set[str]
) -> bool:
    """Waits for the moment to kill; False if the training ends before."""
    started = time.perf_counter()
    # Of the several files that are written, any, and then at once or a little later; at another time, a part of the
    # time between two checkpoints after the next or the one after it.
    left = {"while starting": 0, "at any time": dice.randint(0, 2), "in a write": dice.randint(1, 8)}[moment]
    wait = {
        "while starting": dice.uniform(0, 0.3 * seconds),
        "at any time": dice.uniform(0, 0.1 * seconds),
        "in a write": dice.choice([0.0, 0.0, dice.uniform(0, 0.004)]),
    }[moment]
    look = temporaries if moment == "in a write" else checkpoints
    visible = set(look(folder))
    while training.status is None:
        assert time.perf_counter() < started + PATIENCE, f"a training has not ended in {PATIENCE} seconds"
        finished.update(checkpoints(folder))
        now = set(look(folder))
        left, visible = left - len(now - visible), now
        if left <= 0:
            time.sleep(wait)
            return training.status is None
        time.sleep(POLL)
    return False


def checkpoints(folder: Path) -> Iterator[str]:
    """The names of the checkpoints that count."""
    for run in (folder / "runs").glob("[0-9]*"):
        with suppress(FileNotFoundError):
            yield from (entry.name for entry in os.scandir(run / "checkpoints") if entry.name.isdecimal())


def temporaries(folder: Path) -> Iterator[str]:
    """What is being written or removed, or was when a kill came."""
    for run in (folder / "runs").glob("[0-9]*"):
        for place in (run, run / "checkpoints", run / "samples", run / "traversals"):
            with suppress(FileNotFoundError), os.scandir(place) as entries:
                for entry in entries:
                    if entry.name in (".saving", ".removed") or entry.name.endswith(".tmp"):
                        yield entry.path


def inspect(folder: Path, before: set[str]) -> set[str]:
    """Every checkpoint with a name is whole, and the newest is no older than one that was there before.

    Returns:
        The names of those that are there now.
    """
    from ganzoo.core.errors import RunError
    from ganzoo.runs.checkpoint import Checkpoint
    from ganzoo.runs.directory import RunDirectory

    now = set(checkpoints(folder))
    if before and max(before) > max(now, default=""):
        raise Lost(f"the checkpoint {max(before)} of {folder} is gone")
    for path in run_directories(folder):
        try:
            run = RunDirectory.open(path)
            run.stats()
            for name in now:
                Checkpoint.open(run.checkpoints / name).verify()
        except RunError as error:
            raise Lost(f"after a kill: {error}") from error
    return now


def contents(run: Path) -> dict[str, Any]:
    """What a run's directory holds, without the fields of time: by file, its checksum or what it says."""
    found: dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if name == "run.json":
            record = json.loads(path.read_text())
            found[name] = {key: value for key, value in record.items() if key not in RECORD_TIMES}
        elif name == "stats.jsonl":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
        elif path.is_file():
            found[name] = sha256(path.read_bytes()).hexdigest()
    return found


def differences(run: Path, whole: Path) -> list[str]:
    """The files in which two runs differ."""
    here, there = contents(run), contents(whole)
    return sorted(name for name in here | there if here.get(name) != there.get(name))
