"""The convolutions of ``ganzoo.networks.grey`` in native code, ``c/grey.c``: patches and products stay in the cache.

Maps, kernels and pictures have one number together that is linear in each of the three; its derivative by one of them
is a function of the other two. These three functions are a convolution, a transposed one and their kernels' gradient,
and the derivatives of each are the other two again. All are operations of PyTorch's too, ``torch.ops.ganzoo``.

Where networks compute in bf16, maps are in bf16 too, and are widened and rounded in the cache.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.library import register_autograd
from torch.nn.functional import conv2d, pad

from ganzoo.networks.native import Absent, call, in_full_precision, library, operation, vector_width

__all__ = ["absence", "computed", "takes", "to_kernels", "to_maps", "to_pictures"]

_OF_MAPS = (torch.float32, torch.bfloat16)
"""What maps may be of; pictures and kernels are of float32."""


class _Sizes(ctypes.Structure):
    """``sizes`` of ``c/grey.c``."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("count", "height", "width", "rows", "columns", "channels")),
        *((name, ctypes.c_int64) for name in ("kernel", "stride", "padding", "in_bf16")),
    ]


def takes(tensor: Tensor, kernels: Tensor) -> bool:
    """Whether there is native code for these pictures or maps, and kernels (C, ...)."""
    as_usual = tensor.device.type == "cpu" and kernels.dtype == torch.float32
    if not as_usual or tensor.dtype not in (torch.float32, computed()) or absence() is not None:
        return False
    return computed() in _OF_MAPS and len(kernels) % vector_width("grey") == 0


def computed() -> torch.dtype:
    """What networks compute in here, and so the type of their maps."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


@cache
@in_full_precision
def absence() -> str | None:
    """Why there is no native code here; None if there is."""
    try:
        width = vector_width("grey")
    except Absent as reason:
        return str(reason)
    # Small whole numbers, so that every order of sums has one result.
    pictures = torch.arange(2 * 6 * 7, device="cpu").remainder(3).view(2, 6, 7).float()
    kernels = torch.arange(9 * width, device="cpu").remainder(5).sub(2).view(3, 3, width).float()
    maps = conv2d(pictures.unsqueeze(1), kernels.permute(2, 0, 1).unsqueeze(1), stride=2, padding=1).permute(0, 2, 3, 1)
    together = (maps * maps).sum()
    same = (
        _maps(pictures, kernels, 2, 1, dtype).equal(maps.to(dtype))
        and (_pictures(maps.to(dtype), kernels, 2, 1, [6, 7]) * pictures).sum().equal(together)
        and (_kernels(maps.to(dtype), pictures, 2, 1, 3) * kernels).sum().equal(together)
        for dtype in _OF_MAPS
    )
    return None if all(same) else "it computes something else"


def to_maps(pictures: Tensor, kernels: Tensor, stride: int, padding: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A convolution.

    Args:
        pictures: (N, H, W), float32.
        kernels: (K, K, C), float32.
        stride: S.
        padding: P.
        dtype: of the result, float32 or bfloat16.

    Returns:
        (N, H', W', C) with H' = (H + 2P - K) / S + 1, rounded down.
    """
    maps: Tensor = torch.ops.ganzoo.grey_to_maps(pictures, kernels, stride, padding, dtype)
    return maps


def to_pictures(maps: Tensor, kernels: Tensor, stride: int, padding: int, sides: Sequence[int]) -> Tensor:
    """The adjoint of ``to_maps``: maps (N, H', W', C) of either type and kernels (K, K, C) to pictures (N, *sides)."""
    pictures: Tensor = torch.ops.ganzoo.maps_to_grey(maps, kernels, stride, padding, sides)
    return pictures


def to_kernels(maps: Tensor, pictures: Tensor, stride: int, padding: int, kernel: int) -> Tensor:
    """The gradient of ``to_maps`` by its kernels (K, K, C), of that by its maps."""
    kernels: Tensor = torch.ops.ganzoo.grey_kernels(maps, pictures, stride, padding, kernel)
    return kernels


def _maps(pictures: Tensor, kernels: Tensor, stride: int, padding: int, dtype: torch.dtype) -> Tensor:
    maps = _shaped_maps(pictures, kernels, stride, padding, dtype)
    sizes = _sizes(maps, kernels, pictures, stride, padding)
    _call("grey_to_maps", sizes, pictures, kernels, maps)
    return maps


def _pictures(maps: Tensor, kernels: Tensor, stride: int, padding: int, sides: list[int]) -> Tensor:
    pictures = _shaped_pictures(maps, kernels, stride, padding, sides)
    sizes = _sizes(maps, kernels, pictures, stride, padding)
    offsets = kernels.flatten(0, 1).t()
    _call("maps_to_grey", sizes, maps, pad(offsets, (0, -offsets.shape[1] % vector_width("grey"))), pictures)
    return pictures


