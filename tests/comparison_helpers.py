"""A zoo with the toys and two cheap metrics, and short ways to a tiny comparison in it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from training_helpers import Toys

from ganzoo.comparison.compare import carry_out
from ganzoo.comparison.model import Comparison
from ganzoo.comparison.plan import ComparisonPlan
from ganzoo.comparison.planning import plan_comparison
from ganzoo.comparison.request import Request
from ganzoo.comparison.training import Outcome, Training, Watcher
from ganzoo.evaluation.metric import Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

__all__ = ["TINY_OPTIONS", "Brightness", "CodeCount", "Journal", "a_comparison", "a_plan", "shared_zoo", "toy_zoo"]

TINY_OPTIONS = ("width=0.125",)


class Brightness(Metric):
    """How bright the samples are, on average."""

    name: ClassVar[str] = "brightness"
    summary: ClassVar[str] = "mean of the samples"
    group = "fidelity"
    computed: ClassVar[int] = 0

    def scores(self, subject: Subject) -> Iterator[Score]:
        type(self).computed += 1
        fakes, real = subject.fakes(), subject.real("train")
        yield subject.score(
            "brightness", fakes.mean(), "mean of all values", better="higher", floor=float(real.values.mean())
        )


class CodeCount(Metric):
    """How many codes there are; none is no answer."""

    name: ClassVar[str] = "code-count"
    summary: ClassVar[str] = "number of codes"
    group = "codes"

    def scores(self, subject: Subject) -> Iterator[Score]:
        if not subject.latent.codes.names:
            raise Unavailable("it has no codes")
        yield subject.score("code_count", len(subject.latent.codes.names), "counted")


def toy_zoo() -> Zoo:
    """A zoo of its own, so that what is registered there stays there."""
    zoo = Zoo()
    plugin = SimpleNamespace(
        ganzoo_register_datasets=hookimpl(lambda: [Toys], specname="ganzoo_register_datasets"),
        ganzoo_register_metrics=hookimpl(lambda: [Brightness, CodeCount], specname="ganzoo_register_metrics"),
    )
    zoo.register(plugin, "toys")
    return zoo


shared_zoo = cache(toy_zoo)
"""The same zoo each time, for tests that register nothing in it."""


class Journal(Watcher):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.measured: list[str] = []
        self.images: list[int] = []
        self.outcomes: list[Outcome] = []
        self.closed = False

    def began(self, training: Training) -> None:
        self.trained.append(training.name)

    def progressed(self, training: Training, images: int, rate: float) -> None:
        self.images.append(images)

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def measuring(self, name: str, metric: str, done: int, total: int) -> None:
        self.measured.append(f"{name}: {metric}")

    def close(self) -> None:
        self.closed = True


def a_plan(folder: Path, *entrants: Any, **settings: Any) -> ComparisonPlan:
    """The plan of a tiny comparison whose runs are in ``folder/runs``."""
    values: dict[str, Any] = {
        "data": "toys",
        "images": 64,
        "batch": 16,
        "options": TINY_OPTIONS,
        "metrics": ("brightness", "code-count"),
        "extractor": None,
        "samples": 8,
        "device": "cpu",
        "precision": "fp32",
        "runs": folder / "runs",
        "out": folder / "comparisons",
        "zoo": shared_zoo(),
    }
    return plan_comparison(Request(entrants, **(values | settings)))


def a_comparison(folder: Path, *entrants: Any, watcher: Watcher | None = None, **settings: Any) -> Comparison:
    """A tiny comparison, carried out."""
    return carry_out(a_plan(folder, *entrants, **settings), watcher or Watcher())
