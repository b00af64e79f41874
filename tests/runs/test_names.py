import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.names import FILE, CategoryNames, Names, clear_names, read_names, told_apart, write_names

LATENT = LatentSpec.parse("z: normal(2), category: categorical(3) code, style: uniform(1) code")
NAMES = CategoryNames(names=("c", "a", "b"), classes=(2, 0, 1), label="label", labels=100, seed=0, agreement=0.97)


def test_what_is_written_is_read(run: RunDirectory) -> None:
    names = Names(variables={"category": NAMES})
    write_names(run, names)
    assert read_names(run) == names
    assert json.loads((run.path / FILE).read_text())["variables"]["category"]["names"] == ["c", "a", "b"]


def test_a_run_that_nobody_named_has_no_names(run: RunDirectory) -> None:
    assert read_names(run) == Names() and Names().applied(LATENT) == LATENT and Names().order == {}


def test_the_order_is_that_of_the_classes_and_what_has_none_comes_last() -> None:
    assert NAMES.order == (1, 2, 0)
    assert CategoryNames(names=("x", "b", "y", "a"), classes=(None, 1, None, 0)).order == (3, 1, 0, 2)
    assert CategoryNames(names=("b", "a", "b (2)"), classes=(1, 0, 1)).order == (1, 0, 2)
    assert CategoryNames(names=("one", "two"), classes=(None, None)).order == (0, 1)


def test_names_go_into_the_latent_space_and_change_nothing_else_there() -> None:
    named = Names(variables={"category": NAMES}).applied(LATENT)
    assert named["category"].names == ("c", "a", "b")
    assert named.names == LATENT.names and named["style"] == LATENT["style"] and named.width == LATENT.width
    assert named.sample(5, 0).flat.equal(LATENT.sample(5, 0).flat)


@pytest.mark.parametrize(
    ("variable", "names", "message"),
    [
        ("categry", NAMES, "did you mean 'category'"),
        ("style", NAMES, "no categories"),
        ("category", CategoryNames(names=("a",), classes=(0,)), "3 names"),
    ],
)
def test_names_that_do_not_fit_the_latent_space_are_refused(variable: str, names: CategoryNames, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Names(variables={variable: names}).applied(LATENT)


@pytest.mark.parametrize(
    "values",
    [
        {"names": ("a", "a"), "classes": (0, 1)},
        {"names": ("a", "b"), "classes": (0,)},
        {"names": ("a", ""), "classes": (0, 1)},
        {"names": ("a", " b"), "classes": (0, 1)},
        {"names": ("a", "\x1b[31m"), "classes": (0, 1)},
        {"names": ("a", "b"), "classes": (0, -1)},
        {"names": (), "classes": ()},
        {"names": ("a",), "classes": (0,), "agreement": 1.5},
        {"names": ("a",), "classes": (0,), "more": 1},
    ],
)
def test_impossible_names_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CategoryNames.model_validate(values)


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"variables": {"category": {"names": ["a"]}}}',
        b'{"variables": {"category": {"names": ["a", "a"], "classes": [0, 1]}}}', b'{"schema_version": 2}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_said_to_be_in_one_sentence_with_the_way_out(run: RunDirectory, content: bytes) -> None:
    (run.path / FILE).write_bytes(content)
    with pytest.raises(RunError, match=re.escape(str(run.path / FILE))) as caught:
        read_names(run)
    assert "--clear" in str(caught.value) and "\n" not in str(caught.value)
    clear_names(run)
    assert read_names(run) == Names()


def test_names_are_forgotten_for_one_variable_or_all(run: RunDirectory) -> None:
    write_names(run, Names(variables={"category": NAMES, "kind": NAMES}))
    clear_names(run, "category")
    assert list(read_names(run).variables) == ["kind"]
    with pytest.raises(UsageError, match=r"'category' of .* has no names"):
        clear_names(run, "category")
    clear_names(run, "kind")
    assert not (run.path / FILE).exists()
    clear_names(run)


def test_equal_names_get_numbers() -> None:
    assert told_apart(["a", "b", "a", "a"]) == ("a", "b", "a (2)", "a (3)")
    assert told_apart(["a (2)", "a", "a"]) == ("a (2)", "a", "a (3)")


@given(st.lists(st.sampled_from(["a", "a (2)", "a (2) (2)", "b"])))
def test_no_two_names_are_alike_and_each_begins_as_it_was_given(words: list[str]) -> None:
    unique = told_apart(words)
    assert len(set(unique)) == len(words)
    assert all(name.startswith(word) for name, word in zip(unique, words, strict=True))
