"""Convolutions from or to a single channel, as grey pictures need them, computed as matrix products.

Libraries tile a convolution over its channels. With one of them they compute mostly zeros, and reorder whole maps
around it. But one channel has few values to copy: patches times kernels, or maps times kernels and then summed where
the results overlap, is the same function. In bf16 on a GPU it takes a quarter of the time. On a CPU
``ganzoo.networks.native_grey`` does it, where there is native code.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from ganzoo.networks import native_grey

__all__ = ["FromGrey", "ToGrey", "ToLargerGrey", "convolution", "transposed_convolution"]


@dataclass(frozen=True)
class Window:
    """Where a kernel of K×K is laid on a picture: every S pixels, beginning P pixels outside, with P ≥ S - 1."""

    kernel: int
    stride: int
    padding: int

    def __post_init__(self) -> None:
        if self.padding < self.stride - 1:
            raise ValueError(f"a stride of {self.stride} needs a padding of {self.stride - 1} at least")

    def patches(self, pictures: Tensor) -> Tensor:
        """What the kernel covers of pictures (N, H, W), a copy (N, H', W', K, K)."""
        bordered = pad(pictures, (self.padding,) * 4)
        return bordered.unfold(1, self.kernel, self.stride).unfold(2, self.kernel, self.stride).contiguous()

    def sums(self, patches: Tensor, sides: tuple[int, int]) -> Tensor:
        """The adjoint of ``patches``: each pixel of (N, H, W) the sum over what covers it, in at least float32."""
        count, rows, columns = patches.shape[:3]
        stride, (height, width) = self.stride, sides
        overlap = -(-self.kernel // stride)
        # Blocks of S×S pixels are added at once, rather than each of K×K offsets by itself.
        blocks = pad(patches, (0, stride * overlap - self.kernel) * 2)
        blocks = blocks.view(count, rows, columns, overlap, stride, overlap, stride)
        dtype = torch.promote_types(patches.dtype, torch.float32)
        total = patches.new_zeros(count, rows + overlap - 1, stride, columns + overlap - 1, stride, dtype=dtype)
        for down in range(overlap):
            for right in range(overlap):
                block = blocks[:, :, :, down, :, right].transpose(2, 3)
                total[:, down : down + rows, :, right : right + columns] += block
        bordered = total.flatten(3, 4).flatten(1, 2)
        return bordered[:, self.padding : self.padding + height, self.padding : self.padding + width]


class _Patches(torch.autograd.Function):
    """``Window.patches``; torch's own gradient of it would add pixel by pixel."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, window: Window) -> Tensor:
        ctx.window, ctx.sides = window, pictures.shape[1:]
        return window.patches(pictures)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sums.apply(gradient, ctx.window, ctx.sides), None


class _Sums(torch.autograd.Function):
    """``Window.sums``."""

    @staticmethod
    def forward(ctx: Any, patches: Tensor, window: Window, sides: tuple[int, int]) -> Tensor:
        ctx.window, ctx.dtype = window, patches.dtype
        return window.sums(patches, sides)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Patches.apply(gradient.to(ctx.dtype), ctx.window), None, None


class FromGrey(nn.Conv2d):
    """``nn.Conv2d`` of (N, 1, H, W): products of patches and kernels. The result is a view, channels-last.

    Args:
        outputs: channels of the result.
        kernel: side K of the kernel.
        stride: S.
        padding: P, at least S - 1.
        bias: whether each channel of the result has an offset.
    """

    def __init__(self, outputs: int, kernel: int, stride: int, padding: int, bias: bool = True) -> None:
        super().__init__(1, outputs, kernel, stride, padding, bias=bias)
        self.window = Window(kernel, stride, padding)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, outputs, H', W')."""
        pictures, window = pictures.squeeze(1), self.window
        if native_grey.takes(pictures, self.weight):
            kernels, dtype = self.weight.squeeze(1).permute(1, 2, 0), native_grey.computed()
            maps = native_grey.to_maps(pictures.float(), kernels, window.stride, window.padding, dtype)
            return (maps if self.bias is None else maps.add_(self.bias.to(dtype))).permute(0, 3, 1, 2)
        patches = _Patches.apply(pictures, window).flatten(3)
        return linear(patches, self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class ToGrey(nn.Conv2d):
    """``nn.Conv2d`` with one channel out and stride 1: products of maps and kernels, summed where they overlap.

    Args:
        inputs: channels C of the maps.
        kernel: side K of the kernel, an odd number.
        bias: whether the result has an offset.
    """

    def __init__(self, inputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__(inputs, 1, kernel, padding=kernel // 2, bias=bias)
        self.window = Window(kernel, 1, kernel // 2)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 1, H, W)."""
        # What a convolution gathers, its kernel turned round spreads.
        kernels = self.weight.flip(2, 3).squeeze(0)
        return _spread(maps, kernels, self.bias, self.window, (maps.shape[2], maps.shape[3]))


class ToLargerGrey(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d`` with one channel out: products of maps and kernels, summed where they overlap.

    Args:
        inputs: channels C of the maps.
        kernel: side K of the kernel.
        stride: S.
        padding: P, at least S - 1.
        bias: whether the result has an offset.
    """

    def __init__(self, inputs: int, kernel: int, stride: int, padding: int, bias: bool = True) -> None:
        super().__init__(inputs, 1, kernel, stride, padding, bias=bias)
        self.window = Window(kernel, stride, padding)

    def forward(self, maps: Tensor) -> Tensor:  # type: ignore[override]  # torch's may be asked for other sides
        """(N, C, H, W) to (N, 1, H', W') with H' = S(H - 1) + K - 2P."""
        window = self.window
        height, width = (window.stride * (side - 1) + window.kernel - 2 * window.padding for side in maps.shape[2:])
        return _spread(maps, self.weight.squeeze(1), self.bias, window, (height, width))


def convolution(inputs: int, outputs: int, kernel: int, stride: int, padding: int, bias: bool) -> nn.Conv2d:
    """``nn.Conv2d``, computed in the way that its channels ask for."""
    if inputs == 1:
        return FromGrey(outputs, kernel, stride, padding, bias)
    if outputs == 1 and (stride, padding) == (1, kernel // 2):
        return ToGrey(inputs, kernel, bias)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)


def transposed_convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: int, bias: bool
) -> nn.ConvTranspose2d:
    """``nn.ConvTranspose2d``, computed in the way that its channels ask for."""
    if outputs == 1:
        return ToLargerGrey(inputs, kernel, stride, padding, bias)
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=bias)


def _spread(maps: Tensor, kernels: Tensor, bias: Tensor | None, window: Window, sides: tuple[int, int]) -> Tensor:
    """Maps (N, C, H, W) and kernels (C, K, K) to pictures (N, 1, *sides)."""
    pixels = maps.permute(0, 2, 3, 1)
    if native_grey.takes(maps, kernels):
        pictures = native_grey.to_pictures(pixels, kernels.permute(1, 2, 0), window.stride, window.padding, sides)
    else:
        products = linear(pixels, kernels.flatten(1).t())
        pictures = _Sums.apply(products.view(*products.shape[:3], *kernels.shape[1:]), window, sides)
    pictures = pictures.unsqueeze(1)
    return pictures if bias is None else pictures + bias
