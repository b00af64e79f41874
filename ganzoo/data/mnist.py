"""MNIST, bundled with the package: no network, no other library."""

import lzma
from hashlib import sha256
from importlib.resources import files
from typing import Any, ClassVar, Literal

import torch

from ganzoo.core.data import Dataset, DataSpec, Split
from ganzoo.core.errors import RunError
from ganzoo.core.invariance import Affine
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

_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the uncompressed files, those of the original distribution."""


_MEMORY = 1 << 27
"""Bytes that unpacking may take; a file could ask for gigabytes."""


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
        """Decompresses one part, about half a second for the training part.

        Raises:
            RunError: a file of the package is missing or is not what was published.
        """
        stem = "train" if part == "train" else "t10k"
        counts = _COUNTS[part]
        keep = self.options.labels if part == "train" else None
        images = _read(f"{stem}-images-idx3-ubyte", (sum(counts), 28, 28)).unsqueeze(1)
        labels = keep_labels(_read(f"{stem}-labels-idx1-ubyte", (sum(counts),)), counts, keep, self.name)
        published = [digest for name, digest in _SHA256.items() if name.startswith(stem)]
        return TensorSplit(images, {LABEL: labels}, combined_checksum(*published, f"labels={keep}"))


def _read(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    where = f"ganzoo/data/files/mnist/{name}.xz"
    repair = "install ganzoo again"
    size = 4 + 4 * len(shape) + torch.Size(shape).numel()
    try:
        packed = files("ganzoo.data").joinpath("files", "mnist", f"{name}.xz").read_bytes()
        # One byte more than there should be is enough to see that a file is too long.
        content = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY).decompress(packed, max_length=size + 1)
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise RunError(f"the bundled {where} cannot be read ({error}); {repair}") from error
    if sha256(content).hexdigest() != _SHA256[name]:
        raise RunError(f"the bundled {where} is damaged (its SHA-256 is not the published one); {repair}")
    return parse_idx(content, shape=shape, where=where)
