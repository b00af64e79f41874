"""The zoo itself: which class answers to a name, and what became of each plugin."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from ganzoo.core.errors import UsageError, unknown
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.loading import KINDS, Plugin, PluginStatus, Selection, discover, normal

if TYPE_CHECKING:
    from ganzoo.core.data import Dataset
    from ganzoo.models.model import Model

__all__ = ["Zoo", "default_zoo"]


BUILT_IN = {"datasets": "datasets", "metrics": "evaluation", "extractors": "evaluation"}
"""The entry points of the built-in classes, by kind."""


class Zoo:
    """Every plugin that is installed, imported only as far as a name requires.

    A name that the catalogue lists means the plugin that the catalogue says, and only that one is imported.
    Any other name means whichever plugin offers it, so all are imported. ``distribution:name`` says which of
    several is meant.

    Args:
        catalogue: what is known without importing anything; None reads the ``registry.toml`` of the package.
        selection: which plugins may be imported; None asks the environment.
    """

    def __init__(self, catalogue: Catalogue | None = None, selection: Selection | None = None) -> None:
        self._catalogue = catalogue
        self._selection = selection
        self._registered: list[Plugin] = []

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue.

        Raises:
            UsageError: the file is malformed.
        """
        return self._catalogue if self._catalogue is not None else Catalogue.read()

    @cached_property
    def _installed(self) -> list[Plugin]:
        selection = self._selection if self._selection is not None else Selection.from_environment()
        return discover(selection)

    @property
    def _plugins(self) -> list[Plugin]:
        return self._registered + self._installed

    def register(self, plugin: object, name: str) -> PluginStatus:
        """Adds a plugin that is not installed: a module or an object with hook implementations.

        Args:
            plugin: what an entry point would have named.
            name: its name; it stands for the distribution too, as in ``name:model``.

        Raises:
            UsageError: the plugin is not as it should be.
        """
        added = Plugin(PluginStatus(name, name, "", False, "not loaded"), lambda: plugin)
        added.load()
        if added.status.state != "loaded":
            raise UsageError(f"plugin {name!r} cannot be used: {added.status.reason}")
        self._registered.append(added)
        return added.status

    @property
    def in_every_process(self) -> bool:
        """Whether another process would find the same plugins: none was registered by hand."""
        return not self._registered

    def model(self, name: str) -> "type[Model]":
        """The model of this name.

        Args:
            name: a model's name, or ``distribution:name``.

        Raises:
            UsageError: no plugin offers it, several do, or the one that does cannot be used.
        """
        return self._find("models", name)

    def dataset(self, name: str) -> "type[Dataset]":
        """The data set of this name.

        Args:
            name: a data set's name, or ``distribution:name``.

        Raises:
            UsageError: no plugin offers it, several do, or the one that does cannot be used.
        """
        return self._find("datasets", name)

    def metric(self, name: str) -> type[Any]:
        """The metric of this name, a subclass of ``ganzoo.Metric``.

        Raises:
            UsageError: as for ``model``.
        """
        return self._find("metrics", name)

    def extractor(self, name: str) -> type[Any]:
        """The feature extractor of this name, a subclass of ``ganzoo.Extractor``.

        Raises:
            UsageError: as for ``model``.
        """
        return self._find("extractors", name)

    def models(self) -> "dict[str, type[Model]]":
        """Every model under the name that ``model`` understands; imports all plugins."""
        return self._all("models")

    def datasets(self) -> "dict[str, type[Dataset]]":
        """Every data set under the name that ``dataset`` understands; imports all plugins."""
        return self._all("datasets")

    def metrics(self) -> dict[str, type[Any]]:
        """Every metric under the name that ``metric`` understands; imports all plugins."""
        return self._all("metrics")

    def extractors(self) -> dict[str, type[Any]]:
        """Every feature extractor under the name that ``extractor`` understands; imports all plugins."""
        return self._all("extractors")

    def plugins(self, *, load: bool = True) -> list[PluginStatus]:
        """What became of each plugin.

        Args:
            load: import those that were not needed so far; otherwise they stay "not loaded".
        """
        if not load:
            return [plugin.status for plugin in self._plugins]
        taken = {offered for kind in KINDS for offered in self._all(kind) if ":" in offered}
        return [_noting_clashes(plugin.status, taken) for plugin in self._plugins]

    def _find(self, kind: str, asked: str) -> type[Any]:
        owner, _, name = asked.rpartition(":")
        if owner:
            offers = _offers(self._of(owner), kind, name)
        else:
            self._insist_on_listed(kind, name)
            offers = _offers(self._first(kind, name), kind, name) or _offers(self._plugins, kind, name)
        if not offers:
            raise self._missing(kind, owner, name)
        if len(offers) > 1:
            raise _ambiguous(kind, name, list(offers.values()))
        return next(iter(offers))

    def _of(self, owner: str) -> list[Plugin]:
        plugins = [plugin for plugin in self._plugins if normal(plugin.status.distribution) == normal(owner)]
        if not plugins:
            raise unknown("plugin distribution", owner, {p.status.distribution for p in self._plugins})
        return plugins

    def _listed(self, kind: str, name: str) -> list[Plugin]:
        """The installed plugins that bring this name by all we know without importing any."""
        if kind != "models":
            expected = BUILT_IN[kind]  # the catalogue lists models only
        elif name in self.catalogue.models:
            expected = self.catalogue.models[name].plugin
        else:
            return []
        plugins = [plugin for plugin in self._installed if plugin.status.name == expected]
        # A stranger may use the entry-point name of a built-in plugin; that does not make it one.
        return [plugin for plugin in plugins if plugin.status.builtin] or plugins

    def _first(self, kind: str, name: str) -> list[Plugin]:
        """Where to look before importing everything; what the user registered by hand is loaded anyway."""
        return self._registered + self._listed(kind, name)

    def _insist_on_listed(self, kind: str, name: str) -> None:
        """Refuses to pass to another plugin of the same name when the listed one is there but unusable."""
        if kind != "models" or _offers(self._registered, kind, name):
            return
        for plugin in self._listed(kind, name):
            plugin.load()
            if plugin.status.state != "loaded":
                raise UsageError(f"there is no model {name!r} because {_trouble(plugin.status)}")

    def _all(self, kind: str) -> dict[str, type[Any]]:
        names = {name for plugin in self._plugins for name in _loaded(plugin).offers[kind]}
        classes: dict[str, type[Any]] = {}
        for name in sorted(names):
            offers = _offers(self._plugins, kind, name)
            plain = _offers(self._first(kind, name), kind, name) or offers
            for offered, plugin in offers.items():
                alone = len(plain) == 1 and offered in plain
                classes[name if alone else f"{plugin.status.distribution}:{name}"] = offered
        return classes

    def _missing(self, kind: str, owner: str, name: str) -> UsageError:
        """The error for a name that nobody offers; plugins that did not load might have, so it names them."""
        if owner:
            plugins = self._of(owner)
            known = {offered for plugin in plugins for offered in plugin.offers[kind]}
            notes = [f"in {plugins[0].status.distribution}"]
        else:
            plugins = self._plugins
            known = set(self._all(kind))
            notes = []
        error = unknown(KINDS[kind].word, name, known)
        unusable = [plugin.status for plugin in plugins if plugin.status.state != "loaded"]
        if unusable:
            notes.append(f"not loaded: {_plugin_names(unusable)}, see ganzoo plugins")
        return UsageError(f"{error} ({'; '.join(notes)})") if notes else error


