"""Fragments of the catalogue: the ``registry.toml`` that an installed plugin has beside its ``__init__.py``.

They are found and read without importing anything, and one that is not as it should be harms nobody: the plugin
remains, and what is wrong is said of it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from ganzoo.core.errors import UsageError, unknown
from ganzoo.zoo.catalogue import Catalogue, ModelEntry
from ganzoo.zoo.installed import normal
from ganzoo.zoo.loading import Plugin, described
from ganzoo.zoo.status import PluginStatus

__all__ = ["FRAGMENT", "Fragment", "read_fragments"]

FRAGMENT = "registry.toml"

LONGEST = 300
"""Characters that are shown of what is wrong with a fragment."""


@dataclass(frozen=True)
class Fragment:
    """What a plugin's own package says of its models.

    Attributes:
        models: the models of this plugin, by name; none if there is a complaint.
        complaint: why the file is not used, in a line; empty if it is.
    """

    models: Mapping[str, ModelEntry] = field(default_factory=dict)
    complaint: str = ""

    def remark(self, status: PluginStatus) -> str:
        """What the plugin's author should put right, in a line; empty if nothing.

        Args:
            status: what became of the plugin.
        """
        if self.complaint or status.state != "loaded":
            return self.complaint
        said = {
            "describes {}, which the plugin does not bring": self.models.keys() - set(status.models),
            "does not describe {}": set(status.models) - self.models.keys(),
        }
        wrong = [text.format(", ".join(sorted(names))) for text, names in said.items() if names]
        return f"its {FRAGMENT} {' and '.join(wrong)}" if wrong else ""


def read_fragments(plugins: Sequence[Plugin]) -> dict[Plugin, Fragment]:
    """The fragments of those third-party plugins that may be imported and have one; imports none of them.

    Args:
        plugins: the installed plugins.
    """
    packages: dict[tuple[str, str], list[Plugin]] = {}
    for plugin in plugins:
        if plugin.package and not plugin.status.builtin:
            packages.setdefault((normal(plugin.status.distribution), plugin.package), []).append(plugin)
    found: dict[Plugin, Fragment] = {}
    for (_, package), theirs in packages.items():
        allowed = [plugin for plugin in theirs if plugin.status.state != "disabled"]
        if allowed:
            found |= _read(package, [plugin.status.name for plugin in theirs], allowed)
    return found


def _read(package: str, names: Sequence[str], allowed: Sequence[Plugin]) -> dict[Plugin, Fragment]:
    """The fragment of a package, divided among its plugins; empty if it has none."""
    try:
        file = _file(package)
        models = {} if file is None else _checked(file, f"{package}/{FRAGMENT}", names)
    except Exception as error:  # the import system runs code of others, and so may raise anything
        text = str(error) if isinstance(error, UsageError) else f"{package}/{FRAGMENT}: {described(error)}"
        line = "".join(character if character.isprintable() else " " for character in text)
        complaint = f"not used: {line if len(line) <= LONGEST else f'{line[:LONGEST]}…'}"
        return {plugin: Fragment(complaint=complaint) for plugin in allowed}
    if file is None:
        return {}
    return {
        plugin: Fragment({name: entry for name, entry in models.items() if entry.plugin == plugin.status.name})
        for plugin in allowed
    }


def _file(package: str) -> Path | None:
    """Where a package's fragment is; None if it has none, as a module in a single file.

    Raises:
        UsageError: it is no file, or one outside the package.
    """
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # what cannot be found has no fragment; its import will say so
        return None
    if spec is None or not spec.has_location or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    file = folder / FRAGMENT
    if not os.path.lexists(file):
        return None
    try:
        place = file.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UsageError(f"the registry {package}/{FRAGMENT} is a link to nothing") from error
    if not place.is_relative_to(folder.resolve()):
        raise UsageError(f"the registry {package}/{FRAGMENT} is a link out of its package")
    if not place.is_file():  # a pipe, which would be waited for
        raise UsageError(f"the registry {package}/{FRAGMENT} is no file")
    return place


def _checked(file: Path, called: str, names: Sequence[str]) -> dict[str, ModelEntry]:
    """The models that a fragment describes.

    Args:
        file: the fragment.
        called: what an error calls it.
        names: the plugins that it may speak of.

    Raises:
        UsageError: it cannot be read, does not follow the schema, or speaks of what is not its own.
    """
    catalogue = Catalogue.read(file, called=called)
    if catalogue.weights:
        raise UsageError(f"the registry {called} is wrong at weights: a plugin's own can list models alone")
    for name, entry in catalogue.models.items():
        if entry.plugin not in names:
            wrong = unknown("plugin", entry.plugin, names, where="this package")
            raise UsageError(f"the registry {called} is wrong at models.{name}.plugin: {wrong}")
    return catalogue.models
