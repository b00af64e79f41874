"""Samples as pictures: pixels, labelled grids, files, and previews for a terminal."""

import math
from collections.abc import Sequence
from colorsys import hsv_to_rgb
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.runs.files import write_atomically

__all__ = ["GUTTER", "LONGEST_SIDE", "grid", "half_blocks", "save_gif", "save_png", "to_uint8"]

Rgb = tuple[int, int, int]

GUTTER = 2
"""Pixels between the samples of a grid, and around them."""
LONGEST_SIDE = 700
"""Small samples are enlarged as far as a grid's longer side stays below this, gutters apart."""

_PAPER: Rgb = (255, 255, 255)
_INK: Rgb = (70, 70, 70)
_FONT_SIZE = 12
_MARGIN = 4
_LONGEST_LABEL = 14  # characters
_DOT_SIDE = 64  # pixels of the picture of a single point
_DOT_RADIUS = 2


def to_uint8(samples: Tensor, data: DataSpec) -> Tensor:
    """A picture of each sample.

    Images are shown as they are; heat maps as grey levels, the smallest value of the data's range black; a
    vector as the squarest rectangle that its length allows; points as dots on a square of the data's range.

    Args:
        samples: (N, *shape), in the data's range; values outside are clipped.
        data: says how a sample is drawn.

    Returns:
        (N, H, W, 3), uint8, on the CPU.

    Raises:
        UsageError: these are not samples of that data, or they cannot be drawn so.
    """
    if tuple(samples.shape[1:]) != data.shape:
        raise UsageError(f"samples of {data.name} have shape {data.shape}, not {tuple(samples.shape[1:])}")
    values = samples.detach().float().cpu()
    if data.drawn_as == "points":
        pictures = [np.array(_scatter(sample[None], data, _DOT_SIDE)) for sample in values]
        return torch.from_numpy(np.stack(pictures))
    low, high = data.range
    levels = ((values - low) / (high - low)).clamp(0, 1).mul(255).round().to(torch.uint8)
    if not data.is_image:
        levels = levels.reshape(len(levels), 1, *_two_sides(data.shape))
    pixels = levels.permute(0, 2, 3, 1)
    return pixels.expand(*pixels.shape[:3], 3).contiguous()


