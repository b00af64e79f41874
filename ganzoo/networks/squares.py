"""The products of ``ganzoo.networks.karatsuba`` in PyTorch's operations, for wherever there is no native code."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["differentiate", "evaluate"]

_SQUARES = 512
"""How many squares are computed together: so few that a CPU's cache holds what lies in between."""


def evaluate(pixels: Tensor, factors: Tensor) -> Tensor:
    """The doubled and convolved maps.

    Args:
        pixels: (N, H, W, C), H and W even.
        factors: (25, O, C).

    Returns:
        (N, 2H, 2W, O).
    """
    count, height, width, _ = pixels.shape
    values = pixels.new_empty(count, 2 * height, 2 * width, factors.shape[1])
    for squares, block, results in _blocks(pixels, values):
        squares.split(block)
        for (parts, products), matrices in zip(squares.pairs, _by_part(factors), strict=True):
            torch.bmm(parts, matrices.transpose(1, 2), out=products)
        squares.join(results)
    return values


def differentiate(pixels: Tensor, factors: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of pixels and factors, of the values' (N, 2H, 2W, O)."""
    of_pixels, of_factors = torch.empty_like(pixels), torch.zeros_like(factors)
    for squares, block, of_results, of_block in _blocks(pixels, gradient, of_pixels):
        squares.join_adjoint(of_results)
        squares.split(block)
        for (parts, products), total in zip(squares.pairs, _by_part(of_factors), strict=True):
            torch.baddbmm(total, products.transpose(1, 2), parts, out=total)
        for (parts, products), matrices in zip(squares.pairs, _by_part(factors), strict=True):
            torch.bmm(products, matrices, out=parts)
        squares.split_adjoint(of_block)
    return of_pixels, of_factors


class _Line(NamedTuple):
    """What is joined along one side: pairs of pixels, each with the products of x0, of x1 and of their sum.

    Attributes:
        first: (2, ...), x0 by c and by b + c.
        second: (2, ...), x1 by a + b and by a.
        both: (1, ...), x0 + x1 by a + b + c.
        values: (4, ...), even and odd ones of x0, then of x1.
        place: the dimension along which pairs are neighbours.
    """

    first: Tensor
    second: Tensor
    both: Tensor
    values: Tensor
    place: int

    def join(self) -> None:
        """From products to values."""
        middle = self.values[1:3]
        torch.add(self.first, self.second, out=middle)
        torch.sub(self.both, middle, out=middle)
        first, second, values = self._by_place()
        # The first value of a pair has a part of the pair before it, and the last one of the pair behind it.
        torch.add(first[1, 1:], second[1, :-1], out=values[0, 1:])
        values[0, 0] = first[1, 0]
        torch.add(second[0, :-1], first[0, 1:], out=values[3, :-1])
        values[3, -1] = second[0, -1]

    def join_adjoint(self) -> None:
        """From gradients of values to those of products."""
        first, second, values = self._by_place()
        torch.add(self.values[1], self.values[2], out=self.both[0])
        torch.sub(values[0], values[2], out=first[1])
        torch.sub(values[3], values[1], out=second[0])
        torch.sub(values[3, :-1], values[1, 1:], out=first[0, 1:])
        torch.neg(values[1, 0], out=first[0, 0])
        torch.sub(values[0, 1:], values[2, :-1], out=second[1, :-1])
        torch.neg(values[2, -1], out=second[1, -1])

    def _by_place(self) -> list[Tensor]:
        return [tensor.movedim(self.place, 1) for tensor in (self.first, self.second, self.values)]


class _Squares:
    """Squares of 2×2 pixels of some maps, from pixels to values of the result, or their gradients the other way.

    Args:
        pixels: maps (n, H, W, C), whose type of number and sizes it takes.
        outputs: O.
    """

    def __init__(self, pixels: Tensor, outputs: int) -> None:
        count, height, width, inputs = pixels.shape
        self.count, grid = count, (count, height // 2, width // 2)
        self.parts = pixels.new_empty(9, *grid, inputs)
        self.corners = self.parts[:4].view(2, 2, *grid, inputs)
        four = pixels.new_empty(2, 2, *grid, 2, 2, outputs)
        two = pixels.new_empty(4, *grid, 2, outputs)
        one = pixels.new_empty(1, *grid, outputs)
        parts = torch.split(self.parts.flatten(1, 3), [4, 4, 1])
        products = four.flatten(0, 1).flatten(1, 3).flatten(2), two.flatten(1, 3).flatten(2), one.flatten(1, 3)
        self.pairs = list(zip(parts, products, strict=True))
        """Parts with four factors each, with two and with one, (k, squares, C), and their products (k, squares, ·)."""

        of_pixels = pixels.new_empty(2, count, height // 2, 4, width // 2, 2, outputs)
        of_sums = pixels.new_empty(count, height // 2, 4, width // 2, outputs)
        self.down = [
            _Line(four[0].movedim(4, 0), four[1].movedim(4, 0), two[None, :2], of_pixels.movedim(3, 0), 3),
            _Line(two[2].movedim(3, 0), two[3].movedim(3, 0), one, of_sums.movedim(2, 0), 2),
        ]
        self.across = of_pixels[0].movedim(4, 0), of_pixels[1].movedim(4, 0), of_sums[None]

    def split(self, pixels: Tensor) -> None:
        """From pixels to parts."""
        parts, corners = self.parts, self.corners
        corners.copy_(_by_square(pixels, 2).permute(2, 4, 0, 1, 3, 5))
        torch.add(corners[0], corners[1], out=parts[4:6])
        torch.add(corners[:, 0], corners[:, 1], out=parts[6:8])
        torch.add(parts[4], parts[5], out=parts[8])

    def split_adjoint(self, of_pixels: Tensor) -> None:
        """From gradients of parts, which are lost, to those of pixels."""
        parts, corners = self.parts, self.corners
        parts[4:6] += parts[8]
        corners += parts[4:6]
        corners += parts[6:8, None]
        _by_square(of_pixels, 2).copy_(corners.permute(2, 3, 0, 4, 1, 5))

    def join(self, values: Tensor) -> None:
        """From products to values: down first, then across."""
        for line in (*self.down, _Line(*self.across, _by_square(values, 4).movedim(4, 0), 4)):
            line.join()

    def join_adjoint(self, of_values: Tensor) -> None:
        """From gradients of values to those of products."""
        for line in (_Line(*self.across, _by_square(of_values, 4).movedim(4, 0), 4), *self.down):
            line.join_adjoint()


def _blocks(pixels: Tensor, values: Tensor, *further: Tensor) -> Iterator[tuple[Any, ...]]:
    """Some maps at a time of each tensor, behind the memory in which they are computed."""
    size = max(1, _SQUARES // (pixels.shape[1] * pixels.shape[2] // 4))
    squares: _Squares | None = None
    for block, *others in zip(*(torch.split(tensor, size) for tensor in (pixels, values, *further)), strict=True):
        if squares is None or squares.count != len(block):
            squares = _Squares(block, values.shape[-1])
        yield squares, block, *others


def _by_square(values: Tensor, side: int) -> Tensor:
    """(n, side·h, side·w, C) as (n, h, side, w, side, C)."""
    count, height, width, channels = values.shape
    return values.view(count, height // side, side, width // side, side, channels)


def _by_part(factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors (25, O, C) as those of the parts with four, two and one: (4, 4·O, C), (4, 2·O, C) and (1, O, C)."""
    (_, outputs, inputs), (four, two, one) = factors.shape, torch.split(factors, [16, 8, 1])
    return four.view(4, 4 * outputs, inputs), two.view(4, 2 * outputs, inputs), one
