"""What is written of models, so that nothing need be imported: by the catalogue, and by plugins of their own."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from ganzoo.zoo.catalogue import Catalogue, ModelEntry
from ganzoo.zoo.fragments import Fragment, read_fragments
from ganzoo.zoo.installed import PROJECT, normal
from ganzoo.zoo.loading import Plugin

__all__ = ["Written", "named"]


class Written:
    """The catalogue, and behind it the fragments of plugins, read only once the catalogue does not have a name.

    Args:
        catalogue: the catalogue of ganzoo.
        installed: the installed plugins.
    """

    def __init__(self, catalogue: Catalogue, installed: Sequence[Plugin]) -> None:
        self._catalogue, self._installed = catalogue, installed

    @cached_property
    def fragments(self) -> dict[Plugin, Fragment]:
        """What plugins say of themselves."""
        return read_fragments(self._installed)

    def plugins(self, name: str) -> list[Plugin]:
        """The plugins that bring a model by what the catalogue says.

        A fragment gives no right to a name: another plugin, which says nothing of itself, may bring it too.
        """
        return named(self._installed, self._catalogue.models[name].plugin) if name in self._catalogue.models else []

    def entry(self, asked: str) -> ModelEntry | None:
        """What is written of a model; None if nothing is, or if it is not clear of which.

        Args:
            asked: its name, or ``distribution:name``.
        """
        owner, _, name = asked.rpartition(":")
        if name in self._catalogue.models and normal(owner) in ("", PROJECT):
            return self._catalogue.models[name]
        plugins = self._describing(name)
        if owner:
            plugins = [plugin for plugin in plugins if normal(plugin.status.distribution) == normal(owner)]
        return self.fragments[plugins[0]].models[name] if len(plugins) == 1 else None

    def models(self, plugin: Plugin) -> Mapping[str, ModelEntry] | None:
        """Every model of a plugin by what is written of it; None if nothing is, so that only its import can tell."""
        entries = self._catalogue.models.items()
        listed = {name: entry for name, entry in entries if plugin in named(self._installed, entry.plugin)}
        fragment = self.fragments.get(plugin)
        if fragment is not None and not fragment.complaint:
            return {**fragment.models, **listed}
        return listed or None

    def remark(self, plugin: Plugin) -> str:
        """What is wrong with what a plugin says of itself, in a line; empty if nothing."""
        return self.fragments[plugin].remark(plugin.status) if plugin in self.fragments else ""

    def _describing(self, name: str) -> list[Plugin]:
        """The plugins whose fragment describes this model, but for those that turned out not to bring it."""
        return [
            plugin
            for plugin, fragment in self.fragments.items()
            if name in fragment.models and (plugin.status.state != "loaded" or name in plugin.offers["models"])
        ]


def named(installed: Sequence[Plugin], name: str) -> list[Plugin]:
    """The plugins that are meant by an entry point's name in ganzoo's own files."""
    plugins = [plugin for plugin in installed if plugin.status.name == name]
    # A stranger may use the entry-point name of a built-in plugin; that does not make it one.
    return [plugin for plugin in plugins if plugin.status.builtin] or plugins
