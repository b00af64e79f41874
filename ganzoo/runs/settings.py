"""Where settings come from: layers of values with their origin, read from files and the command line."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.reading import MAX_TOML, parse_toml, read_file

__all__ = ["Layer", "epochs_to_images", "flag_layer", "option_layer", "parse_count", "read_toml", "with_none"]

_FACTORS = {"k": 1_000, "m": 1_000_000}
_TABLES = ("train", "options", "data_options", "models")
# The model and its recipe are chosen on the command line (infogan@paper), never in a file.
_TRAIN = (
    *("data", "images", "batch", "seed", "device", "precision", "graph"),
    *("schedule", "half_life", "tick", "save_every"),
)


@dataclass(frozen=True)
class Layer:
    """Settings from one place; of two layers, the later one counts.

    Attributes:
        origin: the place, as a user would recognise it ("ganzoo.toml").
        values: value by dotted key (``batch``, ``options.noise``, ``data_options.size``).
        origins: the origin of single keys, where it says more than the layer's ("--batch").
    """

    origin: str
    values: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin_of(self, key: str) -> str:
        """Where the value of ``key`` comes from."""
        return self.origins.get(key, self.origin)


def flag_layer(values: Mapping[str, Any]) -> Layer:
    """The layer of the command line's flags, each its own origin: ``save_every`` comes from --save-every.

    Args:
        values: by setting; None where the flag was not given.
    """
    given = {key: value for key, value in values.items() if value is not None}
    return Layer("the command line", given, {key: "--" + key.replace("_", "-") for key in given})


def option_layer(items: Iterable[str], flag: str = "-o", table: str = "options") -> Layer:
    """The layer of repeated ``-o key=value``; of two with one key, the later one counts.

    Args:
        items: ``key=value`` each; a value that reads as TOML (3, 0.5, true, "a", [10, 10]) is that, and
            anything else is text, so that ``latent=z: normal(62)`` needs no second pair of quotes.
        flag: the flag that the items were given with.
        table: what the keys belong to, ``options`` (the model's) or ``data_options``.

    Raises:
        UsageError: an item is not of the form ``key=value``.
    """
    values, origins = {}, {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{flag} takes key=value, such as {flag} noise=64, not {item!r}")
        key = f"{table}.{name.strip()}"
        values[key] = _literal(text)
        origins[key] = f"{flag} {item}"
    return Layer(flag, values, origins)


def with_none(layer: Layer, options: type[BaseModel]) -> Layer:
    """The layer with None where it says ``none`` of an option that may be None, for which TOML has no word.

    Args:
        layer: settings from one place.
        options: the model's class of options; what has a choice of its own that is called ``none`` keeps the text.
    """
    values = {
        key: None if value == "none" and _may_be_none(options, key) else value for key, value in layer.values.items()
    }
    return replace(layer, values=values)


def read_toml(path: Path, model: str, origin: str | None = None) -> list[Layer]:
    """The layers of a settings file: what it says of every model, then what it says of this one.

    The tables are ``[train]`` (settings), ``[data_options]``, ``[options]`` (of every model) and
    ``[models.NAME]`` (one model's options, which go before ``[options]``).

    Args:
        path: the file, such as ``ganzoo.toml``.
        model: name of the model that is to be trained.
        origin: how to name the file, by default its path.

    Raises:
        UsageError: the file is missing, malformed, or has a table or setting that does not exist.
    """
    origin = origin or str(path)
    try:
        tables = parse_toml(read_file(path, MAX_TOML))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text, as TOML must be (byte {error.start})") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    for name in tables:
        if name not in _TABLES:
            raise unknown(f"table in {path}", name, _TABLES)
    train = _table(path, tables, "train")
    for key in train:
        if key not in _TRAIN:
            raise unknown(f"setting in [train] of {path}", key, _TRAIN)
    shared = {**train, **_dotted("data_options", _table(path, tables, "data_options"))}
    shared |= _dotted("options", _table(path, tables, "options"))
    models = _table(path, tables, "models")
    own = [_table(path, models, name, "models.") for name in models if name == model]
    return [Layer(origin, shared), *(Layer(origin, _dotted("options", values)) for values in own)]


def parse_count(value: object, what: str = "images") -> int:
    """A number of things: 640000, "640_000", "640k" or "1.5M".

    Args:
        value: a whole number, or text with k for a thousand or M for a million.
        what: what is counted, for the error.

    Raises:
        UsageError: the value is no number, not whole or below 1.
    """
    text = str(value).strip().lower()
    factor = _FACTORS.get(text[-1:], 1)
    try:
        count = float(text[:-1] if factor > 1 else text) * factor
        # Rounded where a product such as 0.7M is off by the last bit of a float.
        whole = round(count)
    except (ValueError, OverflowError):
        whole, count = 0, 0.0
    if whole < 1 or abs(whole - count) > 1e-6 or isinstance(value, bool):
        raise UsageError(f"{what} must be a whole number above 0, such as 640000, 640k or 2M, not {value!r}")
    return whole


def epochs_to_images(epochs: float | str, size: int) -> int:
    """The budget in images of so many passes over a data set.

    Args:
        epochs: a number above 0; fractions are allowed.
        size: samples in the data set.

    Raises:
        UsageError: ``epochs`` is no number above 0.
    """
    try:
        images = round(float(epochs) * size)
    except (ValueError, OverflowError):
        images = 0
    if images < 1:
        raise UsageError(f"epochs must be a number above 0, such as 20 or 0.5, not {epochs!r}")
    return images


def _table(path: Path, tables: Mapping[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{prefix}{name} in {path} must be a table, [{prefix}{name}], not {table!r}")
    return table


def _dotted(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{table}.{key}": value for key, value in values.items()}


def _may_be_none(options: type[BaseModel], key: str) -> bool:
    table, _, name = key.partition(".")
    known = options.model_fields.get(name) if table == "options" else None
    kinds = get_args(known.annotation) if known else ()
    return type(None) in kinds and not any("none" in get_args(kind) for kind in kinds)


def _literal(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML, a number of thousands of digits, or brackets without end
        return text
    value = parsed.get("value")
    # Several lines would be several settings, and no option is a date.
    return text if len(parsed) != 1 or isinstance(value, date | time) else value
