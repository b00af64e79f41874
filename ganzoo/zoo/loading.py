"""One plugin at a time: found without importing it, allowed or denied, imported, checked, and given a status.

A broken plugin must not take the others down. pluggy's own ``load_setuptools_entrypoints`` stops at the
first that raises, ignores a second entry point of the same name and accepts misspelt hooks; so the loop is
ours, and each plugin gets a plugin manager of its own.
"""

import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, distributions
from pkgutil import resolve_name
from typing import Any, Literal, NamedTuple, Self, TypeVar

import pluggy

from ganzoo.core.errors import unknown
from ganzoo.zoo import hookspecs

__all__ = ["KINDS", "Kind", "Plugin", "PluginStatus", "Selection", "discover", "normal"]

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""Names go into folder names, ``model@recipe`` and ``distribution:name``, so no ``@``, ``:`` or ``/``."""


class Kind(NamedTuple):
    """Something that plugins bring: the word for one, the hook that returns them and their base class."""

    word: str
    hook: str
    base: str  # "module:name", imported only once a plugin is

    @property
    def expected(self) -> str:
        """What the hook should return, in words."""
        return f"a list of subclasses of ganzoo.{self.base.rpartition(':')[2]}"


KINDS = {
    "models": Kind("model", "ganzoo_register_models", "ganzoo.models.model:Model"),
    "datasets": Kind("data set", "ganzoo_register_datasets", "ganzoo.core.data:Dataset"),
    "metrics": Kind("metric", "ganzoo_register_metrics", "ganzoo.evaluation.metric:Metric"),
    "extractors": Kind("extractor", "ganzoo_register_extractors", "ganzoo.evaluation.extractor:Extractor"),
}


@dataclass(frozen=True)
class PluginStatus:
    """What became of one plugin.

    Attributes:
        name: its entry-point name.
        distribution: the installed distribution that brings it.
        version: that distribution's version, empty if it has none.
        builtin: whether it is part of ganzoo.
        state: "not loaded" until something needs it.
        reason: why it is disabled or failed, or what to know about a loaded one; one line, often empty.
        models: names of the models that it offers.
        datasets: names of the data sets that it offers.
        metrics: names of the metrics that it offers.
        extractors: names of the feature extractors that it offers.
    """

    name: str
    distribution: str
    version: str
    builtin: bool
    state: Literal["loaded", "not loaded", "disabled", "failed"]
    reason: str = ""
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    extractors: tuple[str, ...] = ()

    @property
    def brings(self) -> tuple[str, ...]:
        """The names of everything that it offers."""
        return self.models + self.datasets + self.metrics + self.extractors


@dataclass(frozen=True)
class Selection:
    """Which plugins may be imported, each given by its name, its distribution or ``distribution:name``.

    Attributes:
        allow: the only third-party plugins to load, None for all; built-in ones need no permission.
        deny: plugins not to load, built-in ones included; stronger than ``allow``.
    """

    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Reads ``GANZOO_LOAD_PLUGINS`` (empty: no third-party plugin) and ``GANZOO_DISABLE_PLUGINS``."""

        def names(text: str) -> frozenset[str]:
            return frozenset(normal(part) for part in text.split(",") if part.strip())

        allow = environ.get("GANZOO_LOAD_PLUGINS")
        return cls(None if allow is None else names(allow), names(environ.get("GANZOO_DISABLE_PLUGINS", "")))

    def refusal(self, name: str, distribution: str, builtin: bool) -> str:
        """Why this plugin may not be imported; empty if it may."""
        meant = {normal(name), normal(distribution), normal(f"{distribution}:{name}")}
        if meant & self.deny:
            return "named in GANZOO_DISABLE_PLUGINS"
        if self.allow is not None and not builtin and not meant & self.allow:
            return "not named in GANZOO_LOAD_PLUGINS"
        return ""


class Plugin:
    """One plugin, imported and checked by the first call of ``load``.

    Args:
        status: what is known before it is imported; only one that is "not loaded" will be.
        source: imports and returns the plugin, a module or any object with hook implementations.

    Attributes:
        status: what became of it so far.
        offers: per kind ("models", "datasets", …) the classes that it brings, by name.
        hooks: its own plugin manager, None until it is loaded.
    """

    def __init__(self, status: PluginStatus, source: Callable[[], object]) -> None:
        self.status = status
        self.offers: dict[str, dict[str, type[Any]]] = {kind: {} for kind in KINDS}
        self.hooks: pluggy.PluginManager | None = None
        self._source = source

    def load(self) -> None:
        """Imports and checks the plugin unless that was done; what goes wrong is put into ``status``."""
        if self.status.state != "not loaded":
            return
        try:
            plugin = _guarded("its import", self._source)
            self.hooks, self.offers = _guarded("the check of its hooks", lambda: _examine(plugin))
        except _Refused as error:
            self.status = replace(self.status, state="failed", reason=str(error))
        else:
            offered = {kind: tuple(sorted(classes)) for kind, classes in self.offers.items()}
            self.status = replace(self.status, state="loaded", **offered)  # type: ignore[arg-type]


class _Refused(Exception):
    """Why a plugin was refused, in one line."""


def _guarded(what: str, function: Callable[[], T]) -> T:
    """Runs a piece of the plugin's own code; whatever it raises becomes a refusal."""
    try:
        return function()
    except (KeyboardInterrupt, _Refused):
        raise
    except BaseException as error:  # SystemExit too: a plugin may leave, but not with us
        lines = str(error).strip().splitlines()
        detail = f": {lines[0]}" if lines else ""
        raise _Refused(f"{what} raised {type(error).__name__}{detail}") from error


