"""Whether generated samples look real, and whether all that is real is generated: two pairs of scores."""

import math
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["LARGEST", "NEIGHBOURS", "Balls", "Coverage", "Manifold", "manifold_scores"]

NEIGHBOURS = 5
LARGEST = 10_000
"""Samples of a side at most: time grows with their square, and the scores depend on their number."""
LEAST = 1_000
_BLOCK = 500
"""Rows of the table of distances that exist at once."""


class Manifold(NamedTuple):
    """How two sets of features lie; a ball reaches from a point to its k-th neighbour in the point's own set.

    Attributes:
        precision: share of the fakes that lie in some real ball.
        recall: share of the real points that lie in some fake's ball.
        density: real balls that a fake lies in, on average, over k; about 1 where the two sets agree.
        coverage: share of the real balls with a fake in them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(real: Tensor, fake: Tensor, k: int = NEIGHBOURS) -> Manifold:
    """Precision, recall, density and coverage of fakes (M, F) against real features (N, F): see ``Balls``."""
    return Balls(real, k).scores(fake)


class Balls:
    """Real features, each with the ball that reaches to its k-th neighbour; made once for many sets of fakes.

    A point on a ball's surface is inside, as in the first paper, so that sets with many copies of a point are
    measured rightly. The second paper's own code leaves it outside; without copies there is none.

    Args:
        real: features (N, F), N above k.
        k: which neighbour gives a ball its radius, the point itself not counted.

    SOURCE: precision and recall, Kynkäänniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2; density and
    coverage, Naeem et al. 2020 (arXiv:2002.09797), section 3.
    """

    def __init__(self, real: Tensor, k: int = NEIGHBOURS) -> None:
        self.k = k
        # Distances do not change, and lose less to rounding near the origin.
        self.centre = real.double().mean(0)
        self.points = real.double() - self.centre
        self.radii = _radii(self.points, k)

    def scores(self, fake: Tensor) -> Manifold:
        """The scores of fakes, computed in float64.

        Args:
            fake: features (M, F), M above k; the four depend on N and M, which should be equal.

        Returns:
            The scores; NaN where a feature is not finite.
        """
        if not (torch.isfinite(self.points).all() and torch.isfinite(fake).all()):
            return Manifold(*[math.nan] * 4)
        fake = fake.double() - self.centre
        radii = _radii(fake, self.k)
        pairs, precise = 0, 0
        covered, recalled = torch.zeros(2, len(self.points), dtype=torch.bool)
        for rows, distances in _distances(fake, self.points):
            inside = distances <= self.radii
            precise += int(inside.any(1).sum())
            pairs += int(np.count_nonzero(inside.numpy()))  # a tenth of the time that torch's takes
            covered |= inside.any(0)
            recalled |= (distances <= radii[rows, None]).any(0)
        return Manifold(
            precision=precise / len(fake),
            recall=float(recalled.double().mean()),
            density=pairs / (self.k * len(fake)),
            coverage=float(covered.double().mean()),
        )


class Coverage(Metric):
    """Generated samples against the test split, as many of each."""

    name: ClassVar[str] = "coverage"
    summary: ClassVar[str] = "precision, recall, density and coverage of the extractor's features"
    group: ClassVar[Group] = "fidelity"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """The four, each beside that of as many real training samples, and of noise.

        Raises:
            Unavailable: there are too few samples for the four to mean anything, or there is no extractor.
        """
        fake, test = subject.fake_features().features, subject.real_features("test").features
        subject.at_least(LEAST, len(fake), "generated samples")
        subject.at_least(LEAST, len(test), "test samples")
        n = min(len(fake), len(test), LARGEST)
        train = subject.real_features("train", len(fake)).features[:n]
        noise = subject.noise_features(len(fake)).features[:n]
        balls = Balls(test[:n])
        found, ceilings = balls.scores(fake[:n])._asdict(), balls.scores(noise)._asdict()
        floors = balls.scores(train)._asdict() if len(train) == n else {}
        for name, value in found.items():
            yield subject.score(
                name,
                value,
                f"k = {NEIGHBOURS}, {n:,} generated samples and as many of the test split",
                features=True,
                unit="" if name == "density" else "share",
                better="higher",
                floor=floors.get(name),
                ceiling=ceilings[name],
                samples=n,
                real=n,
                split="test",
                note=_NOTES[name],
            )


_NOTES = {
    "precision": "generated samples that lie among real ones",
    "recall": "real samples that lie among generated ones",
    "density": "real samples around a generated one; about 1 where both agree",
    "coverage": "real samples with a generated one nearby",
}


def _distances(rows: Tensor, columns: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances of rows (N, F) to columns (M, F), some rows of the table (N, M) at a time."""
    squares = columns.square().sum(1)
    # What is left of a distance by rounding alone is none: copies of a point are as far apart as the point
    # from itself, wherever in the table they stand.
    least = 1e-12 * float(squares.max() + rows.square().sum(1).max())
    for start in range(0, len(rows), _BLOCK):
        chosen = slice(start, start + _BLOCK)
        block = rows[chosen]
        table = torch.addmm(squares, block, columns.T, alpha=-2).add_(block.square().sum(1, keepdim=True))
        yield chosen, functional.threshold(table, least, 0.0, inplace=True)


def _radii(points: Tensor, k: int) -> Tensor:
    """Squared distance (N,) of each point to its k-th neighbour, and a little, that a copy of it is not left out."""
    # The nearest of the k + 1 is the point itself.
    radii = [table.topk(k + 1, largest=False).values[:, -1] for _, table in _distances(points, points)]
    return torch.cat(radii) * (1 + 1e-9)
