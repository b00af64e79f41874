"""What is installed: the entry points of a group, none of them imported."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["COMMANDS", "PROJECT", "EntryPoint", "installed", "mentioned", "normal"]

PROJECT = "ganzoo"
"""The name of our distribution, of the group of plugins and of the hook markers."""

COMMANDS = "ganzoo.commands"
"""The group of commands that plugins add; each entry point names a click command."""


class EntryPoint(NamedTuple):
    """Something that an installed distribution offers.

    Attributes:
        name: what it is called there.
        distribution: the name of the distribution.
        version: the distribution's version, empty if it has none.
        load: imports it and returns what it names.
        package: the name of the top-level module that it is in.
        complaint: why it cannot be read at all, in a sentence; empty if it can.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], object]
    package: str = ""
    complaint: str = ""

    @property
    def builtin(self) -> bool:
        """Whether it is part of ganzoo."""
        return normal(self.distribution) == PROJECT


def installed(group: str) -> list[EntryPoint]:
    """The entry points of a group, built-in ones first, then by distribution and name.

    Args:
        group: its name, such as ``ganzoo``.
    """
    found: dict[tuple[str, str], EntryPoint] = {}
    for point in _points(group):
        # The first on the path wins, as it does for importing: a folder may be on the path twice.
        found.setdefault((normal(point.distribution), point.name), point)
    return sorted(found.values(), key=lambda point: (not point.builtin, point.distribution, point.name))


def mentioned(group: str) -> bool:
    """Whether any distribution may offer an entry point of this group; False is certain.

    Nearly always nobody does, and it takes a tenth of the time that ``importlib.metadata`` takes to be imported.

    Args:
        group: its name, such as ``ganzoo.commands``.
    """
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return True
    return any(_mentions(folder or ".", group.encode()) for folder in dict.fromkeys(sys.path))


def _mentions(folder: str, group: bytes) -> bool:
    try:
        names = os.listdir(folder)
    except NotADirectoryError:
        return True  # an archive, which may hold distributions
    except OSError:
        return False
    if folder.lower().endswith(".egg"):
        return True
    for name in names:
        if name.lower().endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                    if group in file.read():
                        return True
            except OSError:
                continue
    return False


def _points(group: str) -> Iterator[EntryPoint]:
    """Each distribution is asked by itself: ``importlib.metadata.entry_points()`` raises if one is malformed."""
    from importlib.metadata import distributions

    for distribution in distributions():
        try:
            ours = list(distribution.entry_points.select(group=group))
        except Exception as error:
            if f"[{group}]" in (distribution.read_text("entry_points.txt") or ""):
                name, version = _identity(distribution)
                complaint = f"its entry_points.txt cannot be read ({type(error).__name__})"
                yield EntryPoint(name, name, version, lambda: None, complaint=complaint)
            continue
        for point in ours:
            top = re.match(r"\w+", point.value.strip())
            yield EntryPoint(point.name, *_identity(distribution), point.load, top[0] if top else "")


def _identity(distribution: "Distribution") -> tuple[str, str]:
    """Name and version of a distribution, also of one whose metadata are damaged."""
    try:
        return distribution.metadata["Name"] or "unnamed", distribution.metadata["Version"] or ""
    except Exception:
        return "unnamed", ""


def normal(name: str) -> str:
    """A distribution's or plugin's name as PEP 503 compares them: ``My_GAN`` is ``my-gan``."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
