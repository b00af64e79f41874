import errno
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from run_processes import create_at_once, create_some, hold

from ganzoo.core.errors import RunError, UsageError
from ganzoo.runs.directory import RunDirectory


def test_a_new_run_has_a_number_a_name_and_all_its_folders(tmp_path, record):
    first, second = (RunDirectory.create(tmp_path / "runs", record) for _ in range(2))
    assert (first.name, second.name) == ("00001-infogan-mnist", "00002-infogan-mnist")
    assert {path.name for path in first.path.iterdir()} == {
        "run.json",
        "samples",
        "traversals",
        "checkpoints",
    }
    assert RunDirectory.open(first.path) == first


def test_numbers_go_on_from_the_highest_and_past_five_digits(tmp_path, record):
    (tmp_path / "00011-gan-mnist").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "00099-a-file").touch()
    assert RunDirectory.create(tmp_path, record).name.startswith("00012-")
    (tmp_path / "99999-gan-mnist").mkdir()
    assert RunDirectory.create(tmp_path, record).name.startswith("100000-")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("../../etc/passwd", "infogan-etc-passwd"),
        ("C:\\my photos", "infogan-C-my-photos"),
        ("..", "infogan-unnamed"),
        ("größe", "infogan-größe"),
        ("x" * 300, "infogan-" + "x" * 60),
    ],
)
def test_names_are_safe(tmp_path, record, data, name):
    run = RunDirectory.create(tmp_path, record.model_copy(update={"data": {"name": data}}))
    assert run.path == tmp_path / f"00001-{name}"


def test_processes_never_share_a_number(tmp_path, record):
    # Two models, for two runs of one model could not share a number: their directories' names would be equal.
    other = record.model_copy(update={"config": record.config.model_copy(update={"model": "gan"})})
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    pair = [spawn.Process(target=create_at_once, args=(barrier, tmp_path, each, 20)) for each in (record, other)]
    for process in pair:
        process.start()
    for process in pair:
        process.join(60)
    assert [process.exitcode for process in pair] == [0, 0]
    names = [run.name for run in RunDirectory.list(tmp_path)]
    assert [int(name[:5]) for name in names] == list(range(1, 41))
    assert sum("infogan" in name for name in names) == 20


def test_a_full_disk_leaves_no_run(tmp_path, record, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="no space left"):
        RunDirectory.create(tmp_path, record)
    assert RunDirectory.list(tmp_path) == []
    assert not any(tmp_path.glob("0*"))


def test_a_root_that_is_a_file_is_one_sentence(tmp_path, record):
    (tmp_path / "runs").touch()
    with pytest.raises(RunError, match="could not write a run in"):
        RunDirectory.create(tmp_path / "runs", record)


@pytest.mark.parametrize("which", [2, "2", "00002", "00002-inf", "00002-infogan-mnist"])
def test_opens_by_number_or_beginning_of_the_name(tmp_path, record, which):
    create_some(tmp_path, record, 3)
    assert RunDirectory.open(which, root=tmp_path).name == "00002-infogan-mnist"


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        ("0000", "there is no run '0000' in"),
        (7, "there is no run '7' in .*; known: 00001-infogan-mnist, 00002-infogan-mnist"),
        ("00001-infogam-mnist", "did you mean '00001-infogan-mnist'"),
        ("a\0b", "there is no run "),
        ("elsewhere/00001", "there is no run directory elsewhere/00001; `ganzoo runs --runs elsewhere` lists those"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path, record, which, sentence):
    create_some(tmp_path, record, 2)
    with pytest.raises(UsageError, match=sentence):
        RunDirectory.open(which, root=tmp_path)


def test_a_run_and_its_copy_are_told_apart_by_name(tmp_path, record):
    run = RunDirectory.create(tmp_path, record)
    shutil.copytree(run.path, tmp_path / "00001-infogan-mnist-copy")
    assert len(RunDirectory.list(tmp_path)) == 2
    for which in ("1", "00001-inf"):
        with pytest.raises(UsageError, match="could be any of 2 runs, such as 00001-infogan-mnist-copy"):
            RunDirectory.open(which, root=tmp_path)
    assert RunDirectory.open("00001-infogan-mnist", root=tmp_path) == run


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"is not a run directory: it has no run\.json"):
        RunDirectory.open(tmp_path, root=tmp_path / "runs")


