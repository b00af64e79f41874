"""Sprites: a shape of known size, rotation and position, drawn when it is asked for."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.data.factors import FactorGrid
from ganzoo.data.splits import combined_checksum, tensor_checksum

__all__ = ["Sprites"]

_SIDE = 64
_PLACES = 32
"""Pixels along each axis on which a sprite can be centred."""
_REACH = 16
"""Pixels from the centre of a sprite to the edge of what it can cover."""
_RADIUS = 15.5
"""Pixels from the centre of the largest sprite to its farthest point; half a pixel more is its soft edge."""
_SCALES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_TURN = 40
_LEAD = (_PLACES - 1) * (_SIDE + 1)
"""Pixels, row after row, between the first place of a sprite and the last."""


class Sprites(FactorGrid):
    """A square, an ellipse or a heart of 6 sizes, 40 rotations and 32×32 positions, 64×64 grey.

    The factors and their numbers are those of dSprites (Matthey et al. 2017), the pictures our own: white on
    black with edges one pixel soft, computed from the factors. All 40 rotations differ by 9°, so a square looks
    the same after 10 of them and an ellipse after 20; no picture of the test part is in the training part.
    """

    name: ClassVar[str] = "sprites"
    summary: ClassVar[str] = "shapes with known factors, 64×64 grey (computed)"
    offline: ClassVar[bool] = True
    classes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "shape": ("square", "ellipse", "heart"),
        "scale": tuple(f"{scale:g}" for scale in _SCALES),
        "rotation": tuple(f"{step * 360 // _TURN}°" for step in range(_TURN)),
        "x": tuple(map(str, range(_REACH, _REACH + _PLACES))),
        "y": tuple(map(str, range(_REACH, _REACH + _PLACES))),
    }
    turning: ClassVar[str] = "rotation"
    turn: ClassVar[int] = _TURN

    def render(self, combinations: Tensor) -> Tensor:
        """Pictures (N, 1, 64, 64) uint8 of places (N,) int64 in the grid."""
        sprite, place = combinations // _PLACES**2, combinations % _PLACES**2
        x, y = place // _PLACES, place % _PLACES
        first = _LEAD + sprite * _SIDE**2 - (y * _SIDE + x)
        return torch.from_numpy(_windows()[first.numpy()]).view(-1, 1, _SIDE, _SIDE)

    def content(self) -> str:
        """SHA-256 (hex) of the factors' values and a hundred pictures or so."""
        values = [f"{name}: {', '.join(names)}" for name, names in self.classes.items()]
        return combined_checksum(self.name, *values, tensor_checksum(self.render(torch.arange(0, 737_280, 7001))))


@lru_cache(maxsize=1)
def _windows() -> NDArray[np.uint8]:
    """Every run of 64×64 pixels in a strip of all sprites, (M, 4096); a view, no larger than the strip.

    The strip holds a picture of each shape, scale and rotation with the sprite in its first corner, one after
    another. To move a sprite by x columns and y rows is to start reading 64·y + x pixels earlier: the sprite
    never reaches an edge that it would wrap around, and what lies between two sprites is black.
    """
    extent = 2 * _REACH + 1
    pictures = torch.zeros(len(_SHAPES), len(_SCALES), _TURN, _SIDE, _SIDE, dtype=torch.uint8)
    for shape, distance in enumerate(_SHAPES):
        for size, scale in enumerate(_SCALES):
            pictures[shape, size, :, :extent, :extent] = _sprite(distance, _RADIUS * scale)
    strip = torch.cat([torch.zeros(_LEAD, dtype=torch.uint8), pictures.flatten()])
    return np.lib.stride_tricks.sliding_window_view(strip.numpy(), _SIDE**2)


def _sprite(distance: Callable[[Tensor, Tensor], Tensor], radius: float) -> Tensor:
    """One shape in all its rotations, counterclockwise: (40, 33, 33) uint8."""
    # Float64, so that no machine rounds a pixel to another byte.
    across = torch.arange(-_REACH, _REACH + 1, dtype=torch.float64) / radius
    angle = torch.arange(_TURN, dtype=torch.float64).view(-1, 1, 1) * (2 * math.pi / _TURN)
    x, up = across.view(1, 1, -1), -across.view(1, -1, 1)
    turned = distance(x * angle.cos() + up * angle.sin(), up * angle.cos() - x * angle.sin())
    return (0.5 - turned * radius).clamp_(0, 1).mul_(255).round_().to(torch.uint8)


# Signed distances from the edge, negative inside, near the edge at least. Every shape is centred on its centroid,
# and its farthest point is at distance 1.


def _square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - math.sqrt(0.5)


def _ellipse(x: Tensor, y: Tensor) -> Tensor:
    # Half as high as wide. Of first order: the implicit function over the length of its gradient.
    value = x.square() + 4 * y.square() - 1
    slope = 2 * (x.square() + 16 * y.square()).sqrt()
    return value / slope.clamp_min_(1e-9)


def _heart(x: Tensor, y: Tensor) -> Tensor:
    # A square on its corner, with half a disc on each of its two upper sides.
    lift = (math.pi / 4) * (1 / math.sqrt(8) + math.sqrt(2) / (3 * math.pi)) / (1 + math.pi / 4)
    side = 1 / (math.sqrt(0.5) + lift)
    x, y = x.abs(), y + lift * side
    square = (x + y.abs() - side * math.sqrt(0.5)) * math.sqrt(0.5)
    disc = ((x - side / math.sqrt(8)).square() + (y - side / math.sqrt(8)).square()).sqrt() - side / 2
    return torch.minimum(square, disc)


_SHAPES = (_square, _ellipse, _heart)
