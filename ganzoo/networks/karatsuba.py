"""Nearest upsampling and a 3×3 convolution by Karatsuba's trick, as matrix products, for processors.

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
from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

__all__ = ["double_and_convolve", "pays"]

_LEAST_CHANNELS = 128
"""With fewer, the sums take more time than the products that they save."""
_SQUARES = 1024
"""How many squares are computed together: so few that a processor's cache holds what lies in between."""

_FACTORS = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
"""What the five products of a line multiply by, as sums of (a, b, c)."""
_OF = (slice(0, 2), slice(2, 4), slice(4, 5))
"""Which of the five are products of x0, of x1 and of x0 + x1."""


def pays(maps: Tensor) -> bool:
    """Whether ``double_and_convolve`` is the right way for these maps: many, even, and not in half precision."""
    on_processor = maps.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    even = maps.shape[2] % 2 == 0 and maps.shape[3] % 2 == 0
    return on_processor and even and maps.dtype.itemsize >= 4 and maps.shape[1] >= _LEAST_CHANNELS


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
        pixels, factors = _lines(maps), _factors(weight)
        count, height, width, _ = pixels.shape
        values = maps.new_empty(count, 2 * height, 2 * width, len(weight))
        for squares, these, those in _blocks(pixels, values):
            squares.split(these)
            for step in squares.steps:
                torch.mm(step.parts, step.of(factors).t(), out=step.products)
            squares.join(those)
        return values.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # what is computed here will be differentiated
            return _plain_gradients(maps, weight, gradient)
        pixels, factors = _lines(maps), _factors(weight)
        of_pixels, of_factors = torch.empty_like(pixels), torch.zeros_like(factors)
        for squares, these, those, of_these in _blocks(pixels, _lines(gradient), of_pixels):
            squares.join_adjoint(those)
            squares.split(these)
            for step in squares.steps:
                total = step.of(of_factors)
                torch.addmm(total, step.products.t(), step.parts, out=total)
            for step in squares.steps:
                torch.addmm(step.parts, step.products, step.of(factors), beta=step.further, out=step.parts)
            squares.split_adjoint(of_these)
        return of_pixels.permute(0, 3, 1, 2), _factors_adjoint(of_factors)


class _Step(NamedTuple):
    """One product of matrices.

    Attributes:
        parts: (squares, C).
        products: (squares, factors·O).
        down: which factor, of the five down a column.
        across: which factors, of the five along a row.
        further: 0 for the first step with these parts, 1 for a further one.
    """

    parts: Tensor
    products: Tensor
    down: int
    across: slice
    further: int

    def of(self, factors: Tensor) -> Tensor:
        """Its own of all factors (5, 5, O, C), as a matrix (factors·O, C)."""
        return factors[self.down, self.across].flatten(0, 1)


