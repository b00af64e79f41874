"""Ceilings: what the machine computes at best, measured in the run whose rates are held against them."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter

import torch
from torch.nn.functional import conv2d

from ganzoo.benchmark.timing import wait_for
from ganzoo.training.hardware import Hardware

__all__ = ["Ceilings", "measure_ceilings"]

Work = tuple[str, float, Callable[[], object]]
"""A size in words, the floating-point operations, and what does them."""

MATRICES = {"cpu": (512, 1024, 2048)}
LARGE_MATRICES = (2048, 4096, 8192)
MAPS = {"cpu": ((128, 64, 14), (64, 64, 32), (64, 128, 16))}
LARGE_MAPS = ((256, 128, 32), (256, 256, 32), (512, 256, 16))
"""Batch, channels and side of the maps that 3×3 convolutions are timed on."""


@dataclass(frozen=True)
class Ceilings:
    """The best rates found, in FLOP/s.

    Attributes:
        matrix: of matrix products.
        matrix_size: the size that gave it.
        convolution: of channels-last 3×3 convolutions, forward and backward together.
        convolution_size: the size that gave it.
    """

    matrix: float
    matrix_size: str
    convolution: float
    convolution_size: str

    @property
    def best(self) -> float:
        """The higher of the two."""
        return max(self.matrix, self.convolution)

    def as_dict(self) -> dict[str, object]:
        """The ceilings as plain data."""
        return asdict(self)


def measure_ceilings(hardware: Hardware, seconds: float = 4.0) -> Ceilings:
    """Measure both ceilings in the precision that rounds are played in.

    Args:
        hardware: device and precision.
        seconds: the budget; each size is tried at least twice.
    """
    device = hardware.device
    dtype = torch.bfloat16 if hardware.precision == "bf16" else torch.float32
    products = [product(size, device, dtype) for size in MATRICES.get(device.type, LARGE_MATRICES)]
    convolutions = [convolution(*maps, device, dtype) for maps in MAPS.get(device.type, LARGE_MAPS)]
    share = seconds / (len(products) + len(convolutions))
    matrix, matrix_size = best(products, share, device)
    rate, size = best(convolutions, share, device)
    return Ceilings(matrix, matrix_size, rate, size)


def product(size: int, device: torch.device, dtype: torch.dtype) -> Work:
    """A product of two square matrices."""
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return f"{size}×{size}", 2.0 * size**3, lambda: left @ right


def convolution(batch: int, channels: int, side: int, device: torch.device, dtype: torch.dtype) -> Work:
    """A 3×3 convolution, and its gradients with respect to maps and weights."""
    maps = torch.randn(batch, channels, side, side, device=device).to(dtype, memory_format=torch.channels_last)
    weights = torch.randn(channels, channels, 3, 3, device=device).to(dtype, memory_format=torch.channels_last)
    gradient = torch.randn_like(maps)
    maps.requires_grad_()
    weights.requires_grad_()

    def forward_and_backward() -> object:
        return torch.autograd.grad(conv2d(maps, weights, padding=1), (maps, weights), gradient)

    forward = 2.0 * batch * side**2 * channels**2 * 9
    return f"{batch} maps of {channels}×{side}×{side}", 3 * forward, forward_and_backward


def best(works: Iterable[Work], seconds: float, device: torch.device) -> tuple[float, str]:
    """The highest rate in FLOP/s, and the size that gave it."""
    found = []
    for size, flop, do in works:
        do()
        wait_for(device)
        times: list[float] = []
        start = perf_counter()
        while len(times) < 2 or perf_counter() - start < seconds:
            before = perf_counter()
            do()
            wait_for(device)
            times.append(perf_counter() - before)
        found.append((flop / min(times), size))
    return max(found)
