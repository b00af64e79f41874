"""The Fréchet distance between generated and real samples, in the features of an extractor."""

import math
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["Frechet", "frechet_distance"]


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """The squared Fréchet distance between two Gaussians with the features' means and covariances.

    ``|m − m'|² + tr(C + C' − 2 (C C')^½)``, with unbiased covariances, in float64. It is torchmetrics' number,
    which is left as it comes: rounding may make that of two equal sets a little negative.

    Args:
        real: features (N, F), N at least 2; N above F, for a covariance of full rank.
        fake: features (M, F), likewise.

    Returns:
        The distance, at least 0 but for rounding; NaN where a feature is not finite.

    SOURCE: Heusel et al. 2017 (arXiv:1706.08500), equation 6; Dowson and Landau 1982.
    """
    # It takes seconds to import, and nothing else needs it.
    from torchmetrics.image.fid import FrechetInceptionDistance

    if not (torch.isfinite(real).all() and torch.isfinite(fake).all()):
        return math.nan
    distance = FrechetInceptionDistance(feature=_Extracted(real.shape[1]))
    distance.update(real.double(), real=True)
    distance.update(fake.double(), real=False)
    return float(distance.compute())


class Frechet(Metric):
    """Generated samples against the test split; called FID of Inception's features only."""

    name: ClassVar[str] = "frechet"
    summary: ClassVar[str] = "Fréchet distance of the extractor's features to the test split's"
    group: ClassVar[Group] = "fidelity"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``frechet_distance``; the floor is that of as many real training samples, the ceiling that of noise.

        Raises:
            Unavailable: there are too few samples for a covariance of full rank, or there is no extractor.
        """
        fake, test = subject.fake_features().features, subject.real_features("test").features
        width = fake.shape[1]
        needed = width + 2
        subject.at_least(needed, len(fake), f"generated samples for features of width {width:,}")
        subject.at_least(needed, len(test), f"test samples for features of width {width:,}")
        train = subject.real_features("train", len(fake)).features
        noise = subject.noise_features(len(fake)).features
        note = "with these features, the FID" if subject.extractor.name == "inception" else "not an FID"
        if needed <= len(train) < len(fake):
            note += f"; real data is of {len(train):,} training samples, all there are, and too high for so few"
        yield subject.score(
            "frechet_distance",
            frechet_distance(test, fake),
            f"{len(fake):,} generated samples to {len(test):,} of the test split",
            features=True,
            better="lower",
            floor=frechet_distance(test, train) if len(train) >= needed else None,
            ceiling=frechet_distance(test, noise),
            samples=len(fake),
            real=len(test),
            split="test",
            note=note,
            details={"width": width, "train": len(train)},
        )


class _Extracted(nn.Module):
    """Stands where torchmetrics wants a network: its input is features already.

    Args:
        num_features: their width F, which torchmetrics would otherwise find out by a call.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features