class _Squares:
    """Squares of 2×2 pixels of some maps, from pixels to the values of the result, or gradients the other way.

    Args:
        pixels: maps (n, H, W, C), whose type of number and sizes it takes.
        outputs: O.
    """

    def __init__(self, pixels: Tensor, outputs: int) -> None:
        count, height, width, inputs = pixels.shape
        self.shape = count, height // 2, width // 2
        self.parts = pixels.new_empty(3, 3, *self.shape, inputs)
        self.products = pixels.new_empty(5, *self.shape, 5, outputs)
        self.lines = pixels.new_empty(count, height // 2, 4, width // 2, 5, outputs)
        parts, products = self.parts.view(3, 3, -1, inputs), self.products.view(5, -1, 5 * outputs)
        self.steps = [
            _Step(
                parts[row, column],
                products[down, :, across.start * outputs : across.stop * outputs],
                down,
                across,
                index,
            )
            for (row, downs), (column, across) in product(enumerate(_OF), repeat=2)
            for index, down in enumerate(range(downs.start, downs.stop))
        ]

    def split(self, pixels: Tensor) -> None:
        """From pixels to parts: x0, x1 and their sum, down and across."""
        parts = self.parts
        parts[:2, :2] = self._by_square(pixels, 2).permute(2, 4, 0, 1, 3, 5)
        torch.add(parts[0, :2], parts[1, :2], out=parts[2, :2])
        torch.add(parts[:, 0], parts[:, 1], out=parts[:, 2])

    def split_adjoint(self, of_pixels: Tensor) -> None:
        """From gradients of parts, which are lost, to those of pixels."""
        parts = self.parts
        parts[:, :2] += parts[:, 2:]
        parts[:2, :2] += parts[2:, :2]
        self._by_square(of_pixels, 2).copy_(parts[:2, :2].permute(2, 3, 0, 4, 1, 5))

    def join(self, values: Tensor) -> None:
        """From products to values."""
        for products, results, place in self._sides(values):
            _join(products, results, place)

    def join_adjoint(self, of_values: Tensor) -> None:
        """From gradients of values to those of products."""
        for products, results, place in reversed(self._sides(of_values)):
            _join_adjoint(products, results, place)

    def _sides(self, values: Tensor) -> list[tuple[Tensor, Tensor, int]]:
        """Down, then across: five products, four results, and the dimension along which squares are neighbours."""
        by_square = self._by_square(values, 4)
        return [
            (self.products, self.lines.movedim(2, 0), 2),
            (self.lines.movedim(4, 0), by_square.movedim(4, 0), 4),
        ]

    def _by_square(self, values: Tensor, side: int) -> Tensor:
        """(n, side·h, side·w, C) as (n, h, side, w, side, C)."""
        count, height, width = self.shape
        return values.view(count, height, side, width, side, -1)


def _join(products: Tensor, values: Tensor, place: int) -> None:
    """From the five products of each pair of pixels to its four values, along one side.

    Args:
        products: (5, ...), by c, b + c; a + b, a; and their sum.
        values: (4, ...), even, odd, even, odd; written.
        place: the dimension along which pairs are neighbours.
    """
    middle = values[1:3]
    torch.add(products[0:2], products[2:4], out=middle)
    torch.sub(products[4:], middle, out=middle)
    products, values = products.movedim(place, 1), values.movedim(place, 1)
    # The first value of a pair has a part of the pair before it, and the last one of the pair behind it.
    torch.add(products[1, 1:], products[3, :-1], out=values[0, 1:])
    values[0, 0] = products[1, 0]
    torch.add(products[2, :-1], products[0, 1:], out=values[3, :-1])
    values[3, -1] = products[2, -1]


def _join_adjoint(products: Tensor, values: Tensor, place: int) -> None:
    """From gradients of values to those of products, which are written."""
    torch.add(values[1], values[2], out=products[4])
    products, values = products.movedim(place, 1), values.movedim(place, 1)
    torch.sub(values[0], values[2], out=products[1])
    torch.sub(values[3], values[1], out=products[2])
    torch.sub(values[3, :-1], values[1, 1:], out=products[0, 1:])
    torch.neg(values[1, 0], out=products[0, 0])
    torch.sub(values[0, 1:], values[2, :-1], out=products[3, :-1])
    torch.neg(values[2, -1], out=products[3, -1])


def _blocks(pixels: Tensor, values: Tensor, *further: Tensor) -> Iterator[tuple[Any, ...]]:
    """Some maps at a time of each tensor, behind the memory in which they are computed."""
    size = max(1, _SQUARES // (pixels.shape[1] * pixels.shape[2] // 4))
    squares: _Squares | None = None
    for these, *others in zip(*(torch.split(tensor, size) for tensor in (pixels, values, *further)), strict=True):
        if squares is None or squares.shape[0] != len(these):
            squares = _Squares(these, values.shape[-1])
        yield squares, these, *others


def _lines(maps: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), a copy if they do not lie so."""
    return maps.permute(0, 2, 3, 1).contiguous()


def _factors(weight: Tensor) -> Tensor:
    """Kernels (O, C, 3, 3) to the factors (5, 5, O, C) of the products."""
    sums = torch.kron(_FACTORS, _FACTORS).to(weight)
    return (sums @ weight.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)).view(5, 5, *weight.shape[:2])


def _factors_adjoint(of_factors: Tensor) -> Tensor:
    """Gradients of factors to those of kernels."""
    sums = torch.kron(_FACTORS, _FACTORS).to(of_factors)
    return (sums.t() @ of_factors.view(25, -1)).view(3, 3, *of_factors.shape[2:]).permute(2, 3, 0, 1)


def _plain_gradients(maps: Tensor, weight: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
    """What ``backward`` computes, in operations that torch can differentiate."""
    wanted = [tensor for tensor in (maps, weight) if tensor.requires_grad]
    result = conv2d(interpolate(maps, scale_factor=2.0, mode="nearest"), weight, padding=1)
    found = iter(torch.autograd.grad(result, wanted, gradient, create_graph=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in (maps, weight))
