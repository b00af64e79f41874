"""How a page writes numbers, times and commands."""

import json
import shlex
from contextlib import suppress
from itertools import pairwise
from typing import Any

from ganzoo.evaluation import score
from ganzoo.runs.record import RunRecord

__all__ = ["amount", "better", "duration", "plain", "reproduce", "with_spread"]

_FLAGS = ("images", "batch", "seed", "device", "precision", "graph", "save_every")
_SETTLED = ("default", "from images")
"""Origins of values that follow from the others."""


def amount(value: float | None, unit: str = "") -> str:
    """A measured value with its unit, as scores have it; also times and sizes."""
    if value is not None and unit == "seconds":
        return duration(value)
    if value is not None and unit == "bytes":
        return f"{value / 1e6:,.0f} MB"
    return score.amount(value, unit)


def with_spread(mean: float | None, spread: float | None, unit: str = "") -> str:
    """A mean and its standard deviation over seeds: ``4.1 ± 0.3 %``; the mean alone where there is none."""
    if mean is None or spread is None:
        return amount(mean, unit)
    if unit == "seconds":
        return f"{duration(mean)} ± {duration(spread)}"
    factor, sign = {"share": (100, "%"), "bytes": (1e-6, "MB")}.get(unit, (1, unit))
    mean, spread = factor * mean, factor * spread
    # Equal values may have a spread of a few units in their last place.
    places = score.decimals(spread, 2) if spread > 1e-9 * abs(mean) else score.decimals(mean)
    return f"{mean:,.{places}f} ± {spread:,.{places}f} {sign}".strip()


def better(direction: str | None) -> str:
    """Which way is better, short."""
    return {"lower": "↓ lower", "higher": "↑ higher"}.get(direction or "", "")


def duration(seconds: float) -> str:
    """A time, to the precision that matters: ``12 s``, ``8 min 31 s``, ``2 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def reproduce(record: RunRecord) -> str:
    """The command that trains the same again, whatever the settings files say that were in force then."""
    config, flat = record.config, record.config.flat()
    model = config.model if config.recipe in (None, "default") else f"{config.model}@{config.recipe}"
    words = ["ganzoo", "train", model, *_plugins(record.command), "--data", config.data, "--seed", str(config.seed)]
    beyond = []
    for key, value in flat.items():
        origin = record.origins.get(key, "")
        table, dot, name = key.partition(".")
        follows = origin in _SETTLED or origin.startswith("recipe ") or (value is None and table != "options")
        if follows or key in ("model", "recipe", "data", "seed"):
            continue
        if dot:
            words += ["-d" if table == "data_options" else "-o", f"{name}={plain(value)}"]
        elif key in _FLAGS:
            words += [f"--{key.replace('_', '-')}", str(value)]
        else:
            beyond.append(f"{key} = {value}")
    said = shlex.join(words)
    return f"{said}    # with {', '.join(beyond)} under [train] in ganzoo.toml" if beyond else said


def _plugins(command: str) -> list[str]:
    """The plugins that a command names; no other record of a run says in which files they are."""
    with suppress(ValueError):  # something else than a command, in which a quotation has no end
        words = shlex.split(command.replace("--plugin=", "--plugin "))
        return [word for flag, file in pairwise(words) if flag == "--plugin" for word in (flag, file)]
    return []


def plain(value: Any) -> str:
    """A setting's value as ``-o name=`` takes it; "none" where there is none."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
