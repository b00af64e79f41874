"""The trainings of a comparison: one after the other, or several at once in processes of their own."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from ganzoo.core.errors import GanzooError
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.configuration import Configured
from ganzoo.training.events import Observer, Tick
from ganzoo.training.interruption import interruptible
from ganzoo.training.start import begin, go_on

__all__ = ["Interrupted", "Outcome", "Training", "Watcher", "in_processes", "in_turn"]

POLL = 0.2
"""Seconds in which a request to stop is noticed."""


class Interrupted(GanzooError):
    """The comparison was asked to stop; what it has done is saved."""

    exit_code = 130


@dataclass(frozen=True)
class Training:
    """One training of a comparison.

    Attributes:
        label: the entrant that it is of.
        seed: its seed.
        configured: its settings.
        arguments: what to type behind ``ganzoo`` for it, but for the folder of the runs.
        run: the run to go on with, None for a new one.
    """

    label: str
    seed: int
    configured: Configured = field(repr=False)
    arguments: tuple[str, ...]
    run: RunDirectory | None = None

    @property
    def name(self) -> str:
        """What a progress display calls it."""
        return f"{self.label}, seed {self.seed}"

    @property
    def budget(self) -> int:
        """The budget in images."""
        return self.configured.config.images

    @property
    def done(self) -> int:
        """Images of the budget that are used already."""
        return 0 if self.run is None else min(self.run.record.images, self.budget)

    @property
    def files(self) -> list[Path]:
        """The plugins that another process has to be told of, from wherever it is."""
        return [file.absolute() for file in self.configured.zoo.files]

    def command(self, root: Path | str) -> list[str]:
        """What to type for it behind ``ganzoo``, runs being in ``root``."""
        asked = ("train", "--resume", str(self.run.path)) if self.run is not None else self.arguments
        plugins = [word for file in self.files for word in ("--plugin", str(file))]
        return [*asked, *plugins, "--out", str(root)]


@dataclass(frozen=True)
class Outcome:
    """What became of a training.

    Attributes:
        training: the training.
        run: the finished run, or None where it failed.
        error: why it failed, in a sentence.
        note: what happened on the way, in a sentence.
    """

    training: Training
    run: RunDirectory | None
    error: str = ""
    note: str = ""


class Watcher:
    """Watches a comparison; override what is of interest."""

    def began(self, training: Training) -> None:
        """A training is about to start."""

    def progressed(self, training: Training, images: int, rate: float) -> None:
        """A training has got to so many images, at a rate of images a second."""

    def ended(self, outcome: Outcome) -> None:
        """A training has finished or failed."""

    def measuring(self, name: str, metric: str, done: int, total: int) -> None:
        """A metric of a run is about to be computed, after ``done`` of ``total`` of them."""

    def close(self) -> None:
        """Nothing more is going to be told; called whatever happened, perhaps twice."""


def in_turn(trainings: Sequence[Training], root: Path | str, watcher: Watcher) -> list[Outcome]:
    """Train one after the other in this process.

    Raises:
        Interrupted: a signal asked to stop; the present training is saved.
    """
    return [_ended(_trained_here(training, root, watcher), watcher) for training in trainings]


def _trained_here(training: Training, root: Path | str, watcher: Watcher) -> Outcome:
    watcher.began(training)
    observer = _Relay(training, watcher)
    try:
        if training.run is not None:
            run = go_on(training.run.path, training.configured.zoo, out=root, observer=observer)
        else:
            command = shlex.join(["ganzoo", *training.command(root)])
            run = begin(training.configured, out=root, observer=observer, command=command)
        # The process has done other things too, and what it took at the most may be theirs.
        run.update(peak_memory=None)
    except GanzooError as error:
        return Outcome(training, None, str(error))
    except Exception as error:  # of a plugin
        return Outcome(training, None, f"{type(error).__name__}: {error}")
    if run.record.status != "finished":
        raise Interrupted("interrupted")
    return Outcome(training, run)


class _Relay(Observer):
    """Tells the watcher of a comparison what a training tells its observer."""

    def __init__(self, training: Training, watcher: Watcher) -> None:
        self.training, self.watcher = training, watcher

    def ticked(self, tick: Tick) -> None:
        self.watcher.progressed(self.training, tick.images, tick.images_per_second)


def in_processes(
    trainings: Sequence[Training], root: Path | str, watcher: Watcher, *, jobs: int = 1, threads: int = 1
) -> list[Outcome]:
    """Train, so many at once, each by a ``ganzoo train`` of its own.

    A process to itself makes a training's peak memory its own, and its failure nobody else's.

    Args:
        trainings: what to do, in this order.
        root: folder of the runs.
        watcher: whom to tell.
        jobs: trainings at once.
        threads: of each process, on a CPU.

    Returns:
        What became of each, in the order given.

    Raises:
        Interrupted: a signal asked to stop; every training that had begun is saved.
    """
    waiting, outcomes = deque(trainings), dict[int, Outcome]()
    events: Queue[tuple[_Child, dict[str, Any] | None]] = Queue()
    running: list[_Child] = []
    with ExitStack() as children, interruptible() as interruption:
        while waiting or running:
            while waiting and len(running) < jobs and not interruption.requested:
                training = waiting.popleft()
                watcher.began(training)
                running.append(children.enter_context(_Child(training, root, threads, events)))
            if interruption.requested:
                waiting.clear()
                for child in running:
                    child.ask_to_stop()
            try:
                child, event = events.get(timeout=POLL)
            except Empty:
                continue
            if event is not None:
                child.heed(event, watcher)
            else:
                running.remove(child)
                outcome = child.outcome()
                if not interruption.requested or outcome.run is not None:
                    outcomes[id(child.training)] = _ended(outcome, watcher)
        if len(outcomes) < len(trainings):
            raise Interrupted("interrupted")
    return [outcomes[id(training)] for training in trainings]


def _ended(outcome: Outcome, watcher: Watcher) -> Outcome:
    watcher.ended(outcome)
    return outcome


class _Child:
    """A ``ganzoo train --json`` in a process of its own; a context manager that leaves no process behind."""

    def __init__(
        self, training: Training, root: Path | str, threads: int, events: "Queue[tuple[_Child, dict[str, Any] | None]]"
    ) -> None:
        self.training = training
        self._events = events
        self._path: Path | None = None
        self._status = ""
        self._asked = False
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        # -P: as for the installed command, a file of the working directory is no module.
        line = [sys.executable, "-P", "-m", "ganzoo", *training.command(root), "--json"]
        variables = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            line,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            encoding="utf-8",
            # In a group of its own, a terminal's Ctrl-C reaches this process alone, which passes it on once:
            # a second one would end a training before it is saved. Windows knows no such groups.
            process_group=None if sys.platform == "win32" else 0,
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._listener.join()
        self._stderr.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # something that a plugin prints
                if isinstance(event, dict):
                    self._events.put((self, event))
        self._process.wait()
        self._events.put((self, None))

    def ask_to_stop(self) -> None:
        """Asks it once to save and end."""
        if not self._asked and sys.platform != "win32":
            self._process.send_signal(signal.SIGINT)
        self._asked = True

    def heed(self, event: dict[str, Any], watcher: Watcher) -> None:
        """Takes in what it says."""
        if event.get("event") == "tick":
            watcher.progressed(self.training, event["images"], event["images_per_second"])
        elif event.get("event") == "finished":
            self._path, self._status = Path(event["run"]), event["status"]

    def outcome(self) -> Outcome:
        """What became of it, once it has ended."""
        if self._process.returncode == 0 and self._status == "finished" and self._path is not None:
            return Outcome(self.training, RunDirectory.open(self._path))
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr if line.strip()]
        said = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")] or lines
        status = f"ganzoo train ended with status {self._process.returncode}"
        return Outcome(self.training, None, said[-1] if said else status)
