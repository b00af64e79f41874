"""Pictures for a page: samples as small images inside the page itself, to be enlarged by the browser."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.sampling.pictures import to_uint8
from ganzoo.sampling.sampler import Sampler
from ganzoo.sampling.traversal import row_classes

__all__ = ["Figure", "Picture", "Strip", "picture", "samples_figure", "tiles", "traversal_figures"]

LARGEST_SIDE = 64
"""Pixels; samples with a longer side are shrunk to it, or a page of them could not be mailed."""
GUTTER = 2
COLUMNS = 10
WAYS = 6
MOST_ROWS = 20
"""Classes that a figure shows."""
_QUALITY = 90


@dataclass(frozen=True)
class Picture:
    """An image inside the page.

    Attributes:
        uri: all of it, as a ``data:`` address.
        width: in pixels, as it is stored.
        height: in pixels.
        alt: what it shows, in words.
    """

    uri: str
    width: int
    height: int
    alt: str = ""


@dataclass(frozen=True)
class Strip:
    """A row of a figure.

    Attributes:
        label: what its samples have in common; may be empty.
        picture: the samples side by side.
    """

    label: str
    picture: Picture


@dataclass(frozen=True)
class Figure:
    """Rows of samples under a caption.

    Attributes:
        title: what is shown.
        strips: the rows.
        caption: what to look at, in a sentence.
        ends: what the columns begin and end with, where that means something.
    """

    title: str
    strips: tuple[Strip, ...]
    caption: str = ""
    ends: tuple[str, str] | None = None

    @property
    def labelled(self) -> bool:
        """Whether the rows have labels."""
        return any(strip.label for strip in self.strips)


def picture(image: Image.Image, alt: str = "") -> Picture:
    """An image as a page holds it: grey ones as PNG, exactly; coloured ones as WebP, nearly so."""
    content = BytesIO()
    pixels = np.asarray(image)
    colours = pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] >= 3 else pixels[..., :1]
    if bool((colours == colours[..., :1]).all()):
        image.convert("LA" if "A" in image.mode else "L").save(content, "PNG", optimize=True)
        kind = "png"
    else:
        image.save(content, "WEBP", quality=_QUALITY)
        kind = "webp"
    uri = f"data:image/{kind};base64,{b64encode(content.getvalue()).decode()}"
    return Picture(uri, image.width, image.height, alt)


def tiles(samples: Tensor, data: DataSpec) -> Tensor:
    """A small picture of each sample.

    Args:
        samples: (N, *shape), in the data's range.
        data: says how a sample is drawn.

    Returns:
        (N, H, W, 3), uint8, no side longer than ``LARGEST_SIDE`` where that leaves every side a pixel.

    Raises:
        UsageError: such samples cannot be drawn.
    """
    pixels = to_uint8(samples, data)
    longest = max(pixels.shape[1:3])
    if longest <= LARGEST_SIDE:
        return pixels
    size = [max(1, round(side * LARGEST_SIDE / longest)) for side in pixels.shape[1:3]]
    small = torch.nn.functional.interpolate(pixels.permute(0, 3, 1, 2).float(), size, mode="area")
    return small.round().to(torch.uint8).permute(0, 2, 3, 1)


def samples_figure(sampler: Sampler, seed: int = 0, title: str = "") -> Figure:
    """Samples of a seed: a row for each class where there are classes, otherwise ten rows.

    Whatever the model, sample k has the noise of row k of the seed, so figures of several models with the
    same noise variables show the same noise in the same place.

    Args:
        sampler: of the trained generator.
        seed: names the samples.
        title: of the figure.
    """
    found = row_classes(sampler.latent, {}, sampler.order)
    if sampler.data.drawn_as == "points":
        sheet = picture(sampler.sheet(seed=seed), "samples as dots")
        return Figure(title, (Strip("", sheet),))
    if found is None:
        samples = sampler.sample(COLUMNS * COLUMNS, seed)
        return Figure(title, _strips(samples, sampler.data, [""] * COLUMNS, "samples"))
    name, labels = found
    shown = dict(list(labels.items())[:MOST_ROWS])
    classes = [index for index in shown for _ in range(COLUMNS)]
    samples = sampler.sample(len(classes), seed, given={name: classes})
    caption = f"Each row is one value of {name}; the noise differs everywhere."
    if len(labels) > len(shown):
        caption = f"{caption} The first {len(shown)} are shown."
    return Figure(title, _strips(samples, sampler.data, tuple(shown.values()), name), caption)


def traversal_figures(sampler: Sampler, seed: int = 0) -> list[Figure]:
    """What each code does: its components moved one at a time, and where there are none ways between samples.

    The classes of the first code or condition are left out: they are the rows of ``samples_figure``.
    """
    if sampler.data.drawn_as == "points":
        return []
    rows = row_classes(sampler.latent, {})
    names = [name for name in sampler.latent.codes if rows is None or name != rows[0]]
    if not names:
        return [_ways(sampler, seed)]
    figures = []
    for name in names:
        for found in sampler.traverse(name, rows=WAYS, steps=COLUMNS, seed=seed):
            count = min(len(found.samples), MOST_ROWS)
            labels = found.row_labels or [""] * count
            of = f"{name} {found.component}" if sampler.latent[name].size > 1 and found.column_labels else name
            samples = found.samples[:count].flatten(0, 1)
            strips = _strips(samples, found.data, labels[:count], of, found.samples.shape[1])
            steps = found.column_labels
            figures.append(Figure(of, strips, ends=(steps[0], steps[-1]) if steps else None))
    return figures


def _ways(sampler: Sampler, seed: int) -> Figure:
    samples = sampler.interpolate(COLUMNS, WAYS, seed).flatten(0, 1)
    strips = _strips(samples, sampler.data, [""] * WAYS, "ways from one sample to another")
    return Figure("Between samples", strips, "Each row turns the noise of one sample into that of another.")


def _strips(
    samples: Tensor, data: DataSpec, labels: Sequence[str], of: str, columns: int = COLUMNS
) -> tuple[Strip, ...]:
    """Rows of ``columns`` samples, with transparent gutters, so that the page's own colour is between them."""
    cells = tiles(samples, data)
    _, height, width, _ = cells.shape
    made = []
    for row, label in enumerate(labels):
        strip = np.zeros((height, columns * (width + GUTTER) - GUTTER, 4), np.uint8)
        for column, cell in enumerate(cells[row * columns : (row + 1) * columns].numpy()):
            left = column * (width + GUTTER)
            strip[:, left : left + width, :3] = cell
            strip[:, left : left + width, 3] = 255
        alt = f"{columns} samples, {of} {label}" if label else f"{columns} {of}"
        made.append(Strip(label, picture(Image.fromarray(strip), alt)))
    return tuple(made)
