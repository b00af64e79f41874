"""Image files of any kind, turned into pixels of one shape; hostile and broken files are expected."""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from threading import Condition
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganzoo.core.reading import digest_file, open_file

__all__ = ["SUFFIXES", "Decoded", "Framing", "decode", "decode_all"]

SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))
"""Endings of the files that are taken for images, in lower case."""

# The decoders that are tried. Pillow knows more, and one of them (EPS) would run another program on the file.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

_AT_ONCE = 1024

MAX_FILE = 64 << 20
"""Bytes of an image file; sixteen million pixels in colour are 50 MB even without compression."""
MAX_PIXELS = 1 << 24
"""Pixels that are decoded, 4096×4096: up to 16 bytes of memory each. Pillow's own ``MAX_IMAGE_PIXELS`` counts too."""
MAX_JPEG_PIXELS = 1 << 26
"""Pixels of a JPEG, 8192×8192, of which cameras make larger ones than of other files; decoded at a smaller size."""
MAX_PROGRESSIVE_PIXELS = 1 << 25
"""Pixels of a progressive JPEG, all coefficients of which are kept until the last one is read: 6 bytes a pixel."""
_MEMORY = 240 << 20
"""Bytes that all threads together may take to decode."""


@dataclass(frozen=True)
class Framing:
    """What every image is made into.

    Attributes:
        size: height and width in pixels.
        channels: 1 for grey, 3 for colour.
        crop: ``"centre"`` cuts the largest square out of the middle, ``"none"`` squeezes the whole into one.
    """

    size: int
    channels: Literal[1, 3] = 3
    crop: Literal["centre", "none"] = "centre"

    @property
    def shape(self) -> tuple[int, int, int]:
        """C×H×W."""
        return self.channels, self.size, self.size


class Decoded(NamedTuple):
    """Many files, decoded.

    Attributes:
        pixels: (M, C, H, W) uint8, channels last in memory, zero where a file failed; None if not to be held.
        digests: SHA-256 (hex) of each file, empty where it failed.
        failures: why a file could not be decoded, by its index.
    """

    pixels: Tensor | None
    digests: list[str]
    failures: dict[int, str]


def decode(path: Path, framing: Framing) -> Tensor:
    """The first picture in a file, upright, on white where it is transparent, in the asked shape.

    Args:
        path: the file.
        framing: the shape and how to get there.

    Returns:
        (C, H, W) uint8, channels last in memory.

    Raises:
        ValueError: the file cannot be read as an image, or has more bytes or pixels than are decoded.
    """
    return torch.from_numpy(_pixels(path, framing)).permute(2, 0, 1)


def decode_all(paths: Sequence[Path], framing: Framing, *, hold: bool) -> Decoded:
    """Decodes files in several threads.

    Args:
        paths: the files.
        framing: the shape and how to get there.
        hold: keep the pixels; otherwise the files are only tried.

    Returns:
        Pixels, checksums and failures.
    """
    height, width, channels = framing.size, framing.size, framing.channels
    pixels = torch.zeros((len(paths) if hold else 0, height, width, channels), dtype=torch.uint8)
    into = pixels.numpy()
    failures: dict[int, str] = {}

    def one(index: int) -> str:
        try:
            picture = _pixels(paths[index], framing)
            digest = digest_file(paths[index], MAX_FILE)
        except (OSError, ValueError) as error:
            failures[index] = _reason(error)
            return ""
        if hold:
            into[index] = picture
        return digest

    digests: list[str] = []
    # Pillow lets go of the interpreter while it decodes and resizes. What it warns about either ends in an
    # error here or does not matter.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for first in range(0, len(paths), _AT_ONCE):
            digests += pool.map(one, range(first, min(first + _AT_ONCE, len(paths))))
    return Decoded(pixels.permute(0, 3, 1, 2) if hold else None, digests, dict(sorted(failures.items())))


def _pixels(path: Path, framing: Framing) -> NDArray[np.uint8]:
    """(H, W, C)."""
    try:
        with open_file(path, MAX_FILE) as file, Image.open(file, formats=_FORMATS) as image:
            is_jpeg, stored = image.format == "JPEG", image.width * image.height
            progressive = is_jpeg and "progressive" in image.info
            limit = (MAX_PROGRESSIVE_PIXELS if progressive else MAX_JPEG_PIXELS) if is_jpeg else MAX_PIXELS
            _refuse_more(image, min(limit, Image.MAX_IMAGE_PIXELS or limit))
            # A JPEG may be decoded at a half, a quarter or an eighth of its size, while that is still plenty.
            image.draft(None, (2 * framing.size, 2 * framing.size))
            _refuse_more(image, MAX_PIXELS)
            needed = 16 * image.width * image.height + (6 * stored if progressive else 0)
            with _BUDGET.taken(needed):
                picture = _plain(ImageOps.exif_transpose(image), "L" if framing.channels == 1 else "RGB")
    # On hostile bytes a decoder raises nearly anything: OSError, SyntaxError, IndexError, struct.error, …
    except Exception as error:
        raise ValueError(_reason(error)) from error
    size = (framing.size, framing.size)
    if framing.crop == "centre":
        picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    elif picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.array(picture).reshape(*size, framing.channels)


def _refuse_more(image: Image.Image, limit: int) -> None:
    if image.width * image.height > limit:
        raise ValueError(f"{image.width}×{image.height} pixels are more than the limit of {limit:,}")


class _Budget:
    """Lets threads go on while all that they need together is within a limit; one that needs more goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit, self._used, self._changed = limit, 0, Condition()

    @contextmanager
    def taken(self, needed: int) -> Iterator[None]:
        """Waits until there is room, and holds it."""
        needed = min(needed, self._limit)
        with self._changed:
            self._changed.wait_for(lambda: self._used + needed <= self._limit)
            self._used += needed
        try:
            yield
        finally:
            with self._changed:
                self._used -= needed
                self._changed.notify_all()


_BUDGET = _Budget(_MEMORY)


def _plain(image: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known white")
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion would clip at 255 instead of scaling.
        image = Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    return image.convert(mode)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be recognised"
    text = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return shorten(text, 120)
