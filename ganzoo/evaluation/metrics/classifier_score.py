"""How sure a classifier is of each generated sample, and how varied its answers are."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["SPLITS", "ClassifierScore", "split_scores"]

SPLITS = 10
LEAST = 1_000
"""Samples, for a hundred in each split: the score of too few is too small."""


def split_scores(logits: Tensor, splits: int = SPLITS) -> Tensor:
    """``exp(E KL(p(y|x) ‖ p(y)))`` of each split, p(y) being the mean of p(y|x) over the split.

    Between 1, where every sample is answered alike, and K, where each is answered with certainty and all
    classes equally often. It does not see whether a class has more than one sample, nor, as Barratt and Sharma
    2018 (arXiv:1801.01973) show, can it be compared between classifiers or trusted far from their data.

    Args:
        logits: (N, K), N at least ``splits``.
        splits: consecutive parts of equal size, one sample more or less.

    Returns:
        (splits,), float64.

    SOURCE: Salimans et al. 2016 (arXiv:1606.03498), section 4.
    """
    scores = []
    for part in logits.double().tensor_split(splits):
        conditional = part.log_softmax(1)
        # Logarithms throughout: a class that nobody answers would give 0 · log 0.
        marginal = conditional.logsumexp(0) - torch.tensor(len(part)).double().log()
        divergence = (conditional.exp() * (conditional - marginal)).sum(1)
        scores.append(divergence.mean().exp())
    return torch.stack(scores)


class ClassifierScore(Metric):
    """The inception score's formula, under the extractor's own classes."""

    name: ClassVar[str] = "classifier-score"
    summary: ClassVar[str] = "how sure and how varied the extractor's classes of generated samples are"
    group: ClassVar[Group] = "fidelity"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``classifier_score``; the floor is that of as many real test samples, the ceiling that of noise.

        Raises:
            Unavailable: the extractor knows no classes, there is none, or there are too few samples.
        """
        logits = subject.fake_features().logits
        if logits is None:
            raise Unavailable(f"the extractor {subject.extractor.name} knows no classes")
        subject.at_least(LEAST, len(logits), "generated samples")
        found = split_scores(logits)
        test = subject.real_features("test", len(logits)).logits
        noise = subject.noise_features(len(logits)).logits
        protocol = f"the inception score's formula, mean of {SPLITS} splits of {len(logits):,} generated samples"
        floor = _mean(test)
        if test is not None and floor is not None:
            protocol += f", floor from {len(test):,} test samples"
        yield subject.score(
            "classifier_score",
            float(found.mean()),
            protocol,
            features=True,
            better="higher",
            floor=floor,
            ceiling=_mean(noise),
            samples=len(logits),
            note=f"between 1 and {logits.shape[1]:,}, the number of the extractor's classes",
            details={"split_spread": float(found.std(correction=0)), "classes": logits.shape[1]},
        )


def _mean(logits: Tensor | None) -> float | None:
    return None if logits is None or len(logits) < LEAST else float(split_scores(logits).mean())
