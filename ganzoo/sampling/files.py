"""Many samples as files: a PNG each, or one NumPy archive, written while the next ones are being computed."""

import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from struct import pack
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.runs.files import saving
from ganzoo.sampling.pictures import to_uint8

__all__ = ["png", "write_archive", "write_pngs"]

Pixels = NDArray[np.uint8]

_AHEAD = 4
"""Batches that may wait to be written; with them memory is bounded, however slow the disk is."""
_THREADS = min(4, os.cpu_count() or 1)

_LEVEL = 1  # of 9: the others take several times as long and save a tenth
_BLOCK = 4000  # a file takes a block of 4 KiB of most disks: to make one of fewer bytes smaller saves nothing
_UP = 2  # the filter in which a row of pixels is the difference from the row above


def write_pngs(batches: Iterable[Tensor], data: DataSpec, folder: Path, first: int = 0) -> None:
    """Write each sample to a PNG of its own, ``00000.png`` and so on.

    Args:
        batches: (m, *shape) each, in the data's range.
        data: says how a sample is drawn.
        folder: where to; made if it is not there.
        first: index of the first sample.

    Raises:
        UsageError: these are not samples of that data, or they cannot be drawn so.
        RunError: a file could not be written; those before it have been.
    """
    with saving(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    waiting: deque[Future[None]] = deque()
    # zlib and the system's calls let go of the interpreter, so that threads write while this one computes.
    with ThreadPoolExecutor(_THREADS) as pool:
        for batch in batches:
            pixels = to_uint8(batch, data).numpy()
            waiting.append(pool.submit(_write_batch, pixels, folder, first))
            first += len(pixels)
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
        for written in waiting:
            written.result()


def write_archive(batches: Iterable[Tensor], data: DataSpec, path: Path, n: int) -> None:
    """Write samples to one file that ``numpy.load`` reads: all of it or, if that fails, nothing.

    It holds ``arr_0``, (n, H, W, 3) uint8: the pixels of the PNGs, in the form that evaluation suites take
    (Dhariwal & Nichol 2021, arXiv 2105.05233).

    Args:
        batches: (m, *shape) each, in the data's range, n samples in all.
        data: says how a sample is drawn.
        path: where to; missing parent folders are made.
        n: number of samples.

    Raises:
        UsageError: these are not samples of that data, or they cannot be drawn so.
        RunError: the file could not be written; what stood there before still stands.
    """
    with (
        _replacing(path) as temporary,
        ZipFile(temporary, "w", ZIP_STORED) as archive,
        archive.open("arr_0.npy", "w", force_zip64=True) as file,
    ):
        begun = False
        for batch in batches:
            pixels = to_uint8(batch, data).numpy()
            if not begun:
                header = {"descr": "|u1", "fortran_order": False, "shape": (n, *pixels.shape[1:])}
                np.lib.format.write_array_header_1_0(file, header)
                begun = True
            file.write(pixels.data)


def png(row: bytes, height: int, width: int) -> bytes:
    """A PNG file of 8-bit colour (PNG specification, third edition).

    Pillow takes ten times as long for a small picture, most of it to set up and to take down.

    Args:
        row: the rows of the picture, each a filter's number and the 3 * width bytes that it makes.
        height: number of rows.
        width: number of pixels in a row.
    """
    level = _LEVEL if len(row) > _BLOCK else 0
    header = _chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(row, level)) + _END


def _chunk(kind: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(content, zlib.crc32(kind)))


_END = _chunk(b"IEND", b"")


def _write_batch(pixels: Pixels, folder: Path, first: int) -> None:
    count, height, width, channels = pixels.shape
    rows = np.empty((count, height, 1 + width * channels), np.uint8)
    rows[:, :, 0] = _UP
    flat = pixels.reshape(count, height, width * channels)
    rows[:, :, 1:] = flat
    rows[:, 1:, 1:] -= flat[:, :-1]  # modulo 256, as the filter has it
    for index in range(count):
        _write(os.path.join(folder, f"{first + index:05d}.png"), png(rows[index].tobytes(), height, width))


def _write(path: str, content: bytes) -> None:
    """Write one of many files; unlike ``write_atomically``, without waiting for the disk after each."""
    with saving(path):
        try:
            with open(path, "wb") as file:
                file.write(content)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside this one, which takes its place if the block succeeds and is removed if not."""
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
    with saving(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
