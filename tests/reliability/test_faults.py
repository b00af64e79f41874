"""What may befall a run's files while it is trained: none of it loses a finished checkpoint."""

import datetime
import errno
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from run_processes import hold
from training_helpers import checkpointed, pictures, start, timeless, zoo_of

from ganzoo import api
from ganzoo.core.errors import RunError, UsageError
from ganzoo.runs import checkpoint
from ganzoo.runs.checkpoint import latest
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.events import Observer

FLAGS = {"images": 96, "save_every": 32, "tick": 16}


class At(Observer):
    """Does something to the run once it has reached so many images."""

    def __init__(self, images, what) -> None:
        self.images, self.what = images, what

    def started(self, plan, run):
        self.run = run

    def progressed(self, images):
        if images == self.images:
            self.what(self.run)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> api.Run:
    """The run that nothing befell."""
    return start(tmp_path_factory.mktemp("whole"), flags=FLAGS)


def expect_the_same(run: api.Run, whole: api.Run) -> None:
    here, there = checkpointed(run), checkpointed(whole)
    assert here.keys() == there.keys()
    assert all(here[name].equal(there[name]) for name in here)
    assert timeless(run) == timeless(whole)
    assert pictures(run) == pictures(whole)
    assert run.config == whole.config
    assert run.record.message == whole.record.message
    assert not [path for path in run.path.rglob("*") if path.suffix == ".tmp" or path.name in (".saving", ".removed")]


def go_on(out: Path) -> api.Run:
    return api.resume(1, out=out, zoo=zoo_of())


# ---- what a kill left ----


def test_what_a_kill_left_undone_is_done_when_the_run_goes_on(tmp_path, whole):
    """Killed after the rename of a checkpoint, before anything that follows it."""
    run = RunDirectory.open(start(tmp_path, flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2))).path)
    (run.samples / "000000064.png").unlink()
    for leftover in (
        ".run.json.00000000.tmp",
        ".stats.jsonl.00000000.tmp",
        "samples/.000000064.png.00000000.tmp",
        "traversals/.z-0.png.00000000.tmp",
    ):
        (run.path / leftover).write_text("half")
    (run.checkpoints / ".saving").mkdir()
    shutil.copytree(run.checkpoints / "000000032", run.checkpoints / ".removed")
    run.update(status="running", images=32)
    resumed = go_on(tmp_path)
    expect_the_same(resumed, whole)


@pytest.mark.slow
def test_lines_after_the_checkpoint_are_cut_back_damaged_ones_too(tmp_path, whole):
    run = start(tmp_path, flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2))).directory
    with (run.path / "stats.jsonl").open("ab") as file:
        file.write(b'{"images": 80}\n' + bytes(512) + b'\n{"images": 96}\n{"ima')
    expect_the_same(go_on(tmp_path), whole)


def test_a_damaged_line_from_before_the_checkpoint_is_named(tmp_path):
    run = start(tmp_path, flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2))).directory
    lines = (run.path / "stats.jsonl").read_bytes().splitlines(keepends=True)
    (run.path / "stats.jsonl").write_bytes(b"".join([lines[0], b"\0\0\n", *lines[1:]]))
    with pytest.raises(RunError, match=r"line 2 of .*stats\.jsonl is damaged"):
        go_on(tmp_path)


def test_latest_is_a_run_and_not_a_folder_without_a_record(tmp_path, whole):
    shutil.copytree(whole.path, tmp_path / whole.path.name)
    (tmp_path / "00002-gan-toys").mkdir()
    assert RunDirectory.open("latest", tmp_path).name == whole.path.name
    shutil.rmtree(tmp_path / whole.path.name)
    with pytest.raises(UsageError, match="there is no run in"):
        RunDirectory.open("latest", tmp_path)


# ---- the folder ----


@pytest.mark.parametrize("images", [pytest.param(32, marks=pytest.mark.slow), 48])
def test_a_run_whose_folder_is_deleted_ends_and_does_not_come_back_in_part(tmp_path, images):
    with pytest.raises(RunError, match=r"00001-gan-toys is gone: it was removed or renamed"):
        start(tmp_path, flags=FLAGS, observer=At(images, lambda run: shutil.rmtree(run.path)))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.slow
def test_a_run_whose_folder_is_renamed_keeps_what_it_had(tmp_path, whole):
    aside = tmp_path / "00007-aside"
    with pytest.raises(RunError, match="is gone"):
        start(tmp_path, flags=FLAGS, observer=At(48, lambda run: run.path.rename(aside)))
    assert latest(RunDirectory.open(aside)).images == 32
    expect_the_same(api.resume(aside, zoo=zoo_of()), whole)


def test_a_run_does_not_write_into_the_one_that_took_its_place(tmp_path, whole):
    def replace(run: RunDirectory) -> None:
        shutil.rmtree(run.path)
        start(tmp_path, flags=FLAGS)

    with pytest.raises(RunError, match=r"00001-gan-toys is another run by now"):
        start(tmp_path, flags=FLAGS, observer=At(48, replace))
    expect_the_same(api.open(1, tmp_path), whole)


@pytest.mark.parametrize("folder", ["checkpoints", pytest.param("samples", marks=pytest.mark.slow)])
def test_folders_inside_a_run_are_made_again(tmp_path, folder):
    run = start(tmp_path, flags=FLAGS, observer=At(48, lambda run: shutil.rmtree(run.path / folder)))
    assert run.record.status == "finished"
    assert latest(run.directory).images == 96


