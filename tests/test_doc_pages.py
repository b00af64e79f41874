"""The reader of documents: it must notice what is not so."""

from pathlib import Path

import pytest
from doc_pages import Reader, blocks, commands, compare


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)
    return Reader(tmp_path)


def read(reader: Reader, text: str) -> None:
    page = reader.folder / "page.md"
    page.write_text(text, encoding="utf-8")
    reader.read(page)


def test_a_block_knows_what_the_comments_above_it_say() -> None:
    text = """
<!-- test: replace 200k with 512 -->
<!-- test: own settings -->
<!-- file: a.toml -->
```toml
images = "200k"
```
```text
200k
```
"""
    first, second = blocks(text)
    assert (first.language, first.file, first.own_settings, first.line) == ("toml", "a.toml", True, 5)
    assert first.runnable == 'images = "512"'
    assert (second.language, second.file, second.runnable) == ("text", "", "200k")


def test_commands_have_the_lines_under_them() -> None:
    text = "not a command\n$ one \\\n  two\nprinted\n\nprinted too\n$ three"
    assert list(commands(text)) == [("one    two", ["printed", "printed too"]), ("three", [])]


@pytest.mark.parametrize(
    "expected", [["a 1.5 b"], ["a … b"], ["a …"], ["first", "a … b"], ["…", "last"], ["a… b", "last"], []]
)
def test_output_may_hold_more_than_is_expected(expected: list[str]) -> None:
    compare(expected, "first\na   1.5 b\nlast\n", "here")


@pytest.mark.parametrize("expected", [["a 1.5"], ["last", "first"], ["b … a"], ["first", "first"]])
def test_output_that_is_not_there_is_missed(expected: list[str]) -> None:
    with pytest.raises(AssertionError, match="should print"):
        compare(expected, "first\na   1.5 b\nlast\n", "here")


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ false\n```",
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ echo Error: no\nError: no\n```",
        "```console\n$ ganzoo tarin\n```",
        "```python\n1 / 0\n```",
        "```python\nprint(1)\n```\n```text\n2\n```",
        "<!-- test: replace a with b -->\n```console\n$ true\n```",
        "<!-- test: please skip this -->\n```console\n$ true\n```",
    ],
)
def test_a_page_that_is_wrong_is_refused(reader: Reader, text: str) -> None:
    with pytest.raises(AssertionError):
        read(reader, text)


def test_a_page_that_is_right_is_accepted(reader: Reader) -> None:
    text = """
<!-- file: notes/a.txt -->
```text
kept
```
```console
$ cat notes/a.txt
kept
$ (echo "Error: no"; exit 1)
Error: no
$ ganzoo tarin
Error: there is no command 'tarin'; did you mean 'train'?
```
```python
number = 3
```
```python
print(number + 1)
```
```text
4
```
"""
    read(reader, text)
