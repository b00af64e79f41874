"""Every public name with its signature, against ``tests/public_api.txt``: a change of the interface shows in review.

``UPDATE_API=1 pytest tests/test_public_api.py`` writes the file anew.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

import pytest
from public_names import of_class, of_module, signature_of

import ganzoo
import ganzoo.testing
from ganzoo.zoo import hookspecs

STORED = Path(__file__).with_name("public_api.txt")


def public_api() -> str:
    hooks = [name for name in hookspecs.__all__ if name.startswith("ganzoo_")]
    lines = [*of_module(ganzoo), *of_module(ganzoo.testing)]
    lines += [f"hook {name}{signature_of(getattr(hookspecs, name))}" for name in hooks]
    return "\n".join(lines) + "\n"


def test_the_public_interface_is_the_one_that_was_agreed() -> None:
    current = public_api()
    if os.environ.get("UPDATE_API"):
        STORED.write_text(current, encoding="utf-8")
    stored = STORED.read_text(encoding="utf-8")
    difference = "\n".join(unified_diff(stored.splitlines(), current.splitlines(), "agreed", "now", lineterm="", n=0))
    assert stored == current, f"the public interface has changed; UPDATE_API=1 writes it down:\n{difference}"


@pytest.mark.parametrize(
    "line",
    [
        "ganzoo.API_VERSION = 1",
        "ganzoo.UsageError.exit_code = 2",
        "ganzoo.Observer.ticked(self, tick: Tick) -> None",
        "ganzoo.DataSpec.range: tuple[float, float] = (-1.0, 1.0)",
        "ganzoo.Dataset.spec: property",
        "class ganzoo.Player(name: str, owns: Mapping[str, Rates], turns: int = 1, starts_at: float = 0.0) -> None",
        "hook ganzoo_tick(run: Path, tick: Any) -> None",
    ],
)
def test_the_file_has_every_kind_of_thing(line: str) -> None:
    assert line in STORED.read_text(encoding="utf-8").splitlines()


def test_a_signature_says_all_that_a_caller_sees() -> None:
    def function(
        a: "ganzoo.Model | str",
        b: Optional[Sequence[int]] = None,  # noqa: UP045
        /,
        c: Union[float, Literal["x"]] = "x",  # noqa: UP007
        *more: Mapping[str, Any],
        d: Callable[[int, str], None] = print,
        e: Annotated[tuple[int, ...], "sizes"] = (1, 2),
    ) -> type["ganzoo.Model"]:
        return ganzoo.Model

    assert signature_of(function) == (
        "(a: Model | str, b: Sequence[int] | None = None, /, c: float | Literal['x'] = 'x', *more: Mapping[str, Any], "
        "d: Callable[[int, str], None] = …, e: tuple[int, ...] = (1, 2)) -> type[Model]"
    )


def test_a_class_is_shown_with_what_it_inherits_from_ganzoo() -> None:
    class Own(ganzoo.Observer):
        __module__ = "ganzoo.elsewhere"
        size: ClassVar[int] = 3
        word = "x"
        _private = 1

        def ticked(self, tick: ganzoo.Tick, more: int = 0) -> None:
            """Takes one argument more."""

    lines = list(of_class("Own", Own))
    assert lines[0] == "class Own(): Observer"
    assert {
        "Own.size: ClassVar[int]",
        "Own.word = 'x'",
        "Own.ticked(self, tick: Tick, more: int = 0) -> None",
        "Own.saved(self, images: int, path: Path) -> None",
    } <= set(lines)
    assert not any("_private" in line for line in lines)
