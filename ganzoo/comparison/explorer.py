"""The latent explorer: controls made from a latent space, and the pictures that they choose among."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ganzoo.comparison.figures import Picture, picture, tiles
from ganzoo.comparison.layout import MOST_DRAWS, SPRITES, Layout, lay_out
from ganzoo.sampling.sampler import Sampler

__all__ = ["Explorer", "explore", "render", "sprites_each"]

PAGE_SPRITES = 6_000
"""Of all explorers of a page together."""
BYTES = 3_600_000
"""Of all sprites of a page, as text in it; where they do not compress that well there are fewer."""
SHEET_PIXELS = 400_000


@dataclass(frozen=True)
class Explorer:
    """A layout and its pictures, as a page takes them.

    Attributes:
        layout: what the pictures are.
        data: for the script: plain data, with the sheets of sprites as ``data:`` addresses.
        still: a picture for readers without a script.
        size: width and height of a sprite in pixels.
    """

    layout: Layout
    data: dict[str, Any]
    still: Picture
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.layout)


def explore(sampler: Sampler, run: str, explorers: int = 1, draws: int = MOST_DRAWS, seed: int = 0) -> Explorer:
    """Lay an explorer out and generate its sprites, in no more than its share of a page.

    Args:
        sampler: of the trained generator.
        run: the run's name, for the command that draws the same sample.
        explorers: how many there are on the page.
        draws: of the noise, at most.
        seed: of the noise.
    """
    sprites = sprites_each(explorers)
    while True:
        layout = lay_out(sampler.latent, sampler.data, sprites, draws, seed, sampler.order)
        explorer = render(sampler, layout, run, seed)
        if len(explorer) <= 1 or sum(map(len, explorer.data["sheets"])) <= BYTES // explorers:
            return explorer
        sprites //= 2


def sprites_each(explorers: int) -> int:
    """How many sprites each of several explorers on a page may have."""
    return min(SPRITES, PAGE_SPRITES // explorers)


def render(sampler: Sampler, layout: Layout, run: str, seed: int = 0) -> Explorer:
    """Generate a layout's sprites; the arguments are those of ``explore``."""
    cells = tiles(sampler.generate(layout.latents()), sampler.data)
    _, height, width, _ = cells.shape
    columns = max(1, round(sqrt(SHEET_PIXELS) / width))
    in_sheet = columns * max(1, round(sqrt(SHEET_PIXELS) / height))
    data = {
        "run": run,
        "seed": seed,
        "width": width,
        "height": height,
        "columns": columns,
        "perSheet": in_sheet,
        "sheets": [_sheet(cells[start : start + in_sheet], columns).uri for start in range(0, len(cells), in_sheet)],
        "axes": [
            {
                "key": axis.key,
                "name": axis.name,
                "labels": axis.labels,
                "given": axis.given,
                "start": axis.start,
                "die": axis.kind == "die",
            }
            for axis in layout.axes
        ],
        "command": layout.command(),
    }
    return Explorer(layout, data, _still(cells, layout), (width, height))


def _sheet(cells: Tensor, columns: int) -> Picture:
    count, height, width, _ = cells.shape
    rows = ceil(count / columns)
    sheet = np.zeros((rows * height, min(columns, count) * width, 3), np.uint8)
    for index, cell in enumerate(cells.numpy()):
        row, column = divmod(index, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = cell
    return picture(Image.fromarray(sheet))


def _still(cells: Tensor, layout: Layout) -> Picture:
    """The positions of the first axis side by side, at most ten, everything else where it starts."""
    if not layout.axes:
        return picture(Image.fromarray(cells[0].numpy()), "one sample")
    first = layout.axes[0]
    stride = len(layout) // len(first)
    offset = layout.index({}) % stride
    shown = cells[offset::stride][:10]
    image = Image.fromarray(np.concatenate(list(shown.numpy()), axis=1))
    return picture(image, f"{len(shown)} values of {first.name}")
