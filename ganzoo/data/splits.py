"""What most data sets are made of: one source, and parts that are tensors in memory."""

import json
from abc import abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

from torch import Tensor

from ganzoo.core.data import Dataset, Split
from ganzoo.core.errors import unknown

__all__ = ["SingleSource", "TensorSplit", "combined_checksum", "tensor_checksum"]


class TensorSplit(Split):
    """A split that is held in memory.

    Args:
        values: (M, *shape) as stored, uint8 for images.
        labels: per label name (M,) class indices, int64, -1 where unknown.
        checksum: SHA-256 (hex) that identifies the content.
    """

    def __init__(self, values: Tensor, labels: Mapping[str, Tensor], checksum: str) -> None:
        self._values = values
        self.labels = labels
        self.checksum = checksum

    def __len__(self) -> int:
        """Number of samples M."""
        return len(self._values)

    def __getitem__(self, index: int) -> Tensor:
        """Sample ``index`` as stored, (*shape)."""
        return self._values[index]

    def rows(self, indices: Tensor) -> Tensor:
        """Samples (N, *shape) as stored, of indices (N,)."""
        return self._values[indices]

    def tensor(self) -> Tensor:
        """All samples, (M, *shape) as stored."""
        return self._values


class SingleSource(Dataset):
    """A data set with the one source ``data``; each part is loaded once and kept.

    Subclasses implement ``spec`` and ``load``.

    Args:
        options: an instance of the class's own ``Options``, or None for its defaults.
        **values: options by name, instead of ``options``.

    Raises:
        UsageError: an option is unknown or has an impossible value.
    """

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self._splits: dict[str, Split] = {}

    def split(self, part: Literal["train", "test"], source: str = "data") -> Split:
        """The samples of one part.

        Args:
            part: ``"train"`` or ``"test"``.
            source: ``"data"``, the only one there is.

        Raises:
            UsageError: there is no such part or source.
            RunError: the files are missing, damaged or cannot be fetched.
        """
        if part not in ("train", "test"):
            raise unknown(f"part of data set {self.name}", part, ("train", "test"))
        if source != "data":
            raise unknown(f"source of data set {self.name}", source, ("data",))
        if part not in self._splits:
            self._splits[part] = self.load(part)
        return self._splits[part]

    @abstractmethod
    def load(self, part: Literal["train", "test"]) -> Split:
        """Reads one part; ``split`` calls it once.

        Raises:
            RunError: the files are missing, damaged or cannot be fetched.
        """


def tensor_checksum(*tensors: Tensor) -> str:
    """SHA-256 (hex) of the tensors' types, shapes and bytes, in that order."""
    digest = sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest.hexdigest()


def combined_checksum(*parts: str) -> str:
    """SHA-256 (hex) of a sequence of texts, such as the names and checksums of files."""
    return sha256(json.dumps(parts).encode()).hexdigest()
