"""The page on testing says what the kit is."""

import re
from inspect import signature
from pathlib import Path

import ganzoo.testing
from ganzoo.testing import fixtures
from ganzoo.testing.suite import CHECKS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plugins" / "testing.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """The table under a row of headings."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))


def test_the_table_is_that_of_the_checks() -> None:
    assert list(rows("check").items()) == [(name, spec.summary) for name, spec in CHECKS.items()]


def test_every_fixture_is_there() -> None:
    assert set(rows("fixture")) == {name for name in fixtures.__all__ if name.islower()}


def test_every_function_and_argument_is_mentioned() -> None:
    functions = [name for name in ganzoo.testing.__all__ if name.islower() and name != "checks_for"]
    assert [name for name in functions if name not in PAGE] == []
    arguments = list(signature(ganzoo.testing.check_model).parameters)[1:]
    assert [name for name in arguments if f"`{name}=" not in PAGE] == []
