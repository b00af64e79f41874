"""Trainings as tasks of a cluster: a task each, told of by the run directories, which all machines see."""

import shlex
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ganzoo.comparison.errand import Errand, Report
from ganzoo.comparison.training import Interrupted, Outcome, Training, Watcher
from ganzoo.core.errors import GanzooError, RunError
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import installed_versions
from ganzoo.training.interruption import interruptible
from ganzoo.training.start import WAITING, set_up

__all__ = ["RETRIES", "Crew", "in_tasks", "room"]

POLL = 1.0
"""Seconds between looks at what the tasks have done."""
RETRIES = 3
"""How often a task is given to another worker, after the one that had it was lost or told to stop."""


class Crew(ABC):
    """Workers that take errands; the handles are theirs."""

    @abstractmethod
    def give(self, errand: Errand) -> Hashable:
        """Give an errand out; one whose worker is lost goes to another worker, up to ``RETRIES`` times."""

    @abstractmethod
    def done(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
        """Those that are done, of whichever are within so many seconds."""

    @abstractmethod
    def report(self, handle: Hashable) -> Report:
        """What became of an errand that is done; a failure is in the report."""

    @abstractmethod
    def stop(self, handle: Hashable) -> None:
        """Ask whoever has the errand to save and end, and nobody to take it."""


def in_tasks(
    trainings: Sequence[Training],
    root: Path | str,
    watcher: Watcher,
    crew: Crew,
    *,
    checksum: str,
    threads: int,
    limit: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Train, each as a task of a crew.

    The run directory of a training is made here. So whichever worker has the task knows where to go on, and
    its progress can be read from anywhere.

    Args:
        trainings: what to do, in this order.
        root: folder of the runs, on a file system that all workers see.
        watcher: whom to tell.
        crew: who does it.
        checksum: of the training data.
        threads: of each training, on a CPU.
        limit: tasks that are given out at once; None for all.
        variables: what the environment of a worker has to say.

    Returns:
        What became of each, in the order given.

    Raises:
        Interrupted: a signal asked to stop; every training that had begun is saved.
    """
    waiting = deque(_Task(training, watcher) for training in trainings)
    running: dict[Hashable, _Task] = {}
    outcomes: dict[int, Outcome] = {}
    stopping = False
    with interruptible() as interruption:
        while waiting or running:
            while waiting and (limit is None or len(running) < limit) and not interruption.requested:
                task = waiting.popleft()
                try:
                    errand = task.errand(root, checksum, threads, variables or {})
                except GanzooError as error:
                    outcomes[id(task.training)] = task.end(Report("failed", str(error)))
                else:
                    running[crew.give(errand)] = task
            if interruption.requested and not stopping:
                stopping = True
                waiting.clear()
                for handle in running:
                    crew.stop(handle)
            for handle in crew.done(list(running), POLL) if running else ():
                task, report = running.pop(handle), crew.report(handle)
                if report.status != "interrupted":
                    outcomes[id(task.training)] = task.end(report)
                elif not interruption.requested:
                    task.stops += 1
                    waiting.append(task)
            for task in running.values():
                task.look()
        if len(outcomes) < len(trainings):
            raise Interrupted("interrupted")
    return [outcomes[id(training)] for training in trainings]


class _Task:
    """A training on its way through a crew."""

    def __init__(self, training: Training, watcher: Watcher) -> None:
        self.training, self.watcher = training, watcher
        self.run: RunDirectory | None = training.run
        self.stops = 0
        self._began = False
        self._images = training.done

    def errand(self, root: Path | str, checksum: str, threads: int, variables: Mapping[str, str]) -> Errand:
        """Its errand, for a run that is there and says that it waits.

        Raises:
            RunError: the run cannot be written, or it was told to stop too often.
        """
        if self.stops > RETRIES:
            raise RunError(f"its workers were told to stop {self.stops} times; the same command goes on with it")
        if self.run is None:
            command = shlex.join(["ganzoo", *self.training.command(root)])
            self.run = set_up(self.training.configured, checksum, out=root, command=command)
        elif not self.stops:
            # Left as running by a process that was lost, it could not be told from one that is at work.
            with self.run.lock():
                self.run.update(status="interrupted", message=WAITING)
        return Errand(
            name=self.training.name,
            run=str(self.run.path.resolve()),
            folder=str(Path.cwd()),
            threads=threads,
            variables=tuple(variables.items()),
            version=installed_versions()["ganzoo"],
            files=tuple(map(str, self.training.files)),
        )

    def look(self) -> None:
        """Tells what the run directory says; nothing where it cannot be read just now."""
        assert self.run is not None
        with suppress(GanzooError, OSError):
            run = RunDirectory.open(self.run.path)
            if run.record.message == WAITING:
                return
            self._begin()
            stats = run.stats()
            if stats and stats[-1]["images"] != self._images:
                self._images = stats[-1]["images"]
                self.watcher.progressed(self.training, self._images, stats[-1]["images_per_second"])

    def end(self, report: Report) -> Outcome:
        """Tells what became of it."""
        self._begin()
        if report.status == "finished" and self.run is not None:
            note = ""
            if report.lost_at is not None:
                note = f"{self.training.name} lost its worker, and another went on from {report.lost_at:,} images"
            outcome = Outcome(self.training, RunDirectory.open(self.run.path), note=note)
        else:
            outcome = Outcome(self.training, None, report.error)
        self.watcher.ended(outcome)
        return outcome

    def _begin(self) -> None:
        if not self._began:
            self._began = True
            self.watcher.began(self.training)


def room(nodes: Sequence[Mapping[str, float]], cpus: int, gpus: float) -> int:
    """How many trainings of so many cores and such a share of a GPU these machines have room for at once."""
    places = 0
    for node in nodes:
        by_cores = int(node.get("CPU", 0) / cpus)
        # The shares of one GPU are not those of another.
        places += min(by_cores, int(node.get("GPU", 0)) * int(1 / gpus + 1e-6)) if gpus else by_cores
    return places
