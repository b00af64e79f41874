"""One plugin at a time: found without importing it, allowed or denied, imported, checked, and given a status.

A broken plugin must not take the others down. pluggy's own ``load_setuptools_entrypoints`` stops at the
first that raises, ignores a second entry point of the same name and accepts misspelt hooks; so the loop is
ours, and each plugin gets a plugin manager of its own.
"""

import inspect
import re
import reprlib
from collections.abc import Callable
from dataclasses import replace
from pkgutil import resolve_name
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import pluggy

from ganzoo.core.errors import Unavailable, UsageError, unknown
from ganzoo.zoo import hookspecs
from ganzoo.zoo.installed import PROJECT, EntryPoint, installed
from ganzoo.zoo.selection import Selection
from ganzoo.zoo.sources import fingerprint
from ganzoo.zoo.status import PluginStatus, State

__all__ = ["KINDS", "Kind", "Plugin", "Refused", "described", "discover", "guarded"]

T = TypeVar("T")

LONGEST = 160
"""Characters that are shown of what a plugin raised."""

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


class Plugin:
    """One plugin, imported and checked by the first call of ``load``.

    Args:
        status: what is known before it is imported; only one that is "not loaded" will be.
        source: imports and returns the plugin, a module or any object with hook implementations.
        package: the top-level module that it is in, if it is a module.
        strict: raise what goes wrong, instead of putting it into ``status``.

    Attributes:
        status: what became of it so far.
        package: the top-level module that it is in, empty if it is an object.
        sources: what code it is made of, in a few digits; empty until it is loaded, and if it is built in.
        offers: per kind ("models", "datasets", …) the classes that it brings, by name.
        hooks: its own plugin manager, None until it is loaded.
        error: what was wrong with it, None if nothing was.
    """

    def __init__(
        self, status: PluginStatus, source: Callable[[], object], *, package: str = "", strict: bool = False
    ) -> None:
        self.status = status
        self.package, self.sources = package, ""
        self.offers: dict[str, dict[str, type[Any]]] = {kind: {} for kind in KINDS}
        self.hooks: pluggy.PluginManager | None = None
        self.error: Exception | None = None
        self._source, self._strict = source, strict

    def load(self) -> None:
        """Imports and checks the plugin unless that was done; what goes wrong is put into ``status``.

        Raises:
            Exception: what went wrong, if ``strict``; UsageError where the plugin itself raised nothing.
        """
        if self.status.state != "not loaded":
            return
        try:
            plugin = guarded("its import", self._timed)
            self.hooks, self.offers = guarded("the check of its hooks", lambda: _examine(plugin))
        except Unavailable as error:
            self._note(error, "unavailable", _beginning(str(error)))
        except Refused as error:
            self._note(error, error.state, str(error))
            if self._strict:
                raise self._reraised(error) from error.__cause__
        else:
            offered = {kind: tuple(sorted(classes)) for kind, classes in self.offers.items()}
            observes = any(getattr(self.hooks.hook, name).get_hookimpls() for name in hookspecs.OBSERVERS)
            self.status = replace(self.status, state="loaded", observes=observes, **offered)  # type: ignore[arg-type]
            if not self.status.builtin:
                # Now, for what is in memory stays as it is, however the files are edited.
                self.sources = fingerprint(self.package, self.classes)

    @property
    def classes(self) -> list[type[Any]]:
        """The classes that it brings, of every kind."""
        return [offered for named in self.offers.values() for offered in named.values()]

    @property
    def version(self) -> str:
        """Its version, and what it is made of: ``0.1.0 (sources 3fa81c20d5e7)``; ``sources …`` if it has no version."""
        said = f"sources {self.sources}"
        return f"{self.status.version} ({said})" if self.status.version else said

    def _timed(self) -> object:
        """Imports it, and notes how long that took."""
        if self.status.builtin:
            return self._source()
        # Nearly every plugin imports torch through this class; that is no fault of the first one to do so.
        resolve_name(KINDS["models"].base)
        began = perf_counter()
        try:
            return self._source()
        finally:
            self.status = replace(self.status, seconds=round(perf_counter() - began, 3))

    def _note(self, error: Exception, state: State, reason: str) -> None:
        self.error = error
        self.status = replace(self.status, state=state, reason=reason)

    def _reraised(self, error: "Refused") -> Exception:
        if isinstance(error.__cause__, Exception):
            return error.__cause__
        return UsageError(f"plugin {self.status.name!r} of {self.status.distribution!r} {error.state}: {error}")


class Refused(Exception):
    """Why a plugin was refused, in one line.

    Args:
        reason: the line.
        state: what the plugin is thereby.
    """

    def __init__(self, reason: str, state: State = "failed") -> None:
        super().__init__(reason)
        self.state = state


def guarded(what: str, function: Callable[[], T]) -> T:
    """Runs a piece of a plugin's own code.

    Args:
        what: the piece, in words.
        function: runs it.

    Raises:
        Refused: it raised anything, SystemExit included: a plugin may leave, but not with us.
        Unavailable: it raised that.
    """
    try:
        return function()
    except (KeyboardInterrupt, Refused, Unavailable):
        raise
    except BaseException as error:
        raise Refused(f"{what} raised {described(error)}") from error


