"""What code a plugin is made of, in a few digits: its author edits it long before he gives it another version."""

import secrets
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType

__all__ = ["fingerprint"]

DIGITS = 12
UNREAD = f"unread, process {secrets.token_hex(DIGITS // 2)}"
"""In place of the digits where there are no files to read, as of a notebook's cells; no other process says the same."""


def fingerprint(package: str, classes: Iterable[type]) -> str:
    """The beginning of the SHA-256 of all Python files of a plugin's top-level modules.

    Args:
        package: the top-level module of the plugin, empty if it has none.
        classes: what the plugin brings; the modules that they are defined in count too.

    Returns:
        The same digits for the same files, wherever they are.
    """
    digest, read = sha256(), 0
    try:
        names = {package, *(each.__module__.partition(".")[0] for each in classes)} - {""}
        for name in sorted(names):
            for place, file in _files(sys.modules[name]):
                content = file.read_bytes()
                digest.update(f"{place}\0{len(content)}\0".encode() + content)
                read += 1
    except Exception:  # modules are what others have put there, and may be anything
        return UNREAD
    return digest.hexdigest()[:DIGITS] if read else UNREAD


def _files(module: ModuleType) -> Iterator[tuple[str, Path]]:
    """The Python files of a module, each with its place in it, in order."""
    folders = getattr(module, "__path__", None)
    if folders is None:
        file = Path(str(module.__file__))
        yield file.name, file
        return
    for folder in map(Path, folders):
        for file in sorted(folder.rglob("*.py")):
            if file.is_file():
                yield file.relative_to(folder).as_posix(), file
