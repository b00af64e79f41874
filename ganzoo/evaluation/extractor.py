"""What a feature extractor is: samples to the numbers in which distances and classes are measured."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ganzoo.core.data import DataSpec

__all__ = ["Extractor", "Features"]


class Features(NamedTuple):
    """What an extractor says of a batch.

    Attributes:
        features: (N, F), float32.
        logits: (N, K) of the extractor's classes, or None where it knows no classes.
    """

    features: Tensor
    logits: Tensor | None


class Extractor(ABC):
    """A fixed map of samples to features; plugins register subclasses through ``ganzoo_register_extractors``.

    Args:
        data: what the samples are.
        device: where to compute.

    Attributes:
        name: what ``--extractor`` calls it; part of every score that rests on it.
        summary: one line.
        sha256: identifies its weights; empty where it has none.
        classes: names of the classes that its logits stand for, if any.

    Raises:
        UsageError: the samples are not of a kind that it takes.
        RunError: its weights cannot be had.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    sha256: str = ""
    classes: tuple[str, ...] | None = None

    def __init__(self, data: DataSpec, device: torch.device | str = "cpu") -> None:
        self.data = data
        self.device = torch.device(device)

    @property
    def identity(self) -> tuple[str, str | None]:
        """Its name, and the SHA-256 of its weights if it has any."""
        return self.name, self.sha256 or None

    @classmethod
    def is_default_for(cls, data: DataSpec) -> bool:
        """Whether samples of this kind are measured with it unless another is named."""
        return False

    @abstractmethod
    def __call__(self, samples: Tensor) -> Features:
        """The features of a batch.

        Args:
            samples: (N, *shape), float32 on ``device``, in the data's range.

        Returns:
            Features (and logits), each row independent of the others.
        """
