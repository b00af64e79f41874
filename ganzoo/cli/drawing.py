"""What ``sample`` and ``traverse`` share: a sampler, pinned variables and the names of pictures."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variable import Variable
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.hardware import Hardware
from ganzoo.zoo.manager import default_zoo

__all__ = ["file_stem", "open_sampler", "pinned", "taking_turns"]

LONGEST_STEM = 120


def open_sampler(path: Path, device: str) -> Sampler:
    """The sampler of a run.

    Args:
        path: the run's directory.
        device: ``auto`` or a device's name.

    Raises:
        UsageError: the run's model or the device is not there.
        RunError: the run has no checkpoint that can be used.
    """
    return Sampler(RunDirectory.open(path), default_zoo(), Hardware.choose(device).device)


def pinned(items: Sequence[str], latent: LatentSpec, n: int = 1, first: int = 0) -> dict[str, Any]:
    """The values that ``--given`` asks for, as ``LatentSpec.sample`` takes them.

    Args:
        items: ``name=value`` each. A value is a class's name, its index (where no class is called by a number),
            a number, or several of these with commas between: for a variable with several components one
            number a component, for any other values that the samples take in turns.
        latent: the latent space.
        n: number of samples.
        first: index of the first; each sample gets the same value whichever is the first.

    Raises:
        UsageError: an item is not of the form ``name=value``, or there is no such variable.
    """
    given: dict[str, Any] = {}
    for item in items:
        name, values = parsed(item, latent)
        if len(values) == 1:
            given[name] = values[0]
        elif latent[name].draws == 1:
            given[name] = [values[(first + row) % len(values)] for row in range(n)]
        else:
            given[name] = values
    return given


def taking_turns(items: Sequence[str], latent: LatentSpec) -> bool:
    """Whether an item gives several values that the samples take in turns."""
    pairs = (parsed(item, latent) for item in items)
    return any(len(values) > 1 and latent[name].draws == 1 for name, values in pairs)


def parsed(item: str, latent: LatentSpec) -> tuple[str, list[int | float | str]]:
    """The variable's name and its values in one ``name=value``."""
    name, equals, text = (part.strip() for part in item.partition("="))
    if not equals or not text:
        raise UsageError(f"--given takes name=value, such as {latent.names[-1]}=0, not {item!r}")
    classes = class_names(latent[name])
    # A text that is the name of a class means that class, commas and all.
    parts = [text] if text in classes else [part.strip() for part in text.split(",")]
    # Where names are numbers, so that 3 means the class called 3, a number that is no name means no class.
    numbered = any(each.isdecimal() for each in classes)
    return name, [part if part in classes or numbered else number_or_text(part) for part in parts]


def class_names(variable: Variable) -> Sequence[str]:
    """The names of a variable's classes, if it has any."""
    return getattr(variable, "names", None) or ()


def number_or_text(text: str) -> int | float | str:
    """A whole number, a number, or else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def file_stem(*parts: str) -> str:
    """A file name, without its ending, that says what a picture shows.

    Args:
        *parts: what it says; empty ones are left out, and what not every disk takes is replaced.
    """
    return "-".join(re.sub(r"[^\w.=,+-]+", "_", part) for part in parts if part)[:LONGEST_STEM]