def described(error: BaseException) -> str:
    """An exception in a line: its type, and the beginning of what it says."""
    said = _beginning(str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _beginning(text: str) -> str:
    """The first line, or as much of it as is shown."""
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _examine(plugin: object) -> tuple[pluggy.PluginManager, dict[str, dict[str, type[Any]]]]:
    """The plugin's own manager and what it offers, if all of it is as it should be."""
    _check_version(plugin)
    hooks = _accept(plugin)
    return hooks, {name: _collect(hooks, kind) for name, kind in KINDS.items()}


def _check_version(plugin: object) -> None:
    """Refuses a plugin that is written for a later interface, before its hooks are taken for mistakes."""
    needed = getattr(plugin, "GANZOO_API", hookspecs.API_VERSION)
    if type(needed) is not int or needed < 1:
        raise Refused(
            f"its GANZOO_API is {reprlib.repr(needed)}; expected a whole number, such as {hookspecs.API_VERSION}"
        )
    if needed > hookspecs.API_VERSION:
        here = f"this ganzoo has {hookspecs.API_VERSION}"
        raise Refused(f"needs plugin API {needed}, {here}; upgrade ganzoo, or take an older version", "incompatible")


def _accept(plugin: object) -> pluggy.PluginManager:
    """A plugin manager that holds this plugin alone, once its hook implementations are the right ones."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    known = [name for name in hookspecs.__all__ if name.startswith("ganzoo_")]
    found = False
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            _check_signature(plugin, attribute, options["specname"] or attribute, known)
            found = True
        elif attribute in known:
            raise Refused(f"{attribute} is not marked as a hook; expected @ganzoo.hookimpl above it")
    if not found:
        raise Refused("it implements no hook; expected @ganzoo.hookimpl on a function such as ganzoo_register_models")
    manager.register(plugin)
    return manager


def _check_signature(plugin: object, attribute: str, hook: str, known: list[str]) -> None:
    """Refuses a hook implementation whose name or arguments are not those of the specification."""
    if hook not in known:
        raise Refused(str(unknown("hook", hook, known)))
    expected = inspect.signature(getattr(hookspecs, hook)).parameters
    for name, parameter in inspect.signature(getattr(plugin, attribute)).parameters.items():
        optional = parameter.default is not parameter.empty
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if name not in expected and not optional and not variadic:
            signature = f"{hook}({', '.join(expected)})"
            raise Refused(f"hook {hook} has no argument {name!r}; expected def {signature}")


def _collect(hooks: pluggy.PluginManager, kind: Kind) -> dict[str, type[Any]]:
    """The classes that the plugin's hook for this kind returns, by name."""
    caller = getattr(hooks.hook, kind.hook)
    if not caller.get_hookimpls():
        return {}
    answers = guarded(f"{kind.hook}()", caller)
    if not answers:  # pluggy leaves None out
        raise Refused(f"{kind.hook} returned None; expected {kind.expected}")
    classes: dict[str, type[Any]] = {}
    base = resolve_name(kind.base)
    for answer in answers:
        if not isinstance(answer, list | tuple):
            raise Refused(f"{kind.hook} returned {_sort_of(answer)}; expected {kind.expected}")
        for offered in answer:
            name = _checked_name(offered, base, kind)
            if classes.setdefault(name, offered) is not offered:
                raise Refused(f"{kind.hook} returned two classes named {name!r}; expected a name for each")
    return classes


def _checked_name(offered: object, base: type, kind: Kind) -> str:
    """The name of an offered class, once the class can be used."""
    if not (isinstance(offered, type) and issubclass(offered, base)):
        raise Refused(f"{kind.hook} returned {_sort_of(offered)} in its list; expected {kind.expected}")
    label = f"{kind.hook} returned {_sort_of(offered)}"
    name = getattr(offered, "name", None)
    if not isinstance(name, str) or not name:
        raise Refused(f"{label}, which has no name; expected name = {offered.__name__.lower()!r} in it")
    if not NAME.fullmatch(name):
        raise Refused(f"{label}, which is named {name!r}; expected letters, digits, '-' and '_' alone")
    missing = sorted(getattr(offered, "__abstractmethods__", ()))
    if missing:
        raise Refused(f"{label}, which is abstract; expected it to define {', '.join(missing)}")
    return name


def _sort_of(value: object) -> str:
    return f"the class {value.__qualname__}" if isinstance(value, type) else f"a {type(value).__name__} object"


def discover(selection: Selection) -> list[Plugin]:
    """Every installed plugin, built-in ones first, then by distribution and name; imports none of them.

    Args:
        selection: which of them may be imported later.
    """
    return [_discovered(point, selection) for point in installed(PROJECT)]


def _discovered(point: EntryPoint, selection: Selection) -> Plugin:
    status = PluginStatus(point.name, point.distribution, point.version, point.builtin, "not loaded")
    refusal = selection.refusal(point.name, point.distribution, point.builtin)
    if refusal:
        status = replace(status, state="disabled", reason=refusal)
    elif point.complaint:
        status = replace(status, state="failed", reason=point.complaint)
    return Plugin(status, point.load, package=point.package, strict=selection.strict)
