import errno
import json
import os
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from subjects import subject

from ganzoo.core.errors import RunError
from ganzoo.evaluation.records import FILE, Record, append_records, newest, read_records
from ganzoo.evaluation.score import Score, Skipped
from ganzoo.evaluation.setting import FAST


@pytest.fixture
def run(tmp_path):
    """A run directory without networks."""
    return subject(path=tmp_path / "00001-told-told").run


def skipped(metric: str, reason: str = "no codes") -> Record:
    return Record.of(Skipped(metric=metric, reason=reason), metric, 64, FAST, seed=3, extractor=("digits", "ab"))


def record(name: str = "d", value: float | None = 1.0, images: int = 64, **more) -> Record:
    return Record.of(Score(name=name, value=value, protocol="p", **more), "distance", images, FAST, seed=3)


def file_of(run) -> Path:
    return run.path / FILE


def test_a_run_that_was_not_evaluated_has_no_records(run):
    assert read_records(run) == []
    append_records(run, [])
    assert not file_of(run).exists()
    assert newest([]) == {}


def test_records_come_back_as_they_were_in_their_order(run):
    written = [record("a"), record("b", None, note="x\ny\u2028z", details={"rows": [[1, 2], [3, 4]]}), record("a", 2)]
    append_records(run, written[:2])
    append_records(run, written[2:])
    assert read_records(run) == written
    assert len(file_of(run).read_text().split("\n")) == 4


def test_a_record_says_what_it_belongs_to(run):
    append_records(run, [record()])
    (line,) = map(json.loads, file_of(run).read_text().splitlines())
    assert (line["metric"], line["images"], line["setting"], line["requested"]) == ("distance", 64, "fast", 10_000)
    assert (line["seed"], line["schema_version"], line["score"]["name"]) == (3, 1, "d")
    assert line["ganzoo"] and line["created"].startswith("20")


def test_a_metric_that_does_not_apply_is_a_line_too(run):
    written = [skipped("codes"), record("a")]
    append_records(run, written)
    assert read_records(run) == written
    assert (written[0].metric, written[0].extractor, written[0].extractor_sha256) == ("codes", "digits", "ab")
    assert newest(read_records(run)).keys() == {"a"}


def test_a_disk_that_is_full_takes_all_lines_or_none(run, monkeypatch):
    append_records(run, [record("a")])
    before, more = file_of(run).read_bytes(), [record("b"), record("c")]

    class Full(FileIO):
        def write(self, content):
            if len(content) < 100:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(content[:-99])

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", lambda path, mode, **rest: Full(path, mode.replace("b", "")))
        with pytest.raises(RunError, match="no space left"):
            append_records(run, more)
    assert file_of(run).read_bytes() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.data())
def test_a_torn_line_takes_no_other_with_it(run, data):
    file_of(run).unlink(missing_ok=True)
    append_records(run, [record("a"), record("torn")])
    content = file_of(run).read_bytes()
    first, last = content.splitlines(keepends=True)
    kept = data.draw(st.integers(1, len(last) - 2))
    file_of(run).write_bytes(content[: len(first) + kept])
    assert [each.score.name for each in read_records(run)] == ["a"]
    append_records(run, [record("b")])
    append_records(run, [record("c")])
    assert [each.score.name for each in read_records(run)] == ["a", "b", "c"]


def test_a_line_that_lacks_only_its_end_is_whole(run):
    append_records(run, [record("a")])
    file_of(run).write_bytes(file_of(run).read_bytes()[:-1])
    append_records(run, [record("b")])
    assert [each.score.name for each in read_records(run)] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": "x"}, r"line 2 of .*metrics\.jsonl is damaged: seed: .*; remove it"),
        ({"colour": 1}, r"line 2 of .*metrics\.jsonl is damaged: colour: .*; remove it"),
        ({"score": None}, r"line 2 of .*metrics\.jsonl is damaged: .*either a score or a reason"),
        ({"schema_version": 2, "colour": 1}, r"line 2 of .*metrics\.jsonl was written by a newer ganzoo"),
    ],
)
def test_a_damaged_line_is_named(run, change, said):
    append_records(run, [record(), record()])
    first, second = file_of(run).read_text().splitlines()
    file_of(run).write_text(f"{first}\n{json.dumps(json.loads(second) | change)}\n")
    with pytest.raises(RunError, match=said) as caught:
        read_records(run)
    assert "\n" not in str(caught.value)


def test_a_line_that_is_no_record_at_all_is_damaged(run):
    file_of(run).write_text("[1, 2]\n")
    with pytest.raises(RunError, match=r"line 1 of .* is damaged"):
        read_records(run)


def test_a_file_that_cannot_be_read_or_written_is_said(run):
    file_of(run).mkdir()
    with pytest.raises(RunError, match=r"metrics\.jsonl cannot be read: is a directory"):
        read_records(run)
    with pytest.raises(RunError, match=r"metrics\.jsonl"):
        append_records(run, [record()])


def test_the_newest_are_the_last_of_each_name_at_the_newest_checkpoint():
    records = [record("a", 1), record("old", 2), record("a", 3, 128), record("b", 4, 128), record("a", 5, 128)]
    found = newest([*records, record("b", 6, 64)])
    assert {name: (metric, score.value) for name, (metric, score) in found.items()} == {
        "a": ("distance", 5),
        "b": ("distance", 4),
    }
