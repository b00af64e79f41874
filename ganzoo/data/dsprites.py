"""dSprites, read from the file that its authors published, where the user has it."""

import os
import struct
import warnings
from collections.abc import Mapping
from math import prod
from pathlib import Path
from textwrap import shorten
from typing import IO, Any, BinaryIO, ClassVar, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ganzoo.core.data import Dataset
from ganzoo.core.errors import RunError
from ganzoo.core.reading import open_file
from ganzoo.data.downloads import default_root
from ganzoo.data.factors import FactorGrid
from ganzoo.data.splits import tensor_checksum

__all__ = ["DSprites"]

_FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
_HOME = "https://github.com/google-deepmind/dsprites-dataset"
_SIDE = 64
_AT_ONCE = 4096
"""Pictures that are unpacked at once; all of them would take 3 GB."""
_MAX_FILE = 64 << 20
"""Bytes of the file, of which the published one has 27 million."""
_MAX_DIRECTORY = 1 << 16
"""Bytes of the archive's list of members, of which there are five: a million of them would take a gigabyte."""
_ENDING = struct.Struct("<4s4H2LH")
"""The end of an archive: signature, numbers of disks and members, size and place of the list, length of a comment."""


class _Content(NamedTuple):
    packed: Tensor
    """(M, 512) uint8, a bit a pixel."""
    checksum: str


class DSprites(FactorGrid):
    """Squares, ellipses and hearts of 6 sizes, 40 orientations and 32×32 positions (Matthey et al. 2017).

    64×64, black and white. The file's colour, which is always white, is no factor here. The first orientation
    and the last are the same picture, and always in the same part.
    """

    name: ClassVar[str] = "dsprites"
    summary: ClassVar[str] = "the dSprites file, 64×64 black and white, if you have it"
    classes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "shape": ("square", "ellipse", "heart"),
        "scale": ("0.5", "0.6", "0.7", "0.8", "0.9", "1"),
        "orientation": tuple(f"{step * 360 / 39:.1f}°" for step in range(40)),
        "x": tuple(f"{step / 31:.3f}" for step in range(32)),
        "y": tuple(f"{step / 31:.3f}" for step in range(32)),
    }
    turning: ClassVar[str] = "orientation"
    turn: ClassVar[int] = 39

    class Options(Dataset.Options):
        """Where the file is."""

        file: str | None = Field(None, min_length=1, description="path of the .npz file (default: in the root)")
        root: str | None = Field(
            None, min_length=1, description="folder of downloads (default: $GANZOO_DATA, or ~/.cache/ganzoo)"
        )

    options: Options

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self._read: _Content | None = None

    @property
    def file(self) -> Path:
        """Where the file should be."""
        if self.options.file:
            return Path(self.options.file).expanduser()
        root = Path(self.options.root).expanduser() if self.options.root else default_root()
        return root / _FILE

    def render(self, combinations: Tensor) -> Tensor:
        """Pictures (N, 1, 64, 64) uint8, 0 or 255, of places (N,) int64 in the grid; read once, some seconds.

        Raises:
            RunError: the file is not there, or is not what was published.
        """
        packed = self._content().packed[combinations]
        pixels = np.unpackbits(packed.numpy(), axis=1)
        return torch.from_numpy(pixels).mul_(255).view(-1, 1, _SIDE, _SIDE)

    def content(self) -> str:
        """SHA-256 (hex) of the pictures.

        Raises:
            RunError: the file is not there, or is not what was published.
        """
        return self._content().checksum

    def _content(self) -> _Content:
        if self._read is None:
            if not self.file.is_file():
                raise RunError(
                    f"the data set dsprites is not at {self.file}; get {_FILE} from {_HOME} and put it there, or "
                    "say where it is (-d file=PATH); sprites is like it and needs no file"
                )
            try:
                packed = self._packed()
            except Exception as error:  # on hostile bytes, zipfile and NumPy raise nearly anything
                raise RunError(
                    f"{self.file} is not the dSprites file ({_reason(error)}); get {_FILE} from {_HOME}"
                ) from error
            self._read = _Content(packed, tensor_checksum(packed))
        return self._read

    def _packed(self) -> Tensor:
        sizes = tuple(self.factors.values())
        grid = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
        # The two arrays alone: the metadata are a pickle, which could run anything.
        with open_file(self.file, _MAX_FILE) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of headers that Python 2 wrote
            _check_ending(file)
            archive = ZipFile(file)
            with _member(archive, "latents_classes.npy") as member:
                classes = _whole(member, (len(grid), 1 + grid.shape[1]))
            if not np.array_equal(classes[:, 1:], grid):
                raise ValueError("its latents_classes are not the grid of factors")
            with _member(archive, "imgs.npy") as images:
                return torch.from_numpy(_pack(images, len(grid)))


def _check_ending(file: BinaryIO) -> None:
    """Refuses an archive whose list of members is large, which Python would read whole."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _ENDING.size - 20))
    content = file.read()
    if len(content) < _ENDING.size:
        raise BadZipFile("File is not a zip file")
    signature, _, _, _, _, size, _, _ = _ENDING.unpack(content[-_ENDING.size :])
    if signature != b"PK\5\6":
        raise BadZipFile("File is not a zip file")
    if size > _MAX_DIRECTORY or content.startswith(b"PK\6\7"):
        raise BadZipFile("its list of members is too long")
    file.seek(0)


def _member(archive: ZipFile, name: str) -> IO[bytes]:
    """A member of the archive; of compressions only the one that it was published with, others may take gigabytes."""
    if archive.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"its {name} is compressed in another way")
    return archive.open(name)


def _whole(member: IO[bytes], expected: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """An .npy file of whole numbers, whose shape is known before any memory is taken for it."""
    shape, in_columns, dtype = _header(member)
    if tuple(shape) != expected or dtype.kind not in "iu":
        raise ValueError("its latents_classes are not the grid of factors")
    size = prod(expected) * dtype.itemsize
    content = member.read(size)
    if len(content) != size:
        raise ValueError("its latents_classes end too early")
    array = np.frombuffer(content, dtype).reshape(expected, order="F" if in_columns else "C")
    return array.astype(np.int64)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, "np.dtype[np.generic]"]:
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"it is of version {version}")
    return np.lib.format.read_array_header_1_0(member)


def _reason(error: Exception) -> str:
    return shorten(str(error) or type(error).__name__, 200)


def _pack(images: IO[bytes], count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Pictures of zeros and ones, as an .npy file holds them, with a bit a pixel: (M, 512)."""
    shape, in_columns, dtype = _header(images)
    if (tuple(shape), in_columns, dtype) != ((count, _SIDE, _SIDE), False, np.dtype(np.uint8)):
        raise ValueError(f"its imgs are {dtype} of shape {shape}")
    packed = np.empty((count, _SIDE**2 // 8), np.uint8)
    for first in range(0, count, _AT_ONCE):
        rows = packed[first : first + _AT_ONCE]
        content = images.read(len(rows) * _SIDE**2)
        if len(content) != len(rows) * _SIDE**2:
            raise ValueError("its imgs end too early")
        rows[:] = np.packbits(np.frombuffer(content, np.uint8).reshape(len(rows), -1), axis=1)
    return packed