@pytest.mark.slow
def test_without_its_lock_a_run_goes_on(tmp_path, whole):
    run = start(tmp_path, flags=FLAGS, observer=At(48, lambda run: (run.path / ".lock").unlink()))
    expect_the_same(run, whole)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path, monkeypatch):
    mkdir = os.mkdir

    def refuse(path, *arguments, **more):
        if str(path).startswith(str(tmp_path / "runs")):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        mkdir(path, *arguments, **more)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(RunError, match=r"could not write a run in .*read-only file system\): choose a folder that can"):
        start(tmp_path / "runs", flags=FLAGS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_folder_that_becomes_read_only_ends_the_run_and_it_goes_on_later(tmp_path, whole, monkeypatch):
    real = checkpoint.write_synced

    def refuse(path, content):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def lock_up(_: RunDirectory) -> None:
        monkeypatch.setattr(checkpoint, "write_synced", refuse)

    with pytest.raises(RunError, match=r"images of 00001.*read-only.*; the last good checkpoint is .*000000032$"):
        start(tmp_path, flags=FLAGS, observer=At(48, lock_up))
    monkeypatch.setattr(checkpoint, "write_synced", real)
    expect_the_same(go_on(tmp_path), whole)


@pytest.mark.slow
def test_runs_may_lie_on_another_file_system(tmp_path, whole):
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=memory) as elsewhere:
        (tmp_path / "runs").symlink_to(elsewhere, target_is_directory=True)
        start(tmp_path / "runs", flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2)))
        run = go_on(tmp_path / "runs")
        assert run.path.resolve().is_relative_to(memory)
        expect_the_same(run, whole)


# ---- who writes ----


@pytest.mark.slow
def test_of_two_processes_that_resume_a_run_the_second_is_told(tmp_path, whole):
    run = start(tmp_path, flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2)))
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    first = spawn.Process(target=hold, args=(run.path, ready, done))
    first.start()
    try:
        assert ready.wait(60)
        with pytest.raises(RunError, match=r"00001-gan-toys is in use by another process: wait for that to end$"):
            go_on(tmp_path)
    finally:
        done.set()
        first.join(60)
    expect_the_same(go_on(tmp_path), whole)


@pytest.mark.slow
def test_who_waited_for_a_run_goes_on_from_what_the_other_left(tmp_path, monkeypatch):
    """The record is read again under the lock: a budget that was raised meanwhile stays raised."""
    run = start(tmp_path, flags=FLAGS)
    stale = RunDirectory.open(run.path)
    api.resume(1, out=tmp_path, zoo=zoo_of(), flags={"images": 128})
    monkeypatch.setattr(RunDirectory, "open", classmethod(lambda cls, *_: stale))
    resumed = go_on(tmp_path)
    assert (resumed.config.images, resumed.record.images) == (128, 128)


def test_sigterm_saves_and_the_run_goes_on(tmp_path, whole):
    run = start(tmp_path, flags=FLAGS, observer=At(48, lambda _: signal.raise_signal(signal.SIGTERM)))
    assert (run.record.status, run.record.images, latest(run.directory).images) == ("interrupted", 48, 48)
    resumed = go_on(tmp_path)
    (resumed.path / "samples" / "000000048.png").unlink()  # of a checkpoint that only the signal asked for
    expect_the_same(resumed, whole)


# ---- the clock ----


def test_a_clock_that_goes_backwards_changes_nothing(tmp_path, whole, monkeypatch):
    class Past(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return cls(1999, 1, 1, tzinfo=zone)

    def back(run: RunDirectory) -> None:
        monkeypatch.setattr("ganzoo.runs.record.datetime", Past)
        monkeypatch.setattr(time, "time", lambda: 915_148_800.0)
        for path in run.path.rglob("*"):  # what there is seems to be from the future
            os.utime(path, (4e9, 4e9))
        signal.raise_signal(2)

    start(tmp_path, flags=FLAGS, observer=At(64, back))
    run = go_on(tmp_path)
    expect_the_same(run, whole)
    seconds = [line["seconds"] for line in run.stats()]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert all(line["images_per_second"] > 0 for line in run.stats())
    assert start(tmp_path, flags=FLAGS).path.name.startswith("00002")


# ---- old checkpoints ----


@pytest.mark.slow
def test_the_three_newest_whole_checkpoints_are_kept(tmp_path):
    def spoil(run: RunDirectory) -> None:
        (run.checkpoints / "000000048" / "networks.safetensors").write_bytes(b"")

    run = start(tmp_path, flags={"images": 112, "save_every": 16, "tick": 48}, observer=At(64, spoil)).directory
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["000000080", "000000096", "000000112"]
    spoilt = start(tmp_path, flags={"images": 80, "save_every": 16, "tick": 48}, observer=At(64, spoil)).directory
    kept = sorted(path.name for path in spoilt.checkpoints.iterdir())
    assert kept == ["000000032", "000000048", "000000064", "000000080"], "a damaged one was counted"


@pytest.mark.slow
def test_a_damaged_newest_is_named_and_the_one_before_is_used(tmp_path, whole):
    run = start(tmp_path, flags=FLAGS, observer=At(64, lambda _: signal.raise_signal(2))).directory
    os.truncate(run.checkpoints / "000000064" / "optimisers.safetensors", 100)
    with pytest.warns(UserWarning, match=r"000000064\S* is not whole: .*; going on from \S*000000032 instead"):
        expect_the_same(go_on(tmp_path), whole)