def _examine(plugin: object) -> tuple[pluggy.PluginManager, dict[str, dict[str, type[Any]]]]:
    """The plugin's own manager and what it offers, if all of it is as it should be."""
    hooks = _accept(plugin)
    return hooks, {name: _collect(hooks, kind) for name, kind in KINDS.items()}


def _accept(plugin: object) -> pluggy.PluginManager:
    """A plugin manager that holds this plugin alone, once its hook implementations are the right ones."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    known = [name for name in hookspecs.__all__ if name.startswith("ganzoo_")]
    found = False
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            _check_signature(plugin, attribute, options["specname"] or attribute, known)
            found = True
        elif attribute in known:
            raise _Refused(f"{attribute} is not marked as a hook; expected @ganzoo.hookimpl above it")
    if not found:
        raise _Refused(f"it implements no hook; expected @ganzoo.hookimpl on one of {', '.join(known)}")
    manager.register(plugin)
    return manager


def _check_signature(plugin: object, attribute: str, hook: str, known: list[str]) -> None:
    """Refuses a hook implementation whose name or arguments are not those of the specification."""
    if hook not in known:
        raise _Refused(str(unknown("hook", hook, known)))
    expected = inspect.signature(getattr(hookspecs, hook)).parameters
    for name, parameter in inspect.signature(getattr(plugin, attribute)).parameters.items():
        optional = parameter.default is not parameter.empty
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if name not in expected and not optional and not variadic:
            signature = f"{hook}({', '.join(expected)})"
            raise _Refused(f"hook {hook} has no argument {name!r}; expected def {signature}")


def _collect(hooks: pluggy.PluginManager, kind: Kind) -> dict[str, type[Any]]:
    """The classes that the plugin's hook for this kind returns, by name."""
    caller = getattr(hooks.hook, kind.hook)
    if not caller.get_hookimpls():
        return {}
    answers = _guarded(f"{kind.hook}()", caller)
    if not answers:  # pluggy leaves None out
        raise _Refused(f"{kind.hook} returned None; expected {kind.expected}")
    classes: dict[str, type[Any]] = {}
    base = resolve_name(kind.base)
    for answer in answers:
        if not isinstance(answer, list | tuple):
            raise _Refused(f"{kind.hook} returned {_described(answer)}; expected {kind.expected}")
        for offered in answer:
            name = _checked_name(offered, base, kind)
            if classes.setdefault(name, offered) is not offered:
                raise _Refused(f"{kind.hook} returned two classes named {name!r}; expected a name for each")
    return classes


def _checked_name(offered: object, base: type, kind: Kind) -> str:
    """The name of an offered class, once the class can be used."""
    if not (isinstance(offered, type) and issubclass(offered, base)):
        raise _Refused(f"{kind.hook} returned {_described(offered)} in its list; expected {kind.expected}")
    label = f"{kind.hook} returned {_described(offered)}"
    name = getattr(offered, "name", None)
    if not isinstance(name, str) or not name:
        raise _Refused(f"{label}, which has no name; expected name = {offered.__name__.lower()!r} in it")
    if not NAME.fullmatch(name):
        raise _Refused(f"{label}, which is named {name!r}; expected letters, digits, '-' and '_' alone")
    missing = sorted(getattr(offered, "__abstractmethods__", ()))
    if missing:
        raise _Refused(f"{label}, which is abstract; expected it to define {', '.join(missing)}")
    return name


def _described(value: object) -> str:
    return f"the class {value.__qualname__}" if isinstance(value, type) else f"a {type(value).__name__} object"


def discover(selection: Selection) -> list[Plugin]:
    """Every installed plugin, built-in ones first, then by distribution and name; imports none of them.

    Args:
        selection: which of them may be imported later.
    """
    found: dict[tuple[str, str], Plugin] = {}
    for status, source in _installed():
        refusal = selection.refusal(status.name, status.distribution, status.builtin)
        if refusal:
            status = replace(status, state="disabled", reason=refusal)
        # The first on the path wins, as it does for importing: a folder may be on the path twice.
        found.setdefault((normal(status.distribution), status.name), Plugin(status, source))
    return sorted(found.values(), key=lambda p: (not p.status.builtin, p.status.distribution, p.status.name))


def _installed() -> Iterator[tuple[PluginStatus, Callable[[], object]]]:
    """Status and importer of every entry point of ours.

    Each distribution is asked by itself, since ``importlib.metadata.entry_points()`` raises if a single one
    has a malformed ``entry_points.txt``.
    """
    for distribution in distributions():
        try:
            ours = list(distribution.entry_points.select(group=hookspecs.PROJECT))
        except Exception as error:
            if f"[{hookspecs.PROJECT}]" in (distribution.read_text("entry_points.txt") or ""):
                name, version = _identity(distribution)
                reason = f"its entry_points.txt cannot be read ({type(error).__name__})"
                yield PluginStatus(name, name, version, False, "failed", reason), lambda: None
            continue
        for point in ours:
            name, version = _identity(distribution)
            builtin = normal(name) == hookspecs.PROJECT
            yield PluginStatus(point.name, name, version, builtin, "not loaded"), point.load


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version of a distribution, also of one whose metadata are damaged."""
    try:
        return distribution.metadata["Name"] or "unnamed", distribution.metadata["Version"] or ""
    except Exception:
        return "unnamed", ""


def normal(name: str) -> str:
    """A distribution's or plugin's name as PEP 503 compares them: ``My_GAN`` is ``my-gan``."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
