"""What a model says of itself: its name, where it comes from, and its options."""

import json
import sys
import tomllib
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import UsageError
from ganzoo.models.model import Model
from ganzoo.testing.bench import Bench
from ganzoo.testing.checks.spec import check
from ganzoo.testing.results import CheckFailed, require
from ganzoo.zoo.manager import default_zoo

__all__ = ["described", "named", "options", "registered"]

HOOK = "ganzoo_register_models"
LONGEST_SUMMARY = 160


@check()
def named(bench: Bench) -> None:
    """The model has a valid name, which means this model and no other."""
    try:
        found = bench.zoo.model(bench.model.name)
    except UsageError as error:
        raise CheckFailed(str(error)) from error
    require(found is bench.model, f"the name {bench.model.name!r} means {found!r}; choose another")


@check("named")
def registered(bench: Bench) -> None:
    """A plugin registers the model, so that its name can be typed."""
    model = bench.model
    if any(model in _hooked(module) for module in _modules_about(model)):
        return
    # The hook may stand in quite another module, or the model in a file of --plugin, which needs none.
    require(
        model in default_zoo().models().values(),
        f"no plugin registers it; return [{model.__name__}] from a function {HOOK} marked @ganzoo.hookimpl, in the "
        "module that an entry point of the group ganzoo names",
    )


@check("named")
def described(bench: Bench) -> None:
    """The class says in a line what it is, each option what it does, and the catalogue names the paper."""
    model = bench.model
    documentation = model.__dict__.get("__doc__") or ""
    require(
        bool(documentation.strip()),
        f"the class {model.__name__} has no docstring; its first line is what `ganzoo models` shows",
    )
    summary = model.summary()
    require(
        0 < len(summary) <= LONGEST_SUMMARY,
        f"the first line of the docstring of {model.__name__} has {len(summary)} characters; say in at most "
        f"{LONGEST_SUMMARY} what the model is",
    )
    for name, field in model.Options.model_fields.items():
        require(
            bool(field.description),
            f"the option {name!r} has no description; give it one, as in "
            f'{name}: int = Field(…, description="what it does"), for `ganzoo show {model.name}`',
        )
    entry = bench.zoo.catalogue.models.get(model.name)
    require(
        entry is None or entry.paper is not None,
        f"the catalogue lists {model.name} without its paper; add [models.{model.name}.paper] to the registry",
    )


@check("named")
def options(bench: Bench) -> None:
    """The options survive a settings file (TOML) and a run's record (JSON), and unknown ones are refused."""
    kind = bench.model.Options
    for given in ({}, bench.options):
        try:
            chosen = kind(**given)
        except ValidationError as error:
            raise CheckFailed(f"the options {given} are refused: {validation_sentence(error)}") from error
        require(chosen == kind(**given), "the defaults of the options change from one time to the next")
        try:
            plain = chosen.model_dump(mode="json")
        except PydanticSerializationError as error:
            raise CheckFailed(f"an option cannot be written down: {error}; use numbers, texts and tuples") from error
        # What is none is left out, as in a settings file; a default that is something else would take its place.
        kept = {name: value for name, value in plain.items() if value is not None}
        _compare(bench, chosen, plain, json.loads(json.dumps(plain)), "JSON")
        _compare(bench, chosen, kept, tomllib.loads("".join(f"{k} = {_toml(v)}\n" for k, v in kept.items())), "TOML")
    try:
        kind(**{"no_such_option": 1})
    except ValidationError:
        return
    raise CheckFailed("an option that does not exist is accepted; leave model_config of the Options as it is")


def _compare(bench: Bench, chosen: Any, written: dict[str, Any], read: dict[str, Any], language: str) -> None:
    """Require that options read back from a file are those that were written."""
    sides = {
        frozenset(pair) for one, others in bench.model.Options.alternatives.items() for pair in _pairs(one, others)
    }
    clash = {name for pair in sides if pair <= read.keys() for name in pair}
    values = {name: value for name, value in read.items() if name not in clash}
    try:
        again = bench.model.Options(**values)
    except ValidationError as error:
        raise CheckFailed(
            f"options are refused when read back from {language}: {validation_sentence(error)}"
        ) from error
    for name in written:
        before, after = getattr(chosen, name), getattr(again, name)
        require(
            name in clash or (before == after and type(before) is type(after)),
            f"the option {name!r} is {before!r}, and {after!r} after a trip through {language}; give it a type that "
            "pydantic can restore, such as tuple[int, ...]",
        )


def _pairs(one: str, others: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(one, other) for other in others]


def _toml(value: Any) -> str:
    """A value of JSON's types, without nulls, as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    require(value is not None, "an option has a none inside a list or table, for which TOML has no word")
    return json.dumps(value, ensure_ascii=False)


def _modules_about(model: type[Model]) -> list[dict[str, Any]]:
    """The names of the module that defines the class, and of the packages around it."""
    path = model.__module__
    # A module that was loaded from a file need not be listed, but its functions know where they are.
    found = [getattr(model.latent, "__globals__", {})]
    while path:
        if path in sys.modules:
            found.append(vars(sys.modules[path]))
        path = path.rpartition(".")[0]
    return found


def _hooked(names: dict[str, Any]) -> list[object]:
    hook = names.get(HOOK)
    return list(hook()) if callable(hook) and hasattr(hook, "ganzoo_impl") else []
