"""Runs that last, and folders that fill: nothing grows but what is asked for."""

import json
import os
import shutil
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from training_helpers import start

from ganzoo.cli.runs import print_runs
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.training.events import Observer

SETTINGS = {"schedule": 300, "half_life": 10, "tick": 20, "save_every": 30}


class Watcher(Observer):
    """Notes at every save what the process has open and how long the log is."""

    def __init__(self) -> None:
        self.handles: list[int] = []
        self.log: list[int] = []
        self.folder: list[int] = []

    def started(self, plan, run):
        self.run = run

    def saved(self, images, path):
        self.handles.append(len(os.listdir("/proc/self/fd")))
        self.log.append((self.run.path / "stats.jsonl").stat().st_size)
        self.folder.append(sum(file.stat().st_size for file in self.run.checkpoints.rglob("*") if file.is_file()))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files")
def test_handles_log_and_checkpoints_do_not_grow_with_the_images(tmp_path):
    watcher = Watcher()
    start(tmp_path, "infogan", observer=watcher, flags={"images": 4000, "save_every": 80, "tick": 16})
    assert len(watcher.handles) == 50
    assert max(watcher.handles[1:]) == min(watcher.handles[1:])
    grown = [after - before for before, after in pairwise(watcher.log)]
    assert max(grown) < 1.1 * min(grown)
    assert grown[0] / 80 < 50, "bytes of the log for each image, at a line for every sixteen"
    assert max(watcher.folder[3:]) < 1.01 * min(watcher.folder[3:])


@pytest.fixture
def run(tmp_path) -> RunDirectory:
    config = RunConfig(model="gan", data="mnist", images=300, **SETTINGS)
    record = RunRecord(config=config, origins={}, data={"name": "mnist"}, data_checksum="0" * 64)
    return RunDirectory.create(tmp_path / "runs", record)


def test_statistics_and_record_can_be_read_at_any_time_while_they_are_written(run, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    ended, seen, failed = threading.Event(), [], []

    def read() -> None:
        try:
            while not ended.is_set():
                seen.append([line["images"] for line in run.stats()])
                assert RunDirectory.open(run.path).record.images <= 200
        except BaseException as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for images in range(1, 201):
        run.append_stats({"images": images, "padding": "x" * 1000})
        if images % 10 == 0:
            run.update(images=images)
        if images % 50 == 0:
            run.trim_stats(images)
    ended.set()
    reader.join()
    assert not failed
    assert seen
    assert all(found == list(range(1, len(found) + 1)) for found in seen)
    assert len({len(found) for found in seen}) > 2, "the reader saw nothing of the writing"


def test_a_line_in_the_middle_of_being_written_is_not_seen(run):
    run.append_stats({"images": 16})
    with (run.path / "stats.jsonl").open("ab") as file:
        for byte in b'{"images": 32}':
            file.write(bytes([byte]))
            file.flush()
            assert run.stats() == [{"images": 16}]
        file.write(b"\n")
    assert run.stats() == [{"images": 16}, {"images": 32}]


def test_runs_are_listed_from_one_small_file_each(run, monkeypatch, capsys):
    for number in range(2, 201):
        path = run.path.with_name(f"{number:05d}-gan-mnist")
        path.mkdir()
        shutil.copy(run.path / "run.json", path)
    opened, real = [], os.open

    def noted(file, *arguments, **more):
        opened.append(Path(file))
        return real(file, *arguments, **more)

    monkeypatch.setattr(os, "open", noted)
    print_runs(str(run.path.parent), as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == 200
    assert sorted(opened) == sorted(run.path.parent.glob("*/run.json"))
    assert max(path.stat().st_size for path in opened) < 5000
