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

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from ganzoo.networks import native, native_squares, squares

__all__ = [
    "channels_last",
    "differentiable_gradients",
    "double_and_convolve",
    "factors_of",
    "kernels_of",
    "pays",
    "plain",
]

_LEAST_CHANNELS = 128
"""With fewer, the sums take more time than the products that they save."""

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


def pays(maps: Tensor, weight: Tensor) -> bool:
    """Whether this is the fastest way for these maps (N, C, H, W): on a CPU, with even sides and many channels.

    Among networks that compute in bf16 it stays in float32, if there is native code: with 25 products for 64 that is
    ahead of vector instructions for bf16, which do twice as many at once, but not of AMX.
    """
    even = maps.shape[2] % 2 == 0 and maps.shape[3] % 2 == 0
    if maps.device.type != "cpu" or not even or maps.shape[1] < _LEAST_CHANNELS:
        return False
    if torch.is_autocast_enabled("cpu"):
        in_bf16 = torch.get_autocast_dtype("cpu") == torch.bfloat16
        known = maps.dtype in (torch.float32, torch.bfloat16)
        return in_bf16 and known and native_squares.takes(weight) and not native.has_amx()
    return maps.dtype == weight.dtype and maps.dtype.itemsize >= 4


def double_and_convolve(maps: Tensor, weight: Tensor) -> Tensor:
    """A map's every pixel doubled in both directions, then a 3×3 convolution with a border of one zero.

    Args:
        maps: (N, C, H, W), H and W even.
        weight: (O, C, 3, 3).

    Returns:
        (N, O, 2H, 2W), channels-last.
    """
    result: Tensor = _DoubleAndConvolve.apply(maps.to(weight.dtype), weight)
    return result


def plain(maps: Tensor, weight: Tensor) -> Tensor:
    """The definition of ``double_and_convolve``."""
    return conv2d(interpolate(maps, scale_factor=2.0, mode="nearest"), weight, padding=1)


class _DoubleAndConvolve(torch.autograd.Function):
    """The result and its derivatives by 25 products a square; second derivatives by way of the plain definition."""

    @staticmethod
    @native.in_full_precision
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        pixels, factors = channels_last(maps), factors_of(weight)
        ctx.save_for_backward(maps, weight, factors)
        values: Tensor = _way(weight).evaluate(pixels, factors)
        return values.permute(0, 3, 1, 2)

    @staticmethod
    @native.in_full_precision
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight, factors = ctx.saved_tensors
        if torch.is_grad_enabled():  # what is computed here will be differentiated
            return differentiable_gradients(plain(maps, weight), (maps, weight), gradient)
        pixels = channels_last(maps)
        of_pixels, of_factors = _way(weight).differentiate(pixels, factors, channels_last(gradient))
        return of_pixels.permute(0, 3, 1, 2), kernels_of(of_factors)


def _way(weight: Tensor) -> ModuleType:
    return native_squares if native_squares.takes(weight) else squares


def channels_last(maps: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), a copy if they do not lie so."""
    return maps.permute(0, 2, 3, 1).contiguous()


def factors_of(kernels: Tensor) -> Tensor:
    """Kernels (O, C, 3, 3) to all factors (25, O, C)."""
    weights = kernels.permute(2, 3, 0, 1).flatten(2).flatten(0, 1)
    return (_FACTORS.to(kernels) @ weights).view(25, *kernels.shape[:2])


def kernels_of(factors: Tensor) -> Tensor:
    """Gradients of all factors to those of kernels: the adjoint of ``factors_of``."""
    return (_FACTORS.to(factors).t() @ factors.flatten(1)).view(3, 3, *factors.shape[1:]).permute(2, 3, 0, 1)


def differentiable_gradients(result: Tensor, tensors: Sequence[Tensor], gradient: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients of those tensors that need one, in operations that torch can differentiate."""
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    found = iter(torch.autograd.grad(result, wanted, gradient, create_graph=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in tensors)
