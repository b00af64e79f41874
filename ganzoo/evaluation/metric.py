"""What a metric is, and how much of everything it may use."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Literal

from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["GROUPS", "Group", "Metric"]

Group = Literal["fidelity", "conditioning", "codes", "representation", "disentanglement", "health", "other"]
GROUPS: tuple[Group, ...] = (
    *("fidelity", "conditioning", "codes", "representation", "disentanglement", "health", "other"),
)
"""What metrics are about, in the order in which they are shown."""


class Metric(ABC):
    """Something to measure of a trained run; plugins register subclasses through ``ganzoo_register_metrics``.

    Attributes:
        name: what ``--metric`` calls it.
        summary: one line.
        group: what it is about.
        slow: whether only the full setting includes it, unless it is asked for by name.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    group: ClassVar[Group] = "other"
    slow: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.group not in GROUPS:
            raise TypeError(f"{cls.__name__}.group is {cls.group!r}; choose one of {', '.join(GROUPS)}")

    @abstractmethod
    def scores(self, subject: Subject) -> Iterable[Score]:
        """Measure.

        Args:
            subject: the run and its data.

        Raises:
            Unavailable: this run or data set lacks what the metric needs; other metrics, and the scores that it
                yielded before, are not affected.
        """
