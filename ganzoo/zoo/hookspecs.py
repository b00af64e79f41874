"""The hooks that a plugin may implement; built-in models and data sets come through the same ones.

A plugin is a module (or object) named by an entry point of the group ``ganzoo``. It marks its functions with
``hookimpl`` (``ganzoo.hookimpl`` from outside) and gives each the name and the arguments of a hook below::

    @ganzoo.hookimpl
    def ganzoo_register_models():
        return [MyGAN]

An implementation may leave out arguments that it has no use for. A plugin may say which version of this interface
it was written for, ``GANZOO_API = 1``; one that needs a later version than there is here is not used.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from ganzoo.zoo.installed import PROJECT

if TYPE_CHECKING:
    from ganzoo.core.data import Dataset
    from ganzoo.models.model import Model

__all__ = [
    "API_VERSION",
    "OBSERVERS",
    "ganzoo_register_datasets",
    "ganzoo_register_extractors",
    "ganzoo_register_metrics",
    "ganzoo_register_models",
    "ganzoo_run_finished",
    "ganzoo_run_started",
    "ganzoo_tick",
    "hookimpl",
    "hookspec",
]

API_VERSION = 1
"""The version of the interface for plugins: of all that ``ganzoo`` and ``ganzoo.testing`` export, and of the hooks."""

OBSERVERS = ("ganzoo_run_started", "ganzoo_tick", "ganzoo_run_finished")
"""The hooks that watch runs."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# The bodies are empty on purpose: pluggy reads names and arguments only. The types stay in quotes, for
# importing them imports torch, which this room does without until a plugin is loaded.
@hookspec
def ganzoo_register_models() -> "list[type[Model]]":  # type: ignore[empty-body]
    """The models that the plugin brings.

    Returns:
        Subclasses of ``ganzoo.Model``, each with a ``name`` of letters, digits, ``-`` and ``_``.
    """


@hookspec
def ganzoo_register_datasets() -> "list[type[Dataset]]":  # type: ignore[empty-body]
    """The data sets that the plugin brings.

    Returns:
        Subclasses of ``ganzoo.Dataset``, each with a ``name`` of letters, digits, ``-`` and ``_``.
    """


# Rooms below this one may not be named in its types, so what these two return is said in words.
@hookspec
def ganzoo_register_metrics() -> list[type]:  # type: ignore[empty-body]
    """The metrics that the plugin brings.

    Returns:
        Subclasses of ``ganzoo.Metric``, each with a ``name`` of letters, digits, ``-`` and ``_``.
    """


@hookspec
def ganzoo_register_extractors() -> list[type]:  # type: ignore[empty-body]
    """The feature extractors that the plugin brings.

    Returns:
        Subclasses of ``ganzoo.Extractor``, each with a ``name`` of letters, digits, ``-`` and ``_``.
    """


# Plans, ticks and summaries are from rooms below this one too. A run is its folder, the same for every kind of run.
@hookspec
def ganzoo_run_started(run: Path, plan: Any, images: int) -> None:
    """A training is about to play its first round, or to go on.

    Called after the display; where several processes train a run, in the first of them alone. What an observer raises
    is printed once as a warning; the observer hears no more of that run, and the run goes on.

    Args:
        run: the run's folder; a file or folder of the plugin's own may be made in it.
        plan: what is going to be done, a ``ganzoo.Plan``.
        images: progress of the run in images: 0, or more where it goes on.
    """


@hookspec
def ganzoo_tick(run: Path, tick: Any) -> None:
    """Statistics of a run were read, a hundred times in a run or so.

    Args:
        run: the run's folder.
        tick: progress, rate, the means since the last tick and a way to samples, a ``ganzoo.Tick``.
    """


@hookspec
def ganzoo_run_finished(run: Path, summary: Any) -> None:
    """A training has ended, whichever way; its files are written.

    Args:
        run: the run's folder.
        summary: how it ended, a ``ganzoo.Summary``; its ``status`` is ``finished``, ``interrupted`` or ``failed``.
    """
