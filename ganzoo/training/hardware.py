"""Choices that depend on the machine: device, precision and the memory allocator."""

import ctypes
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from ganzoo.core.errors import UsageError

__all__ = ["Hardware"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 2**30


@dataclass(frozen=True)
class Hardware:
    """Where and how a run computes.

    Attributes:
        device: the device of networks and data.
        precision: ``fp32`` or ``bf16`` (autocast; parameters, losses and statistics stay in float32).
    """

    device: torch.device
    precision: str

    @classmethod
    def choose(cls, device: str = "auto", precision: str = "auto") -> "Hardware":
        """Take the best there is, or what was asked for.

        Args:
            device: ``auto`` or a name that torch knows (``cpu``, ``cuda:1``, ``mps``).
            precision: ``auto``, ``fp32`` or ``bf16``; auto takes bf16 where the processor computes in it.

        Raises:
            UsageError: the device is unknown or not present.
        """
        found = torch.device(best_device()) if device == "auto" else named_device(device)
        if precision == "auto":
            precision = "bf16" if computes_bf16(found) else "fp32"
        return cls(found, precision)

    @property
    def name(self) -> str:
        """The device in words, with the number of threads on a CPU."""
        if self.device.type == "cuda":
            return f"{self.device} ({torch.cuda.get_device_name(self.device)})"
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})" if self.device.type == "cpu" else str(self.device)

    def autocast(self) -> AbstractContextManager[object]:
        """The context that forward passes run in."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def peak_memory(self) -> int | None:
        """The most memory in use so far, in bytes; None where it cannot be told.

        On a GPU, what torch has allocated there; on a CPU the resident memory of the whole process since it
        started, whatever else it did.
        """
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        if self.device.type != "cpu" or sys.platform == "win32":
            return None
        import resource  # Windows has none

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def prepare(self) -> None:
        """Set the process up for training; safe to call again."""
        if self.device.type == "cuda":
            # The same seed has to give the same run. In bf16 this costs nothing, in float32 a tenth of the rate.
            torch.backends.cudnn.deterministic = True
        if self.device.type == "cpu" and sys.platform == "linux":
            keep_freed_memory()


def best_device() -> str:
    """The accelerator if there is one, else the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def named_device(name: str) -> torch.device:
    """The device of that name, if it is there."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device).cpu()  # meta holds nothing that could be copied
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        raise UsageError(f"device {name!r} cannot be used here; choose auto or {best_device()}") from error
    return device


def computes_bf16(device: torch.device) -> bool:
    """Whether the processor has bf16 arithmetic, so that it is faster than float32 rather than emulated."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def keep_freed_memory() -> None:
    """Let glibc keep freed activations for the next round instead of returning them to the kernel.

    Every round frees and allocates the same large blocks; page faults on fresh ones cost up to a third of
    the time of a float32 round. Does nothing where the C library has no ``mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
