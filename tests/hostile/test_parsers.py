"""Hypothesis on every parser: bytes that are good but for a few are liked, or refused with an error of ganzoo's."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_parsers import GOOD, PARSERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganzoo.core.errors import GanzooError

WORDS = st.sampled_from(
    [
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"\0",
        b"\n",
        b"-1",
        b"9" * 30,
        b"1e999",
        b"NaN",
        b"null",
        b"../",
        b"\\u001b",
        b"\xff",
    ]
)


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> bytes:
    """Good bytes with some of them replaced, cut or doubled; or any bytes at all."""
    content = draw(st.sampled_from([*GOOD[name], b""]))
    for _ in range(draw(st.integers(0, 4))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(0, 12))
        new = draw(WORDS | st.binary(max_size=12) | st.just(content[at : at + 40]))
        content = content[:at] + new + content[at + length :]
    return content


def refuses_or_likes(name: str, content: bytes, folder: Path) -> None:
    try:
        PARSERS[name](content, folder)
    except GanzooError as error:
        assert "\n" not in str(error)
        assert str(error)


@pytest.fixture(scope="module")
def fuzzed(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Executions of each parser, whose sum is printed at the end."""
    count: Counter[str] = Counter()
    yield count
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nexecutions fuzzed: {count.total():,}, on {len(count)} parsers")


@pytest.mark.parametrize("name", PARSERS)
def test_good_bytes_are_liked(name: str, tmp_path: Path) -> None:
    for content in GOOD[name]:
        PARSERS[name](content, tmp_path)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spoilt_bytes_end_in_no_other_error(name: str, tmp_path: Path, data: st.DataObject) -> None:
    refuses_or_likes(name, data.draw(spoilt(name)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=2000, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_spoilt_bytes_end_in_no_other_error(
    name: str, tmp_path: Path, fuzzed: Counter[str], data: st.DataObject
) -> None:
    fuzzed[name] += 1
    refuses_or_likes(name, data.draw(spoilt(name)), tmp_path)
