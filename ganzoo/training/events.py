"""What a run tells those who watch it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from ganzoo.runs.directory import RunDirectory

if TYPE_CHECKING:
    from ganzoo.training.plan import Plan

__all__ = ["Observer", "Summary", "Tick"]


@dataclass(frozen=True)
class Tick:
    """Progress at a tick.

    Attributes:
        images: progress of the run.
        seconds: wall time of this session so far.
        images_per_second: rate since the last tick.
        stats: means since the last tick: ``player/term``, and reports by their own names.
        ceilings: what a report cannot exceed: H(c) in nats for the information of a discrete code.
        preview: draws some samples of the averaged generator, (n, *shape).
    """

    images: int
    seconds: float
    images_per_second: float
    stats: Mapping[str, float]
    ceilings: Mapping[str, float]
    preview: Callable[[], Tensor]


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Attributes:
        status: ``finished``, ``interrupted`` or ``failed``.
        images: progress of the run.
        seconds: wall time of all its sessions.
        stats: the last tick's means.
        pictures: files that were drawn at the end.
        sentences: what was learned, or why it failed, in words.
        next: commands to type next.
        resume: the command that goes on.
    """

    status: str
    images: int
    seconds: float
    stats: Mapping[str, float]
    pictures: list[Path] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    resume: str = ""


class Observer:
    """Watches a run; override what is of interest."""

    def started(self, plan: "Plan", run: RunDirectory) -> None:
        """The run directory exists and the first round is about to be played."""

    def progressed(self, images: int) -> None:
        """A round was played; called often, so it must be cheap."""

    def ticked(self, tick: Tick) -> None:
        """Statistics were read."""

    def saved(self, images: int, path: Path) -> None:
        """A checkpoint was written."""

    def finished(self, run: RunDirectory, summary: Summary) -> None:
        """The run ended, or was interrupted and saved."""

    def failed(self, run: RunDirectory, summary: Summary) -> None:
        """The run was ended by an error, which its record names; the error goes on to the caller."""
