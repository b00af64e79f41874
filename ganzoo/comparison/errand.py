"""A training that is given to a process of another machine: what that is told, and what it does."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from ganzoo.core.errors import GanzooError
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import model_of
from ganzoo.runs.record import installed_versions, plugin_versions
from ganzoo.training.events import Observer
from ganzoo.training.start import go_on
from ganzoo.zoo.manager import Zoo, default_zoo

if TYPE_CHECKING:
    from ganzoo.training.plan import Plan

__all__ = ["Errand", "Report", "carry", "variables"]

PATIENCE = 120
"""Seconds in which the lock of a machine that is lost has to lapse; file servers take up to 90."""


@dataclass(frozen=True)
class Errand:
    """What a worker has to know; plain data, which travels.

    Attributes:
        name: of the training, for displays.
        run: its run directory, which exists, whole path.
        folder: the working directory, which relative paths in the settings are meant from.
        threads: of the training, on a CPU.
        variables: what the environment has to say.
        version: of ganzoo.
        files: plugins that have to be named, whole paths.
    """

    name: str
    run: str
    folder: str
    threads: int
    variables: tuple[tuple[str, str], ...]
    version: str
    files: tuple[str, ...] = ()


class Report(NamedTuple):
    """What a worker reports.

    Attributes:
        status: ``finished``, ``interrupted`` or ``failed``.
        error: why it failed, in a sentence.
        lost_at: images from which it went on in place of a worker that was lost; None if none was.
    """

    status: str
    error: str = ""
    lost_at: int | None = None


def variables() -> dict[str, str]:
    """What the environment of this process says to ganzoo: which plugins are allowed, and where downloads are."""
    return {name: value for name, value in os.environ.items() if name.startswith("GANZOO_")}


def carry(errand: Errand, zoo: Zoo | None = None) -> Report:
    """Train the run of an errand, from wherever it is; whoever takes an errand over does the same.

    Working directory, environment and threads of this process become the errand's.

    Args:
        errand: what to do.
        zoo: where models and data sets are looked up; by default this process's.
    """
    os.environ.update(errand.variables)
    try:
        os.chdir(errand.folder)
    except OSError as error:
        said = f"{socket.gethostname()} cannot enter {errand.folder} ({(error.strerror or str(error)).lower()})"
        return Report("failed", f"{said}; every machine must see the working directory and the runs")
    version = installed_versions()["ganzoo"]
    if version != errand.version:
        return _other("ganzoo", version, errand.version)
    torch.set_num_threads(errand.threads)
    observer = _Beginning()
    try:
        zoo = zoo or default_zoo()
        for file in errand.files:
            zoo.register_file(Path(file))
        begun = RunDirectory.open(errand.run)
        there = plugin_versions(begun.record.versions)
        for name, here in plugin_versions(installed_versions(zoo.versions(model_of(begun, zoo)))).items():
            if here != there.get(name):
                return _other(name, here, there.get(name, "another"))
        # Whoever gives a run out says that it waits; only a process that was lost leaves it as running.
        lost = begun.record.status == "running"
        run = go_on(errand.run, zoo, observer=observer, wait=PATIENCE)
    except GanzooError as error:
        return Report("failed", str(error))
    except Exception as error:  # of a plugin, whose class the other machine may not know
        return Report("failed", f"{type(error).__name__}: {error}")
    return Report(run.record.status, lost_at=observer.images if lost else None)


def _other(name: str, here: str, there: str) -> Report:
    said = f"{socket.gethostname()} has {name} {here}, and the comparison is of {there}"
    return Report("failed", f"{said}; install the same everywhere")


class _Beginning(Observer):
    """Notes where a training starts from."""

    images = 0

    def started(self, plan: "Plan", run: RunDirectory) -> None:
        self.images = run.record.images