def _kernels(maps: Tensor, pictures: Tensor, stride: int, padding: int, kernel: int) -> Tensor:
    kernels = pictures.new_zeros(torch.get_num_threads(), kernel, kernel, maps.shape[3])
    sizes = _sizes(maps, kernels[0], pictures, stride, padding)
    _call("grey_kernels", sizes, maps, pictures, kernels)
    return kernels.sum(0)


def _sizes(maps: Tensor, kernels: Tensor, pictures: Tensor, stride: int, padding: int) -> _Sizes:
    """What ``c/grey.c`` relies on.

    Raises:
        ValueError: these do not go together, or there is no native code for them.
    """
    (count, *sides), (kernel, _, channels) = pictures.shape, kernels.shape
    places = [(side + 2 * padding - kernel) // stride + 1 for side in sides]
    types = maps.dtype in _OF_MAPS and kernels.dtype == pictures.dtype == torch.float32
    together = maps.shape == (count, *places, channels) and kernels.shape[1] == kernel
    if not types or not together or channels % vector_width("grey") != 0:
        shapes = ", ".join(f"{tuple(tensor.shape)} {tensor.dtype}" for tensor in (maps, kernels, pictures))
        raise ValueError(f"no maps, kernels and pictures for stride {stride} and padding {padding}: {shapes}")
    return _Sizes(count, *sides, *maps.shape[1:], kernel, stride, padding, maps.dtype == torch.bfloat16)


def _call(function: str, sizes: _Sizes, *tensors: Tensor) -> None:
    """Calls a function of ``c/grey.c``, with memory to compute in at the end."""
    threads, memory_size = torch.get_num_threads(), library("grey").memory_size
    memory_size.restype = ctypes.c_int64
    memory = torch.empty(threads, memory_size(ctypes.byref(sizes)), dtype=torch.float32, device="cpu")
    call(library("grey"), function, ctypes.byref(sizes), threads, *(tensor.contiguous() for tensor in tensors), memory)


def _shaped_maps(pictures: Tensor, kernels: Tensor, stride: int, padding: int, dtype: torch.dtype) -> Tensor:
    rows, columns = ((side + 2 * padding - len(kernels)) // stride + 1 for side in pictures.shape[1:])
    return pictures.new_empty(len(pictures), rows, columns, kernels.shape[2], dtype=dtype)


def _shaped_pictures(maps: Tensor, kernels: Tensor, stride: int, padding: int, sides: list[int]) -> Tensor:
    return kernels.new_empty(len(maps), *sides)


def _shaped_kernels(maps: Tensor, pictures: Tensor, stride: int, padding: int, kernel: int) -> Tensor:
    return pictures.new_empty(kernel, kernel, maps.shape[3])


operation(
    "grey_to_maps(Tensor pictures, Tensor kernels, int stride, int padding, ScalarType dtype) -> Tensor",
    _maps,
    _shaped_maps,
)
operation(
    "maps_to_grey(Tensor maps, Tensor kernels, int stride, int padding, int[] sides) -> Tensor",
    _pictures,
    _shaped_pictures,
)
operation(
    "grey_kernels(Tensor maps, Tensor pictures, int stride, int padding, int kernel) -> Tensor",
    _kernels,
    _shaped_kernels,
)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    first, second, ctx.stride, ctx.padding, *_ = inputs
    ctx.save_for_backward(first, second)


def _differentiate_maps(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    (pictures, kernels), wanted, window = ctx.saved_tensors, ctx.needs_input_grad, (ctx.stride, ctx.padding)
    of_pictures = to_pictures(gradient, kernels, *window, pictures.shape[1:]) if wanted[0] else None
    of_kernels = to_kernels(gradient, pictures, *window, len(kernels)) if wanted[1] else None
    return of_pictures, of_kernels, None, None, None


def _differentiate_pictures(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    (maps, kernels), wanted, window = ctx.saved_tensors, ctx.needs_input_grad, (ctx.stride, ctx.padding)
    of_maps = to_maps(gradient, kernels, *window, maps.dtype) if wanted[0] else None
    of_kernels = to_kernels(maps, gradient, *window, len(kernels)) if wanted[1] else None
    return of_maps, of_kernels, None, None, None


def _differentiate_kernels(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    (maps, pictures), wanted, window = ctx.saved_tensors, ctx.needs_input_grad, (ctx.stride, ctx.padding)
    of_maps = to_maps(pictures, gradient, *window, maps.dtype) if wanted[0] else None
    of_pictures = to_pictures(maps, gradient, *window, pictures.shape[1:]) if wanted[1] else None
    return of_maps, of_pictures, None, None, None


for name, differentiate in (
    ("grey_to_maps", _differentiate_maps),
    ("maps_to_grey", _differentiate_pictures),
    ("grey_kernels", _differentiate_kernels),
):
    register_autograd(f"ganzoo::{name}", differentiate, setup_context=_keep)
