"""The kernel distance between generated and real samples, in the features of an extractor."""

import warnings
from collections.abc import Iterable
from functools import partial
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ganzoo.core.streams import stable_seed
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["SUBSET_SIZE", "Kernel", "KernelDistance", "kernel_distance"]

SUBSET_SIZE = 1000
_FAST, _FULL = 20, 100
"""Subsets; 100, as torchmetrics has it, take half a minute for the score, its floor and its ceiling."""


class KernelDistance(NamedTuple):
    """An estimate and how sure it is.

    Attributes:
        mean: over the subsets; unbiased, so it may be a little negative.
        spread: standard deviation over the subsets, of one subset's estimate and not of the mean.
    """

    mean: float
    spread: float


def kernel_distance(
    real: Tensor, fake: Tensor, seed: int = 0, subsets: int = 100, size: int = SUBSET_SIZE
) -> KernelDistance:
    """The squared maximum mean discrepancy under the kernel ``(x·y / F + 1)³``, averaged over random subsets.

    It is torchmetrics' number, in float64. Torch's own random state is left as it was.

    Args:
        real: features (N, F).
        fake: features (M, F).
        seed: of the subsets.
        subsets: how many.
        size: samples of each side in a subset, at least 2, at most N and M.

    SOURCE: Bińkowski et al. 2018 (arXiv:1801.01401), section 4.
    """
    # It takes seconds to import, and nothing else needs it.
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings():
        # It warns that it keeps all features in memory, where they are anyway.
        warnings.filterwarnings("ignore", category=UserWarning, message="Metric `Kernel Inception Distance`")
        distance = KernelInceptionDistance(nn.Identity(), subsets=subsets, subset_size=size)
    distance.update(real.double(), real=True)
    distance.update(fake.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would seed the accelerators too, which nothing here forks.
        torch.default_generator.manual_seed(seed)
        mean, spread = distance.compute()
    return KernelDistance(float(mean), float(spread))


class Kernel(Metric):
    """Generated samples against the test split; called KID of Inception's features only."""

    name: ClassVar[str] = "kernel"
    summary: ClassVar[str] = "kernel distance of the extractor's features to the test split's"
    group: ClassVar[Group] = "fidelity"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``kernel_distance``; the floor is that of as many real training samples, the ceiling that of noise.

        Raises:
            Unavailable: there are fewer samples than a subset has, or there is no extractor.
        """
        fake, test = subject.fake_features().features, subject.real_features("test").features
        subject.at_least(SUBSET_SIZE, len(fake), "generated samples")
        subject.at_least(SUBSET_SIZE, len(test), "test samples")
        train = subject.real_features("train", len(fake)).features
        noise = subject.noise_features(len(fake)).features
        seed = stable_seed(subject.seed, "evaluation", "kernel")
        subsets = _FULL if subject.setting.name == "full" else _FAST
        measure = partial(kernel_distance, test, seed=seed, subsets=subsets, size=SUBSET_SIZE)
        distance, ceiling = measure(fake), measure(noise)
        floor = measure(train) if len(train) >= SUBSET_SIZE else None
        yield subject.score(
            "kernel_distance",
            distance.mean,
            f"cubic polynomial, {subsets} subsets of {SUBSET_SIZE:,} of {len(fake):,} generated samples to "
            f"{len(test):,} of the test split",
            features=True,
            better="lower",
            floor=None if floor is None else floor.mean,
            ceiling=ceiling.mean,
            samples=len(fake),
            real=len(test),
            split="test",
            note="with these features, the KID" if subject.extractor.name == "inception" else "not a KID",
            details={
                "subset_spread": distance.spread,
                "floor_subset_spread": None if floor is None else floor.spread,
                "ceiling_subset_spread": ceiling.spread,
                "train": len(train),
            },
        )
