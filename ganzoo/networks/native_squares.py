"""The products of ``ganzoo.networks.karatsuba`` in native code, ``c/upsampling.c``: each thread has its own block.

What PyTorch does with a block in some forty operations is done here without leaving the processor's cache, and batch
normalisation and a rectifier may come along, which would go over all values six times forward and nine times back. All
are operations of PyTorch's too, ``torch.ops.ganzoo``, so that profilers and counters see them.
"""

import ctypes
from functools import cache

import torch
from torch import Tensor

from ganzoo.networks import squares
from ganzoo.networks.native import Absent, call, in_full_precision, library, operation, panel_width

__all__ = ["absence", "differentiate", "evaluate", "takes"]

_SQUARES = 32
"""How many squares a thread computes together: what lies in between is to fit into its part of the cache."""
_MOST_BYTES = 2**28
"""Of memory for all threads: each adds up the factors' gradients for itself."""


class _Sizes(ctypes.Structure):
    """``sizes`` of ``c/squares.h``."""

    _fields_ = [(name, ctypes.c_int64) for name in ("maps", "rows", "columns", "inputs", "outputs", "together")]


class _Normalisation(ctypes.Structure):
    """``normalisation`` of ``c/upsampling.c``."""

    _fields_ = [
        *((name, ctypes.c_float) for name in ("eps", "slope")),
        *((name, ctypes.c_void_p) for name in ("weight", "bias", "about", "mean", "variance")),
        *((name, ctypes.c_void_p) for name in ("of_weight", "of_bias", "work", "totals")),
    ]


def takes(kernels: Tensor) -> bool:
    """Whether there is native code for kernels (O, C, 3, 3), and maps (N, C, H, W) of their type, H and W even."""
    outputs, inputs = kernels.shape[:2]
    few = 25 * outputs * inputs * kernels.element_size() * torch.get_num_threads() <= _MOST_BYTES
    if kernels.dtype != torch.float32 or not few or absence() is not None:
        return False
    return inputs % panel_width("upsampling") == outputs % panel_width("upsampling") == 0


@cache
@in_full_precision
def absence() -> str | None:
    """Why there is no native code here; None if there is."""
    try:
        width = panel_width("upsampling")
    except Absent as reason:
        return str(reason)
    # Small whole numbers, so that every order of sums has one result.
    pixels = torch.arange(3 * 4 * 2 * width, device="cpu").remainder(7).view(3, 4, 2, width).float()
    factors = torch.arange(25 * width * width, device="cpu").remainder(5).view(25, width, width).float()
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
    values = _shaped(pixels, factors)
    _forward(pixels, factors, None, values, values)
    return values


