"""A crash, or a disk that refuses, at each call of the system in turn."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from crashes import Crash, crashing, refusing

from ganzoo.core.errors import RunError
from ganzoo.runs.checkpoint import latest, prune, save
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord

KEPT = 2
SETTINGS = {"schedule": 300, "half_life": 10, "tick": 20, "save_every": 30}


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the crashes of this file lose anything, so nobody has to wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def record() -> RunRecord:
    config = RunConfig(model="gan", data="mnist", images=300, **SETTINGS)
    return RunRecord(config=config, origins={}, data={"name": "mnist"}, data_checksum="0" * 64)


def tensors(images: int) -> dict[str, dict[str, torch.Tensor]]:
    return {"networks": {"weight": torch.full((4,), float(images))}, "averaged": {"weight": torch.zeros(2)}}


def begin(folder: Path) -> RunDirectory:
    """A run with as many checkpoints as are kept, the newest at 200 images."""
    run = RunDirectory.create(folder, record())
    for images in (100, 200):
        tick(run, images)
    return run


def tick(run: RunDirectory, images: int) -> None:
    """What a session does between two checkpoints, and with the second."""
    run.append_stats({"images": images})
    run.sync_stats()
    save(run, images, tensors(images), {"statistics": {}})
    prune(run, keep=KEPT)
    run.update(images=images)


def first_run(run: RunDirectory) -> None:
    tick(run, 300)


def over_a_damaged_one(run: RunDirectory) -> None:
    (run.checkpoints / "000000300").mkdir()
    tick(run, 300)


def all_that_is_there_is_good(folder: Path, at_least: int) -> None:
    """After whatever happened: the run opens, its newest checkpoint is whole, and its lines are those before it."""
    run = RunDirectory.open(1, folder)
    newest = latest(run)
    assert newest.images >= at_least
    assert torch.equal(newest.tensors("networks")["weight"], torch.full((4,), float(newest.images)))
    assert run.record.images in (200, 300)
    assert [line["images"] for line in run.stats()][: newest.images // 100] == list(range(100, newest.images + 1, 100))


def it_goes_on(folder: Path) -> None:
    """A new process takes the run up, and in the end nothing is left of what happened."""
    run = RunDirectory.open(1, folder)
    with run.lock():
        reached = latest(run).images
        run.tidy()
        run.trim_stats(reached)
        for images in range(reached + 100, 500, 100):
            tick(run, images)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["000000300", "000000400"]
    assert [line["images"] for line in run.stats()] == [100, 200, 300, 400]
    assert not [path for path in run.path.rglob("*") if path.suffix == ".tmp"]


@pytest.mark.parametrize("action", [first_run, pytest.param(over_a_damaged_one, marks=pytest.mark.slow)])
def test_a_crash_at_any_call_of_the_system_loses_no_finished_checkpoint(
    action: Callable[[RunDirectory], None], tmp_path: Path
) -> None:
    struck = []
    for after in range(1000):
        folder = tmp_path / str(after)
        run = begin(folder)
        try:
            with crashing(after, folder) as made:
                action(run)
        except Crash:
            struck.append(made[after])
            # Once the new one has its name on the disk, it counts.
            all_that_is_there_is_good(folder, at_least=200)
            it_goes_on(folder)
        else:
            break
    assert len(struck) > 15, "the crashes struck nothing"
    assert {"fsync", "rename", "replace", "unlink", "rmdir"} <= set(struck)


@pytest.mark.parametrize("code", [errno.ENOSPC, pytest.param(errno.EROFS, marks=pytest.mark.slow)])
def test_a_disk_that_refuses_any_call_is_one_sentence_and_loses_nothing(code: int, tmp_path: Path) -> None:
    refused = []
    for number in range(1000):
        folder = tmp_path / str(number)
        run = begin(folder)
        try:
            with refusing(number, code) as made:
                first_run(run)
        except RunError as error:
            refused.append(made[number])
            assert "could not write" in str(error)
            assert "\n" not in str(error)
            all_that_is_there_is_good(folder, at_least=200)
            it_goes_on(folder)
        else:
            if len(made) <= number:
                break
            # What could not be removed is not missed; it goes with the next.
            assert made[number] in ("unlink", "rmdir", "open", "mkdir")
    assert {"fsync", "rename", "replace", "mkdir"} <= set(refused)


def test_a_crash_while_a_run_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    seen = set()
    for after in range(1000):
        folder = tmp_path / str(after)
        folder.mkdir()
        try:
            with crashing(after, folder) as made:
                RunDirectory.create(folder, record())
        except Crash:
            runs = RunDirectory.list(folder)
            seen.add(len(runs))
            assert all(run.checkpoints.is_dir() for run in runs)
            assert not [
                path for path in folder.iterdir() if path.name[0].isdecimal() and not (path / "run.json").exists()
            ]
            assert RunDirectory.create(folder, record()).name == f"0000{len(runs) + 1}-gan-mnist"
            assert not (folder / ".making").exists()
        else:
            break
    assert seen == {0, 1}
    assert len(made) > 8


def test_a_file_may_not_grow_any_more(tmp_path: Path) -> None:
    """A quota by the system itself, for any size that a checkpoint's files may reach."""
    resource = pytest.importorskip("resource")
    run = begin(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    refused = 0
    for room in (0, 1, 50, 90, 150, 300):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        try:
            save(run, 300, tensors(300), {"statistics": {}})
        except RunError as error:
            refused += 1
            assert "could not write the checkpoint at 300 images" in str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert sorted(path.name for path in run.checkpoints.iterdir()) == ["000000100", "000000200"]
    assert refused == 6
    it_goes_on(tmp_path)
