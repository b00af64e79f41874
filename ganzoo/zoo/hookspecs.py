"""The hooks that a plugin may implement; built-in models and data sets come through the same ones.

A plugin is a module (or object) named by an entry point of the group ``ganzoo``. It marks its functions with
``hookimpl`` (``ganzoo.hookimpl`` from outside) and gives each the name and the arguments of a hook below::

    @ganzoo.hookimpl
    def ganzoo_register_models():
        return [MyGAN]
"""

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ganzoo.core.data import Dataset
    from ganzoo.models.model import Model

__all__ = [
    "PROJECT",
    "ganzoo_register_datasets",
    "ganzoo_register_extractors",
    "ganzoo_register_metrics",
    "ganzoo_register_models",
    "hookimpl",
    "hookspec",
]

PROJECT = "ganzoo"
"""The name of the hook markers and of the entry-point group."""

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