def _differentiate(pixels: Tensor, factors: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    return _backward(pixels, factors, None, gradient, gradient)


def _evaluate_rectified(
    pixels: Tensor, factors: Tensor, weight: Tensor, bias: Tensor, about: Tensor, eps: float, slope: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What batch normalisation and a leaky rectifier make of the doubled and convolved maps.

    Args:
        pixels: (N, H, W, C), H and W even.
        factors: (25, O, C).
        weight: (O,), of the normalisation, as are ``bias`` and ``eps``.
        bias: (O,).
        about: (O,), where the means may be expected.
        eps: added to variances.
        slope: the rectifier's, where it is negative.

    Returns:
        Results and values before them, (N, 2H, 2W, O), and the values' means and biased variances (O,).
    """
    results, values, mean, variance = found = _shaped_all(pixels, factors)
    _forward(pixels, factors, _Normalised(eps, slope, weight, bias, mean, variance, about=about), values, results)
    return found


def _differentiate_rectified(
    pixels: Tensor,
    factors: Tensor,
    weight: Tensor,
    bias: Tensor,
    values: Tensor,
    mean: Tensor,
    variance: Tensor,
    gradient: Tensor,
    eps: float,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of pixels, factors, weight and bias, of the results' (N, 2H, 2W, O)."""
    of_weight, of_bias = torch.empty_like(weight), torch.empty_like(bias)
    normalised = _Normalised(eps, slope, weight, bias, mean, variance, of_weight=of_weight, of_bias=of_bias)
    return *_backward(pixels, factors, normalised, values, gradient), of_weight, of_bias


class _Normalised:
    """A normalisation's tensors for as long as a call, and what it computes in."""

    def __init__(self, eps: float, slope: float, *named: Tensor, **further: Tensor) -> None:
        tensors = dict(zip(("weight", "bias", "mean", "variance"), named, strict=True)) | further
        channels, threads = len(named[0]), torch.get_num_threads()
        tensors["work"] = named[0].new_empty(4 * channels)
        tensors["totals"] = named[0].new_zeros(threads, 2 * channels, dtype=torch.float64)
        self.tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
        addresses = {name: tensor.data_ptr() for name, tensor in self.tensors.items()}
        self.structure = _Normalisation(eps=eps, slope=slope, **addresses)


def _shaped(pixels: Tensor, factors: Tensor) -> Tensor:
    count, height, width, _ = pixels.shape
    return pixels.new_empty(count, 2 * height, 2 * width, factors.shape[1])


def _shaped_all(pixels: Tensor, factors: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mean, variance = factors.new_empty(2, factors.shape[1]).unbind()
    return _shaped(pixels, factors), _shaped(pixels, factors), mean, variance


def _shaped_gradients(pixels: Tensor, factors: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    return torch.empty_like(pixels), torch.empty_like(factors)


def _all_shaped_gradients(
    pixels: Tensor, factors: Tensor, weight: Tensor, bias: Tensor, *_: object
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return *_shaped_gradients(pixels, factors), torch.empty_like(weight), torch.empty_like(bias)


def _forward(pixels: Tensor, factors: Tensor, norm: _Normalised | None, values: Tensor, results: Tensor) -> None:
    panels = factors.view(len(factors), -1, panel_width("upsampling"), factors.shape[2]).transpose(2, 3)
    _call("double_and_convolve", norm, pixels, factors, panels, values, results)


def _backward(
    pixels: Tensor, factors: Tensor, norm: _Normalised | None, values: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor]:
    of_pixels = torch.empty_like(pixels)
    of_factors = factors.new_empty(torch.get_num_threads(), *factors.shape)
    panels = factors.view(*factors.shape[:2], -1, panel_width("upsampling")).permute(2, 0, 1, 3)
    others = values, gradient.contiguous(), of_pixels, of_factors
    _call("double_and_convolve_backward", norm, pixels, factors, panels, *others)
    return of_pixels, of_factors.sum(0)


def _call(
    function: str, norm: _Normalised | None, pixels: Tensor, factors: Tensor, panels: Tensor, *others: Tensor
) -> None:
    """Calls a function of ``c/upsampling.c``: the factors in panels, memory to compute in at the end."""
    (count, height, width, inputs), outputs, threads = pixels.shape, factors.shape[1], torch.get_num_threads()
    in_map = height * width // 4
    together = max(1, _SQUARES // in_map)
    sizes = _Sizes(count, height // 2, width // 2, inputs, outputs, together)
    memory = pixels.new_empty(threads, together * in_map * (9 * inputs + 41 * outputs) + 2 * outputs)
    structure = None if norm is None else ctypes.byref(norm.structure)
    call(
        library("upsampling"),
        function,
        ctypes.byref(sizes),
        threads,
        structure,
        pixels,
        panels.contiguous(),
        *others,
        memory,
    )


operation("double_and_convolve(Tensor pixels, Tensor factors) -> Tensor", _evaluate, _shaped)
operation(
    "double_and_convolve_backward(Tensor pixels, Tensor factors, Tensor gradient) -> (Tensor, Tensor)",
    _differentiate,
    _shaped_gradients,
)
operation(
    "double_convolve_and_rectify(Tensor pixels, Tensor factors, Tensor weight, Tensor bias, Tensor about, float eps, "
    "float slope) -> (Tensor, Tensor, Tensor, Tensor)",
    _evaluate_rectified,
    _shaped_all,
)
operation(
    "double_convolve_and_rectify_backward(Tensor pixels, Tensor factors, Tensor weight, Tensor bias, Tensor values, "
    "Tensor mean, Tensor variance, Tensor gradient, float eps, float slope) -> (Tensor, Tensor, Tensor, Tensor)",
    _differentiate_rectified,
    _all_shaped_gradients,
)