@cache
def default_zoo() -> Zoo:
    """The zoo of this process: everything installed, as the environment allows."""
    return Zoo()


def _loaded(plugin: Plugin) -> Plugin:
    plugin.load()
    return plugin


def _offers(plugins: Sequence[Plugin], kind: str, name: str) -> dict[type[Any], Plugin]:
    """The classes of this name, each with the first plugin that offers it."""
    offers: dict[type[Any], Plugin] = {}
    for plugin in plugins:
        offered = _loaded(plugin).offers[kind].get(name)
        if offered is not None:
            offers.setdefault(offered, plugin)
    return offers


def _trouble(status: PluginStatus) -> str:
    return f"plugin {status.name!r} of {status.distribution!r} is {status.state}: {status.reason}"


def _plugin_names(statuses: Sequence[PluginStatus]) -> str:
    return ", ".join(f"{status.distribution}:{status.name}" for status in statuses)


def _ambiguous(kind: str, name: str, plugins: Sequence[Plugin]) -> UsageError:
    """The error for a name that several plugins offer, with the way out."""
    statuses = [plugin.status for plugin in plugins]
    distributions = sorted({status.distribution for status in statuses})
    if len(distributions) == len(statuses):
        way_out = "ask for " + " or ".join(repr(f"{distribution}:{name}") for distribution in distributions)
    else:
        way_out = "name the one to leave out in GANZOO_DISABLE_PLUGINS"
    offered = f"the {KINDS[kind].word} {name!r} is offered by {_plugin_names(statuses)}"
    return UsageError(f"{offered}; {way_out}")


def _noting_clashes(status: PluginStatus, qualified: set[str]) -> PluginStatus:
    """The status, with a reason that names what can only be had as ``distribution:name``."""
    own = [f"{status.distribution}:{name}" for name in status.brings]
    clashes = [name for name in own if name in qualified]
    if not clashes:
        return status
    return replace(status, reason=f"others offer the same name; ask for {', '.join(clashes)}")
