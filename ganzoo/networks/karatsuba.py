"""Nearest upsampling and a 3×3 convolution by Karatsuba's trick, as matrix products, for CPUs.

Along one side, let x be a line of the map and (a, b, c) the kernel. The doubled map gives two values for each x[i]:

    even: a x[i-1] + (b + c) x[i]        odd: (a + b) x[i] + c x[i+1]

For neighbours x0 and x1 these are products of a pair of pixels and two pairs of weights, (b + c, a) and (c, a + b).
Karatsuba & Ofman (1962) multiply two pairs by three products instead of four: first by first, second by second, and sum
by sum. Here both pairs of weights have one sum, so that five products do for eight:

    x0 by c and b + c        x1 by a + b and a        x0 + x1 by a + b + c

For a square of 2×2 pixels it is 25, where a convolution of the doubled map takes 144, and 64 when weights that meet
copies of one pixel are added first. In other words, two of Winograd's minimal filters F(2, 2) (Lavin & Gray 2016,
arXiv 1509.09308) with a part in common.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

__all__ = ["double_and_convolve", "pays"]

_LEAST_CHANNELS = 128
"""With fewer, the sums take more time than the products that they save."""
_SQUARES = 512
"""How many squares are computed together: so few that a CPU's cache holds what lies in between."""

_LINE = (
    torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
    torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    torch.tensor([[1.0, 1.0, 1.0]]),
)
"""What x0, x1 and their sum are multiplied by, as sums of (a, b, c)."""
_PARTS = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2), (2, 2)]
"""The nine parts of a square: x0, x1 or their sum down, and the same across. With four factors, two, and one."""
_FACTORS = torch.cat([torch.kron(_LINE[down], _LINE[across]) for down, across in _PARTS])
"""The 25 factors of all parts, as sums of a kernel's nine weights."""


def pays(maps: Tensor) -> bool:
    """Whether these maps (N, C, H, W) are many and even, on a CPU, and not in half precision."""
    in_full_precision = maps.dtype.itemsize >= 4 and not torch.is_autocast_enabled("cpu")
    even = maps.shape[2] % 2 == 0 and maps.shape[3] % 2 == 0
    return maps.device.type == "cpu" and in_full_precision and even and maps.shape[1] >= _LEAST_CHANNELS


def double_and_convolve(maps: Tensor, weight: Tensor) -> Tensor:
    """A map's every pixel doubled in both directions, then a 3×3 convolution with a border of one zero.

    Args:
        maps: (N, C, H, W), H and W even.
        weight: (O, C, 3, 3).

    Returns:
        (N, O, 2H, 2W), channels-last.
    """
    result: Tensor = _DoubleAndConvolve.apply(maps, weight)
    return result


class _DoubleAndConvolve(torch.autograd.Function):
    """The result and its derivatives by 25 products a square; second derivatives by way of the plain definition."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        pixels, factors = _channels_last(maps), _by_part(_factors(weight))
        count, height, width, _ = pixels.shape
        values = maps.new_empty(count, 2 * height, 2 * width, len(weight))
        for squares, block, results in _blocks(pixels, values):
            squares.split(block)
            for (parts, products), matrices in zip(squares.pairs, factors, strict=True):
                torch.bmm(parts, matrices.transpose(1, 2), out=products)
            squares.join(results)
        return values.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # what is computed here will be differentiated
            return _plain_gradients(maps, weight, gradient)
        pixels, factors = _channels_last(maps), _factors(weight)
        of_pixels, of_factors = torch.empty_like(pixels), torch.zeros_like(factors)
        for squares, block, of_results, of_block in _blocks(pixels, _channels_last(gradient), of_pixels):
            squares.join_adjoint(of_results)
            squares.split(block)
            for (parts, products), total in zip(squares.pairs, _by_part(of_factors), strict=True):
                torch.baddbmm(total, products.transpose(1, 2), parts, out=total)
            for (parts, products), matrices in zip(squares.pairs, _by_part(factors), strict=True):
                torch.bmm(products, matrices, out=parts)
            squares.split_adjoint(of_block)
        of_weight = (_FACTORS.to(weight).t() @ of_factors.flatten(1)).view(3, 3, *weight.shape[:2])
        return of_pixels.permute(0, 3, 1, 2), of_weight.permute(2, 3, 0, 1)


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


def _channels_last(maps: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), a copy if they do not lie so."""
    return maps.permute(0, 2, 3, 1).contiguous()


def _by_square(values: Tensor, side: int) -> Tensor:
    """(n, side·h, side·w, C) as (n, h, side, w, side, C)."""
    count, height, width, channels = values.shape
    return values.view(count, height // side, side, width // side, side, channels)


def _factors(weight: Tensor) -> Tensor:
    """Kernels (O, C, 3, 3) to all factors (25, O, C)."""
    return (_FACTORS.to(weight) @ weight.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)).view(25, *weight.shape[:2])


def _by_part(factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors (25, O, C) as those of the parts with four, two and one: (4, 4·O, C), (4, 2·O, C) and (1, O, C)."""
    (_, outputs, inputs), (four, two, one) = factors.shape, torch.split(factors, [16, 8, 1])
    return four.view(4, 4 * outputs, inputs), two.view(4, 2 * outputs, inputs), one


def _plain_gradients(maps: Tensor, weight: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
    """What ``backward`` computes, in operations that torch can differentiate."""
    wanted = [tensor for tensor in (maps, weight) if tensor.requires_grad]
    result = conv2d(interpolate(maps, scale_factor=2.0, mode="nearest"), weight, padding=1)
    found = iter(torch.autograd.grad(result, wanted, gradient, create_graph=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in (maps, weight))
