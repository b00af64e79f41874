"""Where the trainings of a comparison are done: in this process, in processes beside it, or on a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from ganzoo.comparison.request import Request
from ganzoo.comparison.training import Outcome, Training, Watcher, in_processes, in_turn
from ganzoo.core.errors import UsageError, unknown
from ganzoo.training.hardware import Hardware

__all__ = ["InProcesses", "InTurn", "Place", "choose_place", "refuse_place"]

HERE, RAY = "here", "ray"
NEEDED = "needs plugins that are installed or files; one that was registered by hand is neither"


@dataclass(frozen=True)
class Place(ABC):
    """Where trainings are done.

    Attributes:
        jobs: trainings at once, as far as is known.
        threads: of each training, on a CPU.
        words: what a display calls the place; empty where it is this machine.
        notes: what to know, a sentence each.
    """

    jobs: int
    threads: int
    words: str = ""
    notes: tuple[str, ...] = ()

    @abstractmethod
    def train(self, trainings: Sequence[Training], root: Path | str, watcher: Watcher) -> list[Outcome]:
        """Do the trainings.

        Args:
            trainings: what to do, in this order.
            root: folder of the runs.
            watcher: whom to tell.

        Returns:
            What became of each, in the order given.

        Raises:
            Interrupted: a signal asked to stop; every training that had begun is saved.
        """


class InTurn(Place):
    """This process, one after the other."""

    def train(self, trainings: Sequence[Training], root: Path | str, watcher: Watcher) -> list[Outcome]:
        """Do the trainings."""
        return in_turn(trainings, root, watcher)


class InProcesses(Place):
    """Processes of this machine, so many at once."""

    def train(self, trainings: Sequence[Training], root: Path | str, watcher: Watcher) -> list[Outcome]:
        """Do the trainings."""
        return in_processes(trainings, root, watcher, jobs=self.jobs, threads=self.threads)


def refuse_place(request: Request) -> None:
    """Say what is wrong with the place that is asked for, before anything is read or tried out.

    Raises:
        UsageError: there is no such place, it cannot be had here, or what is said of it does not fit.
    """
    if request.on not in (HERE, RAY):
        raise unknown("place to train on", request.on, (HERE, RAY))
    if request.on == HERE:
        for flag, value in (("--cpus-per-run", request.cpus_per_run), ("--gpus-per-run", request.gpus_per_run)):
            if value is not None:
                raise UsageError(f"{flag} is for a cluster, with --on ray; on this machine --jobs shares the cores out")
        return
    if find_spec("ray") is None:
        raise UsageError("--on ray needs Ray, which is not installed; to have it: pip install 'ganzoo[ray]'")
    if not request.zoo.in_every_process:
        raise UsageError(f"--on ray {NEEDED}")
    if request.cpus_per_run is not None and request.cpus_per_run < 1:
        raise UsageError(f"--cpus-per-run {request.cpus_per_run} trains nothing; it must be 1 or more")
    if request.gpus_per_run is not None and not 0 <= request.gpus_per_run <= 1:
        raise UsageError(f"--gpus-per-run {request.gpus_per_run:g} is no share of a GPU; it must be from 0 to 1")


def choose_place(request: Request, trainings: Sequence[Training], hardware: Hardware, checksum: str) -> Place:
    """The place that is asked for, as ``refuse_place`` lets it pass.

    Args:
        request: what is asked of the comparison.
        trainings: what is to be trained.
        hardware: of this machine.
        checksum: of the training data.

    Raises:
        UsageError: the place has no room for such trainings.
        RunError: it cannot be reached.
    """
    if request.on == RAY and trainings:
        from ganzoo.comparison.on_ray import OnRay

        return OnRay.join(trainings, checksum, request.jobs, request.cpus_per_run or 1, request.gpus_per_run)
    jobs = _jobs(request, len(trainings), hardware)
    place = InProcesses if request.zoo.in_every_process else InTurn
    return place(jobs, max(1, torch.get_num_threads() // jobs))


def _jobs(request: Request, trainings: int, hardware: Hardware) -> int:
    """Trainings at once: on a CPU two processes of one thread do more than one of two, on a GPU they do not."""
    if not request.zoo.in_every_process:
        if request.jobs is not None and request.jobs > 1:
            raise UsageError(f"--jobs above 1 {NEEDED}")
        return 1
    if request.jobs is not None:
        return max(1, min(request.jobs, trainings))
    return max(1, min(torch.get_num_threads(), trainings)) if hardware.device.type == "cpu" else 1
