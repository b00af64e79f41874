"""The products of ``ganzoo.networks.karatsuba`` in native code: ``squares.c``, in which each thread has its own block.

What PyTorch does with a block in some forty operations is done here without leaving the processor's cache. They are
operations of PyTorch's too, ``torch.ops.ganzoo``, so that profilers and counters see them.
"""

import ctypes
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.networks import squares
from ganzoo.networks.native import Absent, call, compiled, operation

__all__ = ["absence", "differentiate", "evaluate", "takes"]

_SQUARES = 64
"""How many squares a thread computes together: what lies in between is to fit into its part of the cache."""
_MOST_BYTES = 2**28
"""Of memory for all threads: each adds up the factors' gradients for itself."""


class _Sizes(ctypes.Structure):
    """``sizes`` of ``squares.c``."""

    _fields_ = [(name, ctypes.c_int64) for name in ("maps", "rows", "columns", "inputs", "outputs", "together")]


def takes(pixels: Tensor, factors: Tensor) -> bool:
    """Whether there is native code for these pixels (N, H, W, C) and factors (25, O, C)."""
    single = pixels.dtype == factors.dtype == torch.float32
    if not single or 4 * factors.numel() * torch.get_num_threads() > _MOST_BYTES or absence() is not None:
        return False
    return all(channels % _panel_width() == 0 for channels in factors.shape[1:])


@cache
def absence() -> str | None:
    """Why there is no native code here; None if there is."""
    try:
        width = _panel_width()
    except Absent as reason:
        return str(reason)
    # Small whole numbers, so that every order of sums has one result.
    pixels = torch.arange(3 * 4 * 2 * width).remainder(7).view(3, 4, 2, width).float()
    factors = torch.arange(25 * width * width).remainder(5).view(25, width, width).float()
    return None if evaluate(pixels, factors).equal(squares.evaluate(pixels, factors)) else "it computes something else"


def evaluate(pixels: Tensor, factors: Tensor) -> Tensor:
    """As ``squares.evaluate``."""
    values: Tensor = torch.ops.ganzoo.double_and_convolve(pixels, factors)
    return values


def differentiate(pixels: Tensor, factors: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """As ``squares.differentiate``."""
    of_pixels, of_factors = torch.ops.ganzoo.double_and_convolve_backward(pixels, factors, gradient)
    return of_pixels, of_factors


def _evaluate(pixels: Tensor, factors: Tensor) -> Tensor:
    values = _shaped_values(pixels, factors)
    _call("double_and_convolve", pixels, factors, (part.transpose(1, 2) for part in squares.by_part(factors)), values)
    return values


def _differentiate(pixels: Tensor, factors: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    of_pixels = torch.empty_like(pixels)
    of_factors = factors.new_zeros(torch.get_num_threads(), *factors.shape)
    _call("double_and_convolve_backward", pixels, factors, squares.by_part(factors), gradient, of_pixels, of_factors)
    return of_pixels, of_factors.sum(0)


def _shaped_values(pixels: Tensor, factors: Tensor) -> Tensor:
    count, height, width, _ = pixels.shape
    return pixels.new_empty(count, 2 * height, 2 * width, factors.shape[1])


def _shaped_gradients(pixels: Tensor, factors: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(pixels), torch.empty_like(factors)


def _call(function: str, pixels: Tensor, factors: Tensor, matrices: Iterable[Tensor], *others: Tensor) -> None:
    """Calls a function of ``squares.c``: the factors as matrices in panels, and memory to compute in at the end."""
    (count, height, width, inputs), outputs, threads = pixels.shape, factors.shape[1], torch.get_num_threads()
    in_map = height * width // 4
    together = max(1, _SQUARES // in_map)
    sizes = _Sizes(count, height // 2, width // 2, inputs, outputs, together)
    panels = torch.cat([part.view(*part.shape[:2], -1, _panel_width()).transpose(1, 2).flatten() for part in matrices])
    memory = pixels.new_empty(threads, together * in_map * (9 * inputs + 25 * outputs))
    call(_library(), function, ctypes.byref(sizes), threads, pixels, panels, *others, memory)


@cache
def _library() -> ctypes.CDLL:
    return compiled(Path(__file__).with_name("squares.c"))


@cache
def _panel_width() -> int:
    """Of how many columns the matrices are laid out one after the other; channels are multiples of it."""
    return int(_library().panel_width())


operation("double_and_convolve(Tensor pixels, Tensor factors) -> Tensor", _evaluate, _shaped_values)
operation(
    "double_and_convolve_backward(Tensor pixels, Tensor factors, Tensor gradient) -> (Tensor, Tensor)",
    _differentiate,
    _shaped_gradients,
)