def grid(
    samples: Tensor,
    data: DataSpec,
    columns: int | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Image.Image:
    """One picture of many samples, row after row, small ones enlarged by a whole factor.

    Points are not laid out: all are dots of one picture, in one colour for each labelled row.

    Args:
        samples: (N, *shape), N at least 1.
        data: says how a sample is drawn.
        columns: samples in a row; by default as many as make the grid square.
        row_labels: a text for each row, in the left margin.
        column_labels: a text for each column, above; left out where they are wider than the samples.

    Returns:
        An RGB picture.

    Raises:
        UsageError: these are not samples of that data, or they cannot be drawn so.
    """
    columns = columns or math.isqrt(len(samples) - 1) + 1
    if data.drawn_as == "points":
        return _scatter(samples.detach().float().cpu(), data, LONGEST_SIDE, columns, row_labels or ())
    tiles = to_uint8(samples, data)
    count, height, width = tiles.shape[:3]
    rows = math.ceil(count / columns)
    factor = max(1, LONGEST_SIDE // max(rows * height, columns * width))
    tiles = tiles.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)
    step = (width * factor + GUTTER, height * factor + GUTTER)
    canvas = torch.empty(rows * step[1] + GUTTER, columns * step[0] + GUTTER, 3, dtype=torch.uint8)
    canvas[:] = torch.tensor(_PAPER)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = row * step[1] + GUTTER, column * step[0] + GUTTER
        canvas[top : top + len(tile), left : left + tile.shape[1]] = tile
    return _labelled(Image.fromarray(canvas.numpy()), step, row_labels or (), column_labels or ())


def save_png(image: Image.Image, path: Path | str) -> None:
    """Write a picture as PNG: all of it or, if that fails, nothing.

    Args:
        image: the picture.
        path: where to; missing parent folders are made.

    Raises:
        RunError: the file could not be written; what stood there before still stands.
    """
    _save([image], path, "PNG")


def save_gif(frames: Sequence[Image.Image], path: Path | str, seconds: float = 0.15) -> None:
    """Write pictures as a GIF that plays for ever: all of it or, if that fails, nothing.

    Args:
        frames: the pictures, at least one, all of one size.
        path: where to; missing parent folders are made.
        seconds: how long each is shown.

    Raises:
        RunError: the file could not be written; what stood there before still stands.
    """
    # Grey frames keep all their levels; colours are reduced to the 256 of a GIF's palette.
    frames = [frame.convert("L") if _is_grey(frame) else frame for frame in frames]
    more = {"save_all": True, "append_images": frames[1:], "duration": round(1000 * seconds), "loop": 0}
    _save(frames, path, "GIF", **more)


def half_blocks(image: Image.Image, columns: int = 60) -> list[list[tuple[str, str, str]]]:
    """A picture for a terminal, two pixels a character: the upper half block over a background.

    Args:
        image: the picture.
        columns: characters in a line; no more than the picture has pixels.

    Returns:
        Lines of (character, colour, background colour), the colours as ``#rrggbb``.
    """
    columns = max(1, min(columns, image.width))
    lines = max(1, round(columns * image.height / image.width / 2))
    # Each pixel of the small picture is the mean of those it stands for, so that thin strokes survive.
    pixels = np.asarray(image.convert("RGB").resize((columns, 2 * lines), Image.Resampling.BOX))
    return [
        [
            ("▀", "#{:02x}{:02x}{:02x}".format(*upper), "#{:02x}{:02x}{:02x}".format(*lower))
            for upper, lower in zip(pixels[2 * line], pixels[2 * line + 1], strict=True)
        ]
        for line in range(lines)
    ]


def _save(frames: Sequence[Image.Image], path: Path | str, form: str, **more: Any) -> None:
    content = BytesIO()
    frames[0].save(content, form, **more)
    write_atomically(Path(path), content.getvalue())


def _is_grey(image: Image.Image) -> bool:
    pixels = np.asarray(image)
    return pixels.ndim == 2 or bool((pixels == pixels[..., :1]).all())


def _two_sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width for a sample of any rank."""
    if len(shape) > 1:
        return shape[0], math.prod(shape[1:])
    height = next(h for h in range(math.isqrt(shape[0]), 0, -1) if shape[0] % h == 0)
    return height, shape[0] // height


def _labelled(
    picture: Image.Image, step: tuple[int, int], row_labels: Sequence[str], column_labels: Sequence[str]
) -> Image.Image:
    """The picture of a grid with margins for its labels; ``step`` is from one sample to the next, (x, y)."""
    font = ImageFont.load_default(_FONT_SIZE)
    rows = [_shortened(label) for label in row_labels]
    columns = [_shortened(label) for label in column_labels]
    if any(font.getlength(label) > step[0] for label in columns):
        columns = []
    left = math.ceil(max(font.getlength(label) for label in rows)) + 2 * _MARGIN if rows else 0
    top = _FONT_SIZE + _MARGIN if columns else 0
    whole = Image.new("RGB", (left + picture.width, top + picture.height), _PAPER)
    whole.paste(picture, (left, top))
    draw = ImageDraw.Draw(whole)
    for index, label in enumerate(rows):
        middle = top + GUTTER / 2 + (index + 0.5) * step[1]
        draw.text((left - _MARGIN, middle), label, _INK, font, anchor="rm")
    for index, label in enumerate(columns):
        middle = left + GUTTER / 2 + (index + 0.5) * step[0]
        draw.text((middle, top), label, _INK, font, anchor="mb")
    return whole


def _scatter(
    samples: Tensor, data: DataSpec, side: int, columns: int = 1, row_labels: Sequence[str] = ()
) -> Image.Image:
    """Dots on a square that spans the data's range in both directions, the second coordinate upwards."""
    if data.shape[-1] != 2:
        raise UsageError(f"{data.name} cannot be drawn as points: its samples {data.shape} are not pairs")
    low, high = data.range
    colours = _colours(len(row_labels)) if row_labels else [_INK]
    picture = Image.new("RGB", (side, side), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, side - 1, side - 1), outline=(200, 200, 200))
    places = (samples - low) / (high - low) * (side - 1)
    for index, sample in enumerate(places):
        colour = colours[index // columns % len(colours)]
        for x, y in sample.reshape(-1, 2).tolist():
            draw.circle((x, side - 1 - y), _DOT_RADIUS, fill=colour)
    font = ImageFont.load_default(_FONT_SIZE)
    for index, label in enumerate(row_labels):
        place = (2 * _MARGIN, 2 * _MARGIN + index * (_FONT_SIZE + GUTTER))
        draw.text(place, _shortened(label), colours[index], font)
    return picture


def _colours(count: int) -> list[Rgb]:
    """Colours as different from each other as their number allows, dark enough for white paper."""
    rgb = [hsv_to_rgb(index / count, 0.85, 0.8) for index in range(count)]
    return [(round(255 * r), round(255 * g), round(255 * b)) for r, g, b in rgb]


def _shortened(label: str) -> str:
    """The label on one line, cut with an ellipsis where it would widen the margin too much."""
    label = " ".join(label.split())
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
