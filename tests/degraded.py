"""Real digits made worse step by step, and the judge's features of them: a distance has to rise with every step."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from ganzoo.data.batches import to_range
from ganzoo.data.mnist import MNIST
from ganzoo.evaluation.extractors.digits import Digits

__all__ = ["DEGRADATIONS", "degraded", "features", "reference"]

N = 1000
"""Digits of a side; the two sides share none."""


@cache
def _digits() -> tuple[Tensor, Tensor]:
    data = MNIST()
    split = data.split("test")
    chosen = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
    stored = split.tensor()
    assert stored is not None
    return to_range(stored[chosen], data.spec), split.labels["label"][chosen]


def features(samples: Tensor) -> Tensor:
    """What the bundled judge sees of digits, (N, F): the features that distances of digits are measured in."""
    return _judge()(samples).features


@cache
def _judge() -> Digits:
    return Digits(MNIST().spec)


def reference() -> Tensor:
    """The digits (N, 1, 28, 28) that others are compared with."""
    return _digits()[0][:N]


def _noisy(level: float) -> Tensor:
    clean = _digits()[0][N : 2 * N]
    noise = torch.rand(clean.shape, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return torch.lerp(clean, noise, level)


def _blurred(level: float) -> Tensor:
    clean = _digits()[0][N : 2 * N]
    return gaussian_blur(clean, [13, 13], [level]) if level else clean


def _without(level: float) -> Tensor:
    samples, classes = _digits()
    return samples[N:][classes[N:] >= level][:N]


DEGRADATIONS: dict[str, tuple[Callable[[float], Tensor], tuple[float, ...]]] = {
    "blur": (_blurred, (0, 0.7, 1.2, 2, 4)),
    "noise": (_noisy, (0, 0.1, 0.2, 0.4, 0.8)),
    "class removal": (_without, (0, 2, 4, 6, 8)),
}
"""What is done to the digits, and how strongly."""


def degraded(kind: str) -> list[Tensor]:
    """Other digits than the reference, untouched at first, then worse and worse."""
    degrade, levels = DEGRADATIONS[kind]
    return [degrade(level) for level in levels]
