"""The zoo itself: which class answers to a name, and what became of each plugin."""

from collections.abc import Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.core.errors import UsageError, unknown
from ganzoo.zoo.catalogue import Catalogue, ModelEntry
from ganzoo.zoo.complaints import ambiguous, missing, noting, noting_clashes, trouble
from ganzoo.zoo.files import checked_file, module_name, read_plugin
from ganzoo.zoo.installed import normal
from ganzoo.zoo.listing import Claim, typed_names
from ganzoo.zoo.loading import KINDS, Plugin, discover
from ganzoo.zoo.selection import Selection
from ganzoo.zoo.status import PluginStatus
from ganzoo.zoo.written import Written, named

if TYPE_CHECKING:
    from ganzoo.core.data import Dataset
    from ganzoo.models.model import Model

__all__ = ["NotOffered", "Zoo", "default_zoo"]

BUILT_IN = {"datasets": "datasets", "metrics": "evaluation", "extractors": "evaluation"}
"""The entry points of the built-in classes, by kind."""


class NotOffered(UsageError):
    """Nobody offers the name, as far as could be found out."""


class Zoo:
    """Every plugin that is installed, imported only as far as a name requires.

    A name that the catalogue lists means the plugin that the catalogue says, and only that one is imported. Any
    other name means whichever plugin offers it, so all are imported, whatever plugins say of themselves in
    fragments of the catalogue. ``distribution:name`` says which of several is meant.

    Args:
        catalogue: what is known without importing anything; None reads the ``registry.toml`` of the package.
        selection: which plugins may be imported; None asks the environment.
    """

    def __init__(self, catalogue: Catalogue | None = None, selection: Selection | None = None) -> None:
        self._catalogue = catalogue
        self._asked = selection
        self._registered: list[Plugin] = []
        self._files: dict[Path, tuple[Path, PluginStatus]] = {}

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue.

        Raises:
            UsageError: the file is malformed.
        """
        return self._catalogue if self._catalogue is not None else Catalogue.read()

    @cached_property
    def _selection(self) -> Selection:
        return self._asked if self._asked is not None else Selection.from_environment()

    @cached_property
    def _installed(self) -> list[Plugin]:
        return discover(self._selection)

    @cached_property
    def _written(self) -> Written:
        return Written(self.catalogue, self._installed)

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
        return self._register(Plugin(_by_hand(name), lambda: plugin, strict=self._selection.strict))

    def register_file(self, file: Path) -> PluginStatus:
        """Adds a plugin that is a single file; naming it a second time changes nothing.

        Args:
            file: a Python file with hooks, or with nothing but the classes that it brings. Its name without the
                ending stands for plugin and distribution.

        Raises:
            UsageError: it is no Python file, or not as a plugin should be.
        """
        place = checked_file(file).resolve()
        if place not in self._files:
            source, package = partial(read_plugin, file), module_name(file)
            added = Plugin(_by_hand(file.stem), source, package=package, strict=self._selection.strict)
            self._files[place] = (file, self._register(added, f"the plugin {file}"))
        return self._files[place][1]

    def _register(self, added: Plugin, what: str = "") -> PluginStatus:
        added.load()
        if added.status.state != "loaded":
            what = what or f"plugin {added.status.name!r}"
            raise UsageError(f"{what} cannot be used: {added.status.reason}") from added.error
        self._registered.append(added)
        return added.status

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were registered, as they were named; another process needs them named again."""
        return tuple(file for file, _ in self._files.values())

    @property
    def strict(self) -> bool:
        """Whether what a plugin raises is raised on."""
        return self._selection.strict

    @property
    def in_every_process(self) -> bool:
        """Whether another process can have the same plugins, given ``files``: none other was registered."""
        return len(self._registered) == len(self._files)

    def versions(self, *classes: type) -> dict[str, str]:
        """The versions of the plugins that brought these classes of this zoo, by distribution, but for built-in ones.

        Each says too, in a few digits, what code the plugin is made of, so that it changes when that is edited.
        """
        found: dict[str, list[str]] = {}
        for each in classes:
            plugins = [plugin for plugin in self._plugins if each in plugin.classes]
            if plugins and not any(plugin.status.builtin for plugin in plugins):
                found.setdefault(plugins[0].status.distribution, []).append(plugins[0].version)
        return {name: "; ".join(sorted(set(versions))) for name, versions in found.items()}

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

    def entry(self, name: str) -> ModelEntry | None:
        """What is written of a model, in the catalogue or by its plugin; None if nothing is. Imports nothing.

        Args:
            name: a model's name, or ``distribution:name``.

        Raises:
            UsageError: the catalogue is malformed.
        """
        return self._written.entry(name)

    def listing(self) -> "dict[str, ModelEntry | type[Model]]":
        """Every model under the name that ``model`` understands: what is written of it, or else its class.

        Imports only those plugins of which nothing is written.
        """
        claims: list[Claim[ModelEntry | type[Model]]] = []
        for plugin in self._plugins:
            written = self._written.models(plugin)
            if plugin.status.state == "not loaded" and written is not None:
                claims += [Claim(name, plugin, plugin, entry) for name, entry in written.items()]
            elif not (plugin.status.builtin and plugin.status.name in BUILT_IN.values()):
                offered = _loaded(plugin).offers["models"].items()
                claims += [Claim(name, plugin, what, (written or {}).get(name, what)) for name, what in offered]
        return typed_names(claims, partial(self._first, "models"))

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

    def observers(self) -> list[Plugin]:
        """The plugins that watch runs.

        Imports every plugin, but for those built-in ones that are known to bring something else.
        """
        others = {*BUILT_IN.values(), *(entry.plugin for entry in self.catalogue.models.values())}
        asked = [each for each in self._plugins if not (each.status.builtin and each.status.name in others)]
        return [plugin for plugin in asked if _loaded(plugin).status.observes]

    def plugins(self, *, load: bool = True) -> list[PluginStatus]:
        """What became of each plugin.

        Args:
            load: import those that were not needed so far; otherwise they stay "not loaded".
        """
        if not load:
            return [plugin.status for plugin in self._plugins]
        taken = {offered for kind in KINDS for offered in self._all(kind) if ":" in offered}
        return [noting(noting_clashes(plugin.status, taken), self._written.remark(plugin)) for plugin in self._plugins]

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
            raise ambiguous(KINDS[kind].word, name, [plugin.status for plugin in offers.values()])
        return next(iter(offers))

    def _of(self, owner: str) -> list[Plugin]:
        plugins = [plugin for plugin in self._plugins if normal(plugin.status.distribution) == normal(owner)]
        if not plugins:
            raise unknown("plugin distribution", owner, {p.status.distribution for p in self._plugins})
        return plugins

    def _listed(self, kind: str, name: str) -> list[Plugin]:
        """The installed plugins that bring this name by all we know without importing any."""
        if kind == "models":
            return self._written.plugins(name)
        return named(self._installed, BUILT_IN[kind])  # models are all that is written of

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
                raise UsageError(f"there is no model {name!r} because {trouble(plugin.status)}")

    def _all(self, kind: str) -> dict[str, type[Any]]:
        offers = [(plugin, _loaded(plugin).offers[kind]) for plugin in self._plugins]
        claims = [Claim(name, plugin, what, what) for plugin, names in offers for name, what in names.items()]
        return typed_names(claims, partial(self._first, kind))

    def _missing(self, kind: str, owner: str, name: str) -> UsageError:
        """The error for a name that nobody offers; plugins that did not load might have, so it names them."""
        plugins = self._of(owner) if owner else self._plugins
        known = {offered for plugin in plugins for offered in plugin.offers[kind]} if owner else set(self._all(kind))
        where = plugins[0].status.distribution if owner else ""
        return NotOffered(missing(KINDS[kind].word, name, known, where, [plugin.status for plugin in plugins]))


@cache
def default_zoo() -> Zoo:
    """The zoo of this process: everything installed, as the environment allows."""
    return Zoo()


def _by_hand(name: str) -> PluginStatus:
    return PluginStatus(name, name, "", False, "not loaded")


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
