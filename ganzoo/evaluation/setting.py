"""How much of everything an evaluation uses."""

from dataclasses import dataclass

__all__ = ["FAST", "FULL", "Setting"]


@dataclass(frozen=True)
class Setting:
    """How much of everything the metrics use.

    Attributes:
        name: stored with each score.
        samples: generated samples.
        real: real samples of a split.
        train: labelled samples that classifiers and probes are fitted to.
    """

    name: str
    samples: int
    real: int
    train: int


FAST = Setting("fast", samples=10_000, real=10_000, train=10_000)
FULL = Setting("full", samples=50_000, real=50_000, train=60_000)
