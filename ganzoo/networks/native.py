"""C code of ganzoo's own, compiled by the user's C compiler when it is first needed, and kept for the next time.

Only what PyTorch's operations take several times as long for is written in C, and never without the same in them,
which is taken where there is no native code: without a C compiler or Linux, or with ``GANZOO_NATIVE=0``.
"""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.library import define, impl

__all__ = [
    "Absent",
    "call",
    "compiled",
    "has_amx",
    "in_full_precision",
    "library",
    "operation",
    "panel_width",
    "vector_width",
]

F = TypeVar("F", bound=Callable[..., Any])

SWITCH = "GANZOO_NATIVE"
_FLAGS = ("-O3", "-march=native", "-fopenmp", "-shared", "-fPIC")
_PATIENCE = 60.0
"""Seconds after which a compiler is given up; it takes less than one."""


class Absent(Exception):
    """There is no native code here; says why."""


@cache
def library(name: str) -> ctypes.CDLL:
    """The library of ``c/NAME.c``; raises ``Absent`` as ``compiled`` does."""
    return compiled(Path(__file__).with_name("c") / f"{name}.c")


@cache
def panel_width(name: str) -> int:
    """Of how many columns that library's matrices are laid out one after the other."""
    return int(library(name).panel_width())


@cache
def vector_width(name: str) -> int:
    """How many numbers that library computes at once."""
    return int(library(name).vector_width())


def compiled(source: Path) -> ctypes.CDLL:
    """The library of a C file, compiled for this very processor unless it has been before.

    Args:
        source: the file, which may include headers beside it. Its library shares torch's threads, and has a function
            ``int most_threads(void)`` for that to be seen by.

    Raises:
        Absent: it is not wanted, cannot be compiled, or would have threads of its own beside torch's.
    """
    if os.environ.get(SWITCH) == "0":
        raise Absent(f"{SWITCH} is 0")
    if sys.platform != "linux":
        raise Absent(f"it is for Linux, not for {sys.platform}")
    try:
        library = ctypes.CDLL(str(_built(source)))
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        raise Absent(str(error)) from error
    if not _shares_threads(library):
        raise Absent("the compiler's OpenMP is another than torch's")
    return library


def in_full_precision(function: F) -> F:
    """Lets a function compute in the types that it is given, whatever the networks around it compute in."""

    @wraps(function)
    def computing(*given: Any, **named: Any) -> Any:
        with torch.autocast("cpu", enabled=False):
            return function(*given, **named)

    return cast(F, computing)


@cache
def has_amx() -> bool:
    """Whether the processor has Intel's instructions for products of whole matrices."""
    return bool(torch.cpu._is_amx_tile_supported())


def call(library: ctypes.CDLL, function: str, *arguments: object) -> None:
    """Calls a function of a library; contiguous tensors become addresses, whole numbers int64, others float."""
    getattr(library, function)(*map(_for_c, arguments))


def operation(signature: str, on_cpu: Callable[..., object], on_meta: Callable[..., object]) -> None:
    """Makes an operation of ``torch.ops.ganzoo``, which torch's profilers and counters see.

    Args:
        signature: name, arguments and results, as torch writes them.
        on_cpu: does it.
        on_meta: gives results of the same shapes, whatever is in them.
    """
    name = f"ganzoo::{signature.partition('(')[0]}"
    define(name, signature[signature.index("(") :])
    impl(name, "CPU", on_cpu)
    impl(name, "Meta", on_meta)


def _for_c(value: object) -> object:
    match value:
        case Tensor():
            return ctypes.c_void_p(value.data_ptr())
        case int():
            return ctypes.c_int64(value)
        case float():
            return ctypes.c_float(value)
    return value


def _built(source: Path) -> Path:
    """The library's file in the user's cache, whose name says of what it was made."""
    compiler = [*shlex.split(os.environ.get("CC") or "cc"), *_FLAGS]
    if shutil.which(compiler[0]) is None:
        raise Absent(f"there is no C compiler ({compiler[0]}); install one, such as gcc, or name it in CC")
    version = subprocess.run([compiler[0], "--version"], capture_output=True, check=True, timeout=_PATIENCE).stdout
    sources = [file.read_bytes() for file in sorted({source, *source.parent.glob("*.h")})]
    made_of = sha256(b"\0".join([*sources, shlex.join(compiler).encode(), version, _processor()]))
    folder = _own_folder()
    built = folder / f"{source.stem}-{made_of.hexdigest()[:16]}.so"
    if not built.exists():
        with TemporaryDirectory(dir=folder) as temporary:
            fresh = Path(temporary, built.name)
            line = [*compiler, "-o", str(fresh), str(source)]
            done = subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=_PATIENCE)
            if done.returncode != 0:
                raise Absent(f"{compiler[0]} failed: {(done.stderr.strip() or 'it says nothing').splitlines()[0]}")
            os.replace(fresh, built)
    return built


def _own_folder() -> Path:
    """``ganzoo/native`` in the user's cache folder, which nobody else may write to, for what is there is run."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganzoo" / "native"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise Absent(f"others may write to {folder}; change its owner or mode, or delete it")
    return folder


def _processor() -> bytes:
    """What the compiler makes the code for; a home may be shared by different machines."""
    lines = Path("/proc/cpuinfo").read_bytes().splitlines()
    return b"\n".join(
        sorted({line for line in lines if line.startswith((b"model name", b"flags", b"Features", b"CPU"))})
    )


def _shares_threads(library: ctypes.CDLL) -> bool:
    """Whether its OpenMP is the one that torch has loaded: two would fight for the processor's cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        return bool(library.most_threads() == threads + 1)
    finally:
        torch.set_num_threads(threads)
