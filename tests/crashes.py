"""A computer that stops in the middle of writing: after so many calls of the system, nothing more happens."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any

import pytest

__all__ = ["CALLS", "Crash", "crashing", "refusing"]

CALLS = ("open", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")
"""The calls of ``os`` by which files are made to last, named, and removed."""


class Crash(BaseException):
    """The end of the process; handlers of errors run, but achieve nothing."""


@contextmanager
def crashing(after: int, folder: Path) -> Iterator[list[str]]:
    """Lets some calls of the system through; the next one, and all that follow, end in ``Crash``.

    Where the crash comes before a file is synced, half of what was written to it since is lost.

    Args:
        after: how many calls are let through.
        folder: what is in it now is on the disk.

    Yields:
        The names of the calls so far.
    """
    made: list[str] = []
    synced = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*")}

    def end(name: str, *arguments: Any) -> None:
        made.append(name)
        if name == "fsync" and len(made) <= after + 1:
            status = os.fstat(arguments[0])
            safe = synced.get(status.st_ino, 0)
            if len(made) <= after:
                synced[status.st_ino] = status.st_size
            elif S_ISREG(status.st_mode):
                os.ftruncate(arguments[0], (safe + status.st_size) // 2)
        if len(made) > after:
            raise Crash

    with _patched(end):
        yield made


@contextmanager
def refusing(number: int, code: int = errno.ENOSPC) -> Iterator[list[str]]:
    """Has one call of the system fail, as on a full disk.

    Args:
        number: which, from 0.
        code: its error.

    Yields:
        The names of the calls so far.
    """
    made: list[str] = []

    def refuse(name: str, *_: Any) -> None:
        made.append(name)
        if len(made) == number + 1:
            raise OSError(code, os.strerror(code))

    with _patched(refuse):
        yield made


@contextmanager
def _patched(before: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            real = getattr(os, name)

            def call(*arguments: Any, real: Any = real, name: str = name, **more: Any) -> Any:
                before(name, *arguments)
                return real(*arguments, **more)

            patch.setattr(os, name, call)
        yield
