"""A split that stays in image files: decoded when asked for, one by one or all at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ganzoo.core.data import Split
from ganzoo.core.errors import RunError
from ganzoo.data.decoding import Framing, decode, decode_all

__all__ = ["FileSplit"]


class FileSplit(Split):
    """Image files as a split.

    Args:
        folder: where the files are.
        names: their paths in the folder, in order.
        framing: what each is made into.
        labels: per label name (M,) class indices, int64, −1 where unknown.
        checksum: SHA-256 (hex) that identifies the content.
        memory: decoded and held as one tensor if that takes at most this many bytes.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        framing: Framing,
        labels: Mapping[str, Tensor],
        checksum: str,
        memory: int,
    ) -> None:
        self._folder = folder
        self._names = names
        self._framing = framing
        channels, height, width = framing.shape
        # If so, no other process could hand them over faster, and each would have to decode them all.
        self.computed = len(names) * channels * height * width <= memory
        self._held: Tensor | None = None
        self.labels = labels
        self.checksum = checksum

    def __len__(self) -> int:
        """Number of files M."""
        return len(self._names)

    def __getitem__(self, index: int) -> Tensor:
        """Image ``index``, (C, H, W) uint8.

        Raises:
            RunError: the file cannot be read.
        """
        if self._held is not None:
            return self._held[index]
        try:
            return decode(self._folder / self._names[index], self._framing)
        except ValueError as error:
            raise self._unreadable(index, str(error)) from error

    def rows(self, indices: Tensor) -> Tensor:
        """Images (N, C, H, W) uint8, of indices (N,); the first call decodes all if they may be held.

        Raises:
            RunError: a file cannot be read.
        """
        held = self.tensor()
        return held[indices] if held is not None else super().rows(indices)

    def tensor(self) -> Tensor | None:
        """All images, (M, C, H, W) uint8, or None if they would take more than the memory that is allowed.

        Raises:
            RunError: a file cannot be read.
        """
        if self._held is None and self.computed:
            paths = [self._folder / name for name in self._names]
            decoded = decode_all(paths, self._framing, hold=True)
            for index, reason in decoded.failures.items():
                raise self._unreadable(index, reason)
            self._held = decoded.pixels
        return self._held

    def _unreadable(self, index: int, reason: str) -> RunError:
        return RunError(f"the image {self._names[index]!r} in {self._folder} cannot be read: {reason}")
