"""Latent spaces as text: ``z: normal(62), category: categorical(10) code, style: uniform(2) code``.

A variable is ``name: kind(arguments) [role] [weight=number]``. The arguments are the size, which may be
left out where it is 1 or follows from a list, and ``key=value``, the value a JSON literal or a bare word:
``categorical(2, names=["no", "yes"], probs=[0.9, 0.1])``, ``normal(4, sigma=learned)``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.variables import KINDS, Role, Variable

__all__ = ["describe_variables", "format_variables", "parse_variables"]

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"""[^\s:,()\[\]{}="]+""")
_KEY = re.compile(_WORD.pattern + r"(?=\s*=)")
_LONG_LIST = re.compile(r"\[[^]]{20,}\]")
_JSON = json.JSONDecoder()


def format_variables(variables: Mapping[str, Variable]) -> str:
    """The text that ``parse_variables`` turns back into exactly these variables."""
    return ", ".join(f"{name}: {variable.text()}" for name, variable in variables.items())


def parse_variables(text: str) -> dict[str, Variable]:
    """The variables by name, in the order of the text.

    Raises:
        UsageError: the text is not understood; the message gives the column, counted from 1, and says what
            was expected there.
    """
    return _Parser(text).variables()


def describe_variables(variables: Mapping[str, Variable]) -> str:
    """A table with a line per variable: its columns, text, entropy in nats and width of recognition head.

    Long lists of probabilities or names are left out of the text.
    """
    rows = [("", "columns", "variable", "entropy", "head")]
    start = 0
    for name, variable in variables.items():
        stop = start + variable.width
        head = "" if variable.role == "noise" else str(variable.head_width)
        text = _LONG_LIST.sub("[…]", variable.text())
        rows.append((name, f"{start}:{stop}", text, f"{variable.entropy + 0.0:.3f}", head))
        start = stop
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


class _Parser:
    """Reads the text from left to right; ``at`` is the index of the next character that is no space."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.skip(0)

    def variables(self) -> dict[str, Variable]:
        variables: dict[str, Variable] = {}
        if self.ended:
            return variables
        while True:
            start = self.at
            name = self.word("the name of a variable")
            if not name.isidentifier():
                raise self.error(start, f"{name!r} is no name; a name is letters, digits and underscores")
            if name in variables:
                raise self.error(start, f"there is a second variable named {name!r}; rename one")
            self.take(":")
            variables[name] = self.variable()
            if self.ended:
                return variables
            self.take(",")

    def variable(self) -> Variable:
        start = self.at
        kind = self.word("a kind of variable")
        if kind not in KINDS:
            raise self.error(start, unknown("kind of variable", kind, KINDS))
        arguments = self.arguments(kind)
        while not self.ended and not self.sees(","):
            self.role_or_weight(arguments)
        try:
            return KINDS[kind](**arguments)
        except UsageError as error:
            raise self.error(start, error) from error

    def arguments(self, kind: str) -> dict[str, Any]:
        known = [item.name for item in fields(KINDS[kind]) if item.name not in ("role", "weight")]
        arguments: dict[str, Any] = {}
        self.take("(")
        while not self.sees(")"):
            if arguments:
                self.take(",", "',' or ')'")
            start = self.at
            key = self.match(_KEY)
            if key is None and not arguments:
                arguments["size"] = self.value()
            elif key is None:
                raise self.error(start, f"expected key=value, found {self.found}")
            elif key not in known:
                raise self.error(start, unknown(f"argument of {kind}", key, known))
            else:
                self.take("=")
                self.set(arguments, key, self.value(), start)
        self.take(")")
        lists = [item for item in arguments.values() if isinstance(item, list)]
        return {"size": len(lists[0]) if lists else 1} | arguments

    def role_or_weight(self, arguments: dict[str, Any]) -> None:
        start = self.at
        word = self.word("a role, weight=number, ',' or the end")
        if word == "weight":
            self.take("=")
            self.set(arguments, "weight", self.value(), start)
        elif word in get_args(Role):
            self.set(arguments, "role", word, start)
        elif self.sees(":"):
            raise self.error(start, f"expected ',' before the next variable, {word!r}")
        else:
            raise self.error(start, unknown("role", word, get_args(Role)))

    def value(self) -> Any:
        start = self.at
        word = self.match(_WORD)
        if word is not None:
            try:
                return json.loads(word)
            except ValueError:
                return word
        try:
            value, end = _JSON.raw_decode(self.text, start)
        except json.JSONDecodeError as error:
            found = self.found if error.pos == start else f"a broken literal ({error.msg})"
            raise self.error(error.pos, f"expected a number, text or list, found {found}") from error
        except (ValueError, RecursionError) as error:
            raise self.error(start, "expected a number, text or list of sensible size") from error
        self.skip(end)
        return value

    def set(self, arguments: dict[str, Any], key: str, value: Any, start: int) -> None:
        if key in arguments:
            raise self.error(start, f"the {key} is given twice")
        arguments[key] = value

    def word(self, wanted: str) -> str:
        word = self.match(_WORD)
        if word is None:
            raise self.error(self.at, f"expected {wanted}, found {self.found}")
        return word

    def take(self, character: str, wanted: str | None = None) -> None:
        if not self.sees(character):
            raise self.error(self.at, f"expected {wanted or repr(character)}, found {self.found}")
        self.skip(self.at + 1)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.skip(match.end())
        return match.group()

    def sees(self, character: str) -> bool:
        return self.text.startswith(character, self.at)

    def skip(self, position: int) -> None:
        spaces = _SPACE.match(self.text, position)
        self.at = spaces.end() if spaces else position

    @property
    def ended(self) -> bool:
        return self.at == len(self.text)

    @property
    def found(self) -> str:
        return "the end" if self.ended else repr(self.text[self.at])

    def error(self, index: int, problem: object) -> UsageError:
        return UsageError(f"latent space, column {index + 1}: {problem}")
