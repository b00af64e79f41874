"""The checks as tests of pytest's."""

import re
from pathlib import Path

import pytest
from broken import BROKEN
from sound import Pairs, Sound

from ganzoo.core.errors import UsageError
from ganzoo.testing import parametrize_with_checks
from ganzoo.testing.suite import CHECKS

Listless = next(model for _, model, _ in BROKEN if model.__name__ == "Listless")
EXPECTED = {"options": "a list is what we want"}


def test_there_is_a_case_for_each_model_and_check() -> None:
    decorator = parametrize_with_checks([Sound, Listless], data=Pairs)
    names, cases = decorator.args
    assert names == "check"
    assert [case.id for case in cases] == [f"{model}-{check}" for model in ("sound", "listless") for check in CHECKS]
    assert not any(case.marks for case in cases)


def test_an_expected_failure_is_marked_strictly() -> None:
    _, cases = parametrize_with_checks([Listless], expected_failures=EXPECTED).args
    marks = {case.id: case.marks for case in cases if case.marks}
    assert marks.keys() == {"listless-options"}
    (mark,) = marks["listless-options"]
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": EXPECTED["options"], "strict": True})


def test_a_bad_argument_is_refused_where_it_stands() -> None:
    with pytest.raises(UsageError, match="no check 'option'"):
        parametrize_with_checks([Sound], expected_failures={"option": "x"})
    with pytest.raises(UsageError, match=r"a class derived from ganzoo\.Model"):
        parametrize_with_checks([Sound, dict])  # type: ignore[list-item]


FILE = """\
from broken import BROKEN
from sound import Pairs
from ganzoo.testing import parametrize_with_checks

Listless = next(model for _, model, _ in BROKEN if model.__name__ == "Listless")

@parametrize_with_checks([Listless], data=Pairs, expected_failures=EXPECTED)
def test_it(check):
    check()
"""


@pytest.mark.parametrize(
    ("expected", "ended"),
    [
        ({}, {"passed": 3, "failed": 1, "skipped": len(CHECKS) - 4}),
        (
            {"options": "soon", "named": "it has a name"},
            {"passed": 2, "failed": 1, "skipped": len(CHECKS) - 4, "xfailed": 1},
        ),
    ],
    ids=["nothing expected", "failures expected"],
)
def test_they_end_as_tests_do(
    expected: dict[str, str], ended: dict[str, int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"test_{len(expected)}.py"
    file.write_text(FILE.replace("EXPECTED", repr(expected)), encoding="utf-8")
    pytest.main(
        ["-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", str(tmp_path), "-c", "/dev/null", str(file)]
    )
    last = capfd.readouterr().out.splitlines()[-1]
    assert {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])} == ended
