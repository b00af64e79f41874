import errno
import os
from pathlib import Path

import pytest

from ganzoo.core.errors import RunError
from ganzoo.runs.files import saving, sync_folder, write_atomically, write_synced


def test_writes_text_and_bytes_with_missing_parents_and_no_leftovers(tmp_path):
    write_atomically(tmp_path / "a" / "text", "π\n")
    write_atomically(tmp_path / "a" / "bytes", b"\x00\xff")
    assert (tmp_path / "a" / "text").read_bytes() == "π\n".encode()
    assert (tmp_path / "a" / "bytes").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["bytes", "text"]


def test_the_file_is_as_readable_as_any_other(tmp_path):
    write_atomically(tmp_path / "ours", "x")
    (tmp_path / "theirs").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch, call):
    target = tmp_path / "run.json"
    write_atomically(target, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match=r"could not write .*run\.json \(no space left on device\): free some"):
        write_atomically(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert target.read_text() == "old"


def test_a_file_that_is_tidied_away_under_it_is_written_once_more(tmp_path, monkeypatch):
    def tidied(source, target):
        monkeypatch.undo()
        source.unlink()
        source.replace(target)

    monkeypatch.setattr("ganzoo.runs.files.os.replace", tidied)
    write_atomically(tmp_path / "file", "content")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["content"]


def test_an_interrupt_leaves_nothing_half_written(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "run.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match=r"could not write .*taken"):
        write_atomically(tmp_path / "taken", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_synced_write_never_overwrites(tmp_path):
    write_synced(tmp_path / "once", "1")
    with pytest.raises(FileExistsError):
        write_synced(tmp_path / "once", "2")
    sync_folder(tmp_path)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "choose a folder that can be written to"),
        (errno.EIO, "check the disk"),
    ],
)
def test_the_advice_fits_the_reason(number, advice):
    with pytest.raises(RunError, match=advice), saving("it"):
        raise OSError(number, os.strerror(number), str(Path("somewhere")))