def test_listing_goes_by_number_and_reads_records_only(tmp_path, record):
    create_some(tmp_path, record, 2)
    (tmp_path / "100000-x").mkdir()
    for path in tmp_path.glob("0*"):
        (path / "stats.jsonl").write_text("damaged")
        (path / "checkpoints").rmdir()
    assert [run.name for run in RunDirectory.list(tmp_path)] == ["00001-infogan-mnist", "00002-infogan-mnist"]
    assert RunDirectory.list(tmp_path / "nowhere") == []


def test_a_damaged_run_is_left_out_of_the_list_with_a_warning(tmp_path, record):
    create_some(tmp_path, record, 2)
    (tmp_path / "00001-infogan-mnist" / "run.json").write_text("{")
    with pytest.warns(UserWarning, match=r"left out: .*00001-infogan-mnist.*damaged"):
        runs = RunDirectory.list(tmp_path)
    assert [run.name for run in runs] == ["00002-infogan-mnist"]


def test_listing_imports_no_torch():
    code = "import sys, ganzoo.runs.directory; sys.exit('torch' in sys.modules)"
    folder = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, timeout=60).returncode == 0


def test_update_replaces_fields_on_the_disk_and_in_memory(run):
    config = run.record.config.model_copy(update={"images": 600})
    run.update(status="finished", images=600, seconds=1.5, config=config)
    assert run.record.images == 600
    assert RunDirectory.open(run.path).record == run.record


def test_an_update_that_fails_changes_nothing(run, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError):
        run.update(status="finished")
    assert run.record.status == "running"
    assert RunDirectory.open(run.path).record.status == "running"


def test_stats_are_lines_and_can_be_trimmed(run):
    assert run.stats() == []
    lines = [{"images": images, "terms": {"critic": 0.5}} for images in (100, 200, 300)]
    for line in lines:
        run.append_stats(line)
    assert run.stats() == lines
    assert (run.path / "stats.jsonl").read_text().splitlines()[0] == json.dumps(lines[0])
    run.trim_stats(200)
    assert run.stats() == lines[:2]


@pytest.mark.parametrize("torn", ['{"images": 20', '{"images": 200}', "{"])
def test_a_torn_last_line_is_left_out_and_spoils_nothing_after_it(run, torn):
    run.append_stats({"images": 100})
    with (run.path / "stats.jsonl").open("a") as file:
        file.write(torn)
    assert run.stats() == [{"images": 100}]
    run.append_stats({"images": 300})
    assert run.stats() == [{"images": 100}, {"images": 300}]


def test_a_single_torn_line_can_be_appended_to(run):
    (run.path / "stats.jsonl").write_text('{"im')
    run.append_stats({"images": 1})
    assert run.stats() == [{"images": 1}]


@pytest.mark.parametrize("line", ["{", "3", "\x00"])
def test_a_damaged_line_in_the_middle_is_named(run, line):
    (run.path / "stats.jsonl").write_text('{"images": 1}\n' + line + '\n{"images": 3}\n')
    with pytest.raises(RunError, match=r"line 2 of .*stats\.jsonl is damaged"):
        run.stats()


def test_a_second_process_is_told_that_the_run_is_in_use(run):
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    process = spawn.Process(target=hold, args=(run.path, ready, done))
    process.start()
    try:
        assert ready.wait(60)
        with pytest.raises(RunError, match="in use by another process"), run.lock():
            pass
    finally:
        done.set()
        process.join(60)
    with run.lock(), pytest.raises(RunError, match="in use"), RunDirectory.open(run.path).lock():
        pass


def test_a_lock_that_is_let_go_soon_is_waited_for(run):
    with ThreadPoolExecutor(1) as thread:
        with run.lock():
            with pytest.raises(RunError, match="in use"), run.lock(0.1):
                pass
            held = thread.submit(hold_briefly, run.path)
        held.result()


def hold_briefly(path: Path) -> None:
    with RunDirectory.open(path).lock(60):
        pass


def test_an_error_inside_the_lock_lets_it_go(run):
    with pytest.raises(ZeroDivisionError), run.lock():
        raise ZeroDivisionError
    with run.lock():
        pass


def test_what_a_training_left_half_written_is_removed_and_nothing_else(run):
    left = [run.path / ".stats.jsonl.0a1b2c3d.tmp", run.samples / ".01.png.1.tmp", run.traversals / ".z-3.png.2.tmp"]
    kept = [run.path / ".names.json.3.tmp", run.samples / "01.png", run.traversals / ".z-3.gif.4.tmp"]
    for path in left + kept:
        path.touch()
    with run.lock():
        run.tidy()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)
