"""Tiny data sets, made up in memory: the kinds of samples that a model may meet, and a toy to learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.errors import unknown
from ganzoo.core.invariance import Affine
from ganzoo.core.streams import generator
from ganzoo.data.splits import TensorSplit, tensor_checksum

__all__ = ["KINDS", "TinyData", "TwoModes", "described"]

_LABEL = "label"
_POINTS = (2,)
_POINT_RANGE = (-2.0, 2.0)
_HEATMAP_RANGE = (0.0, 1.0)


class TinyData(Dataset):
    """A few dozen noisy copies of a random pattern, one pattern for each class; made up in memory."""

    name: ClassVar[str] = "tiny"
    summary: ClassVar[str] = "noisy copies of a few random patterns, for tests"
    offline: ClassVar[bool] = True

    class Options(Dataset.Options):
        """What kind of samples, and how many."""

        shape: tuple[int, ...] = Field((1, 16, 16), min_length=1, description="shape of a sample")
        classes: int = Field(4, ge=0, description="classes of the label, 0 for data without labels")
        sources: int = Field(1, ge=1, description="number of sources")
        size: int = Field(96, ge=1, description="samples of each part of each source")

    options: Options

    @cached_property
    def spec(self) -> DataSpec:
        """1×H×W and 3×H×W samples are images in [-1, 1], pairs are points in [-2, 2], all else lies in [0, 1]."""
        shape, classes, image = self.options.shape, self.options.classes, False
        drawn_as: Literal["image", "points", "heatmap"] = "points" if shape == _POINTS else "heatmap"
        span = _POINT_RANGE if shape == _POINTS else _HEATMAP_RANGE
        if len(shape) == 3 and shape[0] in (1, 3):
            drawn_as, span, image = "image", (-1.0, 1.0), True
        names = tuple(f"class {index}" for index in range(classes))
        label = {_LABEL: LabelSpec(classes=names, frequencies=(1 / classes,) * classes)} if classes else {}
        return DataSpec(
            name=self.name,
            shape=shape,
            range=span,
            size=self.options.size,
            labels=label,
            sources=("data", *(f"source{index}" for index in range(2, self.options.sources + 1))),
            invariances=(Affine(),) if image else (),
            drawn_as=drawn_as,
        )

    def split(self, part: Literal["train", "test"], source: str = "data") -> Split:
        """The samples of one part of one source.

        Raises:
            UsageError: there is no such part or source.
        """
        if part not in ("train", "test"):
            raise unknown(f"part of data set {self.name}", part, ("train", "test"))
        if source not in self.spec.sources:
            raise unknown(f"source of data set {self.name}", source, self.spec.sources)
        size, classes = self.options.size, torch.arange(self.options.size) % max(1, self.options.classes)
        patterns = torch.rand(max(1, self.options.classes), *self.spec.shape, generator=generator(source, "patterns"))
        noise = torch.rand(size, *self.spec.shape, generator=generator(source, part, "noise"))
        levels = 0.7 * patterns[classes] + 0.3 * noise
        low, high = self.spec.range
        values = (255 * levels).to(torch.uint8) if self.spec.is_image else low + (high - low) * levels
        labels = {_LABEL: classes} if self.options.classes else {}
        return TensorSplit(values, labels, tensor_checksum(values, classes))


KINDS: tuple[TinyData, ...] = (
    TinyData(shape=(1, 16, 16)),
    TinyData(shape=(1, 28, 28)),
    TinyData(shape=(3, 32, 32)),
    TinyData(shape=(1, 28, 28), classes=0),
    TinyData(shape=(3, 16, 16), classes=0),
    TinyData(shape=(1, 12, 20)),
    TinyData(shape=_POINTS, classes=2),
    TinyData(shape=_POINTS, classes=0),
    TinyData(shape=(16, 2)),
    TinyData(shape=(3, 32, 32), sources=2),
)
"""The kinds of data that a model is tried on; what is not about the data is tried on the first that it takes."""


def described(data: DataSpec) -> str:
    """What kind of samples these are, in words: ``3×32×32 images without labels``."""
    kind = {"image": "images", "points": "points", "heatmap": "arrays"}[data.drawn_as]
    shape = "×".join(map(str, data.shape))
    sources = f" from {len(data.sources)} sources" if len(data.sources) > 1 else ""
    return f"{shape} {kind} {'with' if data.labels else 'without'} labels{sources}"


@dataclass(frozen=True)
class TwoModes:
    """A toy of samples that lie about one of two opposite patterns, of which a model must learn both.

    Where there are labels, the first says which of the two it is.

    Attributes:
        like: what the samples are like; the toy takes its shape, range and labels.
        size: number of samples of each source.
    """

    like: DataSpec
    size: int = 4096

    @property
    def spec(self) -> DataSpec:
        """The specification of the toy's samples."""
        return self.like.model_copy(update={"size": self.size})

    @property
    def modes(self) -> Tensor:
        """The two patterns, (2, *shape): half-way from the middle of the range to its ends."""
        low, high = self.like.range
        pattern = torch.ones(self.like.shape)
        pattern[..., : max(1, self.like.shape[-1] // 2)] = -1
        return (low + high) / 2 + (high - low) / 4 * torch.stack([pattern, -pattern])

    def splits(self) -> Mapping[str, Split]:
        """The training samples of every source."""
        low, high = self.like.range
        rows = torch.arange(self.size)
        labels = {name: rows % len(label.classes) for name, label in self.like.labels.items()}
        first = next(iter(labels.values()), rows)
        mode = (first if int(first.max()) else rows) % 2
        found: dict[str, Split] = {}
        for source in self.like.sources:
            noise = torch.randn(self.size, *self.like.shape, generator=generator("two modes", source))
            values = (self.modes[mode] + 0.3 * (high - low) / 4 * noise).clamp(low, high)
            found[source] = TensorSplit(values, labels, tensor_checksum(values, mode))
        return found

    def near(self, samples: Tensor) -> tuple[float, float]:
        """The share of samples (N, *shape) that lie about each mode.

        Their root mean square distance is below 0.7 of half the way from one mode to the other.
        """
        low, high = self.like.range
        apart = (samples[:, None] - self.modes).flatten(2).square().mean(2).sqrt() / ((high - low) / 4)
        one, other = (apart < 0.7).float().mean(0).tolist()
        return one, other
