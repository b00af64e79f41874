"""How the commands write numbers, tables and JSON."""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "as_json",
    "as_toml",
    "bytes_text",
    "count",
    "duration",
    "measure",
    "number",
    "open_console",
    "print_entries",
    "print_json",
    "print_table",
    "together",
]

PIPED_WIDTH = 240
"""Columns of a table that no terminal bounds, unless a row needs more."""
_BETWEEN = 4
"""At least the columns between two of a table's."""

NOT_IN_FILES = ("model", "recipe", "schedule")
"""Settings that the command line or the budget decides, and a settings file cannot."""


def count(value: int) -> str:
    """A whole number with its thousands apart: ``640,000``."""
    return f"{value:,}"


def number(value: float) -> str:
    """A measured number: three decimals where they say something, three digits that count elsewhere."""
    return f"{value:.3f}" if value == 0 or 1e-3 <= abs(value) < 1e3 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """A time as ``8:31`` or ``1:02:03``; ``-:--`` when it is not known."""
    if not math.isfinite(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bytes_text(size: int) -> str:
    """A number of bytes in the unit that suits it: ``3.4 MB``."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def measure(name: str, value: float, ceilings: Mapping[str, float]) -> str:
    """The value of one statistic; information in nats, that of a discrete variable beside its ceiling H(c).

    Args:
        name: what the statistic is called, such as ``information/category``.
        value: its value.
        ceilings: the most that a statistic can reach, by name.
    """
    if name in ceilings:
        return f"{number(value)} of {number(ceilings[name])} nats"
    return f"{number(value)} nats" if name.startswith("information/") else number(value)


def as_json(value: Any) -> Any:
    """The value with numbers that JSON does not know (NaN and infinities) as null, anything odd as text."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Prints one JSON document on stdout; without ``indent`` on a line of its own."""
    click.echo(json.dumps(as_json(value), indent=indent, ensure_ascii=False, allow_nan=False))


def as_toml(settings: Mapping[str, Any], origins: Mapping[str, str], model: str) -> Iterator[str]:
    """The lines of a settings file that says the same, with the origin of each value beside it.

    Args:
        settings: values by dotted key, as ``RunConfig.flat`` gives them.
        origins: where each comes from.
        model: name of the model, whose options the file gives.
    """
    tables: dict[str, list[tuple[str, str]]] = {"train": [], "data_options": [], f"models.{model}": []}
    homes = {"data_options": "data_options", "options": f"models.{model}"}
    for key, value in settings.items():
        table, dot, name = key.partition(".")
        said = f"{name if dot else key} = {toml_value(value)}"
        if value is None or key in NOT_IN_FILES:
            said = f"# {said}"
        tables[homes[table] if dot else "train"].append((said, origins.get(key, "")))
    width = min(48, max(len(said) for lines in tables.values() for said, _ in lines))
    blank = False
    for table, lines in tables.items():
        if lines:
            if blank:
                yield ""
            yield f"[{table}]"
            yield from (f"{said:{width}}  # {' '.join(origin.split())}" for said, origin in lines)
            blank = True


def toml_value(value: Any) -> str:
    """A value of JSON's types as TOML; "none", which TOML has no word for, only ever goes into comments."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def open_console() -> "Console":
    """What tables are printed on: as wide as the terminal; piped, so wide that a row stays on one line."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str, right: Collection[int] = ()
) -> None:
    """Prints a table, as wide as the terminal; piped, each row stays on one line.

    Args:
        columns: the headings.
        rows: a text for each column.
        nothing: what to print where there are no rows.
        right: places of the columns of numbers, which are put to the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo(nothing)
        return
    console = open_console()
    widths: list[int | None] = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    needed = sum(width or 0 for width in widths) + _BETWEEN * len(columns)
    if not console.is_terminal:
        console.width = max(console.width, needed)
    elif needed > console.width:
        widths = [None] * len(columns)  # Rich finds out what to wrap, which takes it as long as all the rest
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(columns):
        # The first column is what one types, so it is never cut; Text, because names may hold brackets.
        side: Literal["left", "right"] = "right" if index in right else "left"
        table.add_column(column, overflow="fold", no_wrap=index == 0, justify=side, width=widths[index])
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def print_entries(entries: Iterable[tuple[str, str]]) -> None:
    """Prints remarks, each behind its mark; in a terminal wrapped beside it, piped on a line of its own.

    Args:
        entries: mark and text of each.
    """
    from textwrap import wrap

    console, found = open_console(), list(entries)
    indent = max((len(mark) for mark, _ in found), default=0) + 2
    for mark, text in found:
        lines = wrap(text, max(20, console.width - indent)) if console.is_terminal else [text]
        click.echo(f"{mark:>{indent - 2}}  " + f"\n{' ' * indent}".join(lines))


def together(names: Iterable[str]) -> str:
    """Names of scores, those of one kind together: ``frechet_distance, probe_error/{critic, pixels}``."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind, stroke, what = name.partition("/")
        kinds.setdefault(kind + stroke, []).append(what)
    return ", ".join(
        kind + (found[0] if len(found) == 1 else f"{{{', '.join(found)}}}") for kind, found in kinds.items()
    )
