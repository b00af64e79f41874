"""MNIST, bundled with the package: no network, no other library."""

from functools import cache
from typing import Any, ClassVar, Literal

import torch

from ganzoo.core.data import Dataset, DataSpec, Split
from ganzoo.core.invariance import Affine
from ganzoo.data.bundled import SHA256, unpacked
from ganzoo.data.idx import parse_idx
from ganzoo.data.labels import LABEL, LabelledOptions, keep_labels, label_spec
from ganzoo.data.splits import SingleSource, TensorSplit, combined_checksum

__all__ = ["MNIST"]

_DIGITS = tuple("0123456789")

_COUNTS = {
    "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
}
"""Samples of each digit, so that a plan can be made without decompressing anything."""


class MNIST(SingleSource):
    """Handwritten digits, 60,000 to train and 10,000 to test, 28×28 grey (LeCun, Cortes and Burges)."""

    name: ClassVar[str] = "mnist"
    summary: ClassVar[str] = "handwritten digits, 28×28 grey, 10 classes (bundled)"
    offline: ClassVar[bool] = True

    class Options(LabelledOptions):
        """What a user may choose about MNIST."""

    options: Options

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self._spec = DataSpec(
            name=self.name,
            shape=(1, 28, 28),
            size=sum(_COUNTS["train"]),
            labels=label_spec(_DIGITS, _COUNTS["train"], self.options.labels),
            invariances=(Affine(),),
        )

    @property
    def spec(self) -> DataSpec:
        """Shape (1, 28, 28), range (-1, 1), one label with the classes "0" to "9"; nothing is read."""
        return self._spec

    def load(self, part: Literal["train", "test"]) -> Split:
        """Decompresses one part, about half a second for the training part, unless the process has it already.

        Raises:
            RunError: a file of the package is missing or is not what was published.
        """
        stem = "train" if part == "train" else "t10k"
        counts = _COUNTS[part]
        keep = self.options.labels if part == "train" else None
        images = _read(f"{stem}-images-idx3-ubyte", (sum(counts), 28, 28)).unsqueeze(1)
        labels = keep_labels(_read(f"{stem}-labels-idx1-ubyte", (sum(counts),)), counts, keep, self.name)
        published = [digest for name, digest in SHA256.items() if name.startswith(stem)]
        return TensorSplit(images, {LABEL: labels}, combined_checksum(*published, f"labels={keep}"))


@cache  # a comparison opens the data set once a run, and nobody writes into the samples
def _read(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    return parse_idx(unpacked(name), shape=shape, where=f"ganzoo/data/files/mnist/{name}.xz")
