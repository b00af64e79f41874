import errno
import math
import signal

import pytest
import torch
from training_helpers import MODELS, Doomed, checkpointed, configured, pictures, start, timeless, zoo_of

from ganzoo import api
from ganzoo.core.errors import RunError
from ganzoo.runs import checkpoint, directory
from ganzoo.training.events import Observer, Summary, Tick


class Recorder(Observer):
    """Keeps all it is told; sends itself SIGINT once the run has reached ``stop`` images."""

    def __init__(self, stop: int | None = None, times: int = 1, look: bool = False) -> None:
        self.stop, self.times, self.look = stop, times, look
        self.events: list[tuple[str, int]] = []
        self.ticks: list[Tick] = []
        self.summaries: list[Summary] = []

    def started(self, plan, run):
        assert run.record.status == "running"
        self.events.append(("started", plan.rounds))

    def progressed(self, images):
        self.events.append(("progressed", images))
        if images == self.stop:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def ticked(self, tick):
        self.events.append(("ticked", tick.images))
        self.ticks.append(tick)
        if self.look:
            assert tick.preview().shape == (24, 1, 16, 16)

    def saved(self, images, path):
        assert path.name == f"{images:09d}"
        assert (path / "manifest.json").is_file()
        self.events.append(("saved", images))

    def finished(self, run, summary):
        assert run.record.status == summary.status
        self.events.append(("finished", summary.images))
        self.summaries.append(summary)


def checkpoints(run: api.Run) -> list[int]:
    return sorted(int(path.name) for path in run.directory.checkpoints.iterdir())


def same(one: api.Run, other: api.Run) -> bool:
    here, there = checkpointed(one), checkpointed(other)
    return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)


# ---- what happens when ----


def test_an_observer_hears_everything_in_order(tmp_path):
    recorder = Recorder()
    start(tmp_path, observer=recorder, flags={"images": 80, "tick": 32, "save_every": 48})
    assert recorder.events == [
        ("started", 5),
        ("progressed", 16),
        ("progressed", 32),
        ("ticked", 32),
        ("progressed", 48),
        ("saved", 48),
        ("progressed", 64),
        ("ticked", 64),
        ("progressed", 80),
        ("ticked", 80),
        ("saved", 80),
        ("finished", 80),
    ]


def test_a_budget_that_is_no_multiple_of_the_batch_ends_with_a_whole_round(tmp_path):
    run = start(tmp_path, flags={"images": 70, "tick": 40, "save_every": 50})
    assert (run.record.images, run.record.status) == (80, "finished")
    assert checkpoints(run) == [64, 80]
    # 40 is passed in the third round, 80 in the last.
    assert [line["images"] for line in run.stats()] == [48, 80]


def test_a_budget_below_a_batch_is_one_round(tmp_path):
    run = start(tmp_path, flags={"images": 3})
    assert (run.record.images, run.record.status) == (16, "finished")
    assert [line["images"] for line in run.stats()] == [16]


def test_the_newest_three_checkpoints_stay(tmp_path):
    assert checkpoints(start(tmp_path, flags={"images": 96, "save_every": 16})) == [64, 80, 96]


def test_statistics_are_means_since_the_last_line(tmp_path):
    fine = timeless(start(tmp_path, "infogan", flags={"tick": 16}))
    coarse = timeless(start(tmp_path, "infogan", flags={"tick": 32}))
    assert [line["images"] for line in coarse] == [32, 64]
    for index, line in enumerate(coarse):
        pair = fine[2 * index : 2 * index + 2]
        for name, value in line.items():
            if name != "images":
                assert value == pytest.approx(sum(each[name] for each in pair) / 2), name


def test_times_are_kept_with_the_statistics(tmp_path):
    run = start(tmp_path)
    seconds = [line["seconds"] for line in run.stats()]
    assert seconds == sorted(seconds)
    assert all(line["images_per_second"] > 0 for line in run.stats())
    assert run.record.seconds >= seconds[-1]


def test_a_tick_tells_ceilings_of_discrete_codes_only_and_draws_previews(tmp_path):
    recorder = Recorder()
    start(tmp_path, "infogan", observer=recorder, categories=[4], styles=1)
    assert all(tick.ceilings == {"information/category": pytest.approx(math.log(4))} for tick in recorder.ticks)
    tick = recorder.ticks[-1]
    assert {"information/category", "information/style", "critic_accuracy", "generator/adversarial"} <= set(tick.stats)
    assert tick.images_per_second > 0
    preview = tick.preview()
    assert preview.shape == (24, 1, 16, 16)
    assert preview.abs().max() <= 1
    assert torch.equal(preview, tick.preview())


def test_looking_at_previews_changes_nothing(tmp_path):
    looked = start(tmp_path, "infogan", observer=Recorder(look=True))
    assert same(looked, start(tmp_path, "infogan"))


@pytest.mark.parametrize("model", MODELS)
def test_pictures_are_drawn_at_checkpoints_and_at_the_end(tmp_path, model):
    run = start(tmp_path, model, flags={"images": 32, "save_every": 16})
    drawn = list(pictures(run))
    assert drawn[:2] == ["samples/000000016.png", "samples/000000032.png"]
    shown = {"cgan": ["label"], "acgan": ["label"], "infogan": ["category", "style"], "infogan-cr": ["style"]}
    variables = shown.get(model, ["z"])
    assert {name.removeprefix("traversals/").rpartition("-")[0] for name in drawn[2:]} == set(variables)
    assert [path.name for path in run.path.iterdir() if path.suffix == ".tmp"] == []


def test_the_summary_says_how_it_ended_and_what_to_do_next(tmp_path):
    recorder = Recorder()
    run = start(tmp_path, "infogan", observer=recorder)
    (summary,) = recorder.summaries
    assert (summary.status, summary.images, summary.seconds) == ("finished", 64, run.record.seconds)
    assert summary.stats == recorder.ticks[-1].stats
    assert summary.pictures
    assert all(path.is_file() for path in summary.pictures)
    assert summary.sentences
    assert run.record.message == " ".join(summary.sentences)
    assert summary.next[0].startswith(f"ganzoo sample {run.path}")
    assert summary.resume == run.resume_command == f"ganzoo train --resume {run.path}"


# ---- interruption ----


def test_an_interrupted_run_is_saved_and_says_so(tmp_path):
    recorder = Recorder(stop=48)
    run = start(tmp_path, "infogan", observer=recorder, flags={"images": 96})
    assert (run.record.status, run.record.images) == ("interrupted", 48)
    assert recorder.events[-2:] == [("saved", 48), ("finished", 48)]
    (summary,) = recorder.summaries
    assert (summary.status, summary.sentences) == ("interrupted", [])
    assert summary.resume == run.resume_command
    assert "samples/000000048.png" in pictures(run)


def test_an_interruption_in_the_last_round_is_the_end(tmp_path):
    assert start(tmp_path, observer=Recorder(stop=64)).record.status == "finished"


def test_a_resumed_run_adds_its_time(tmp_path):
    before = start(tmp_path, observer=Recorder(stop=32)).record.seconds
    run = api.resume(1, out=tmp_path, zoo=zoo_of())
    assert run.record.seconds > before > 0
    seconds = [line["seconds"] for line in run.stats()]
    assert seconds == sorted(seconds)


def test_a_run_may_be_interrupted_again_and_again(tmp_path):
    whole = start(tmp_path / "whole", "acgan", flags={"images": 96})
    run = start(tmp_path / "runs", "acgan", observer=Recorder(stop=16), flags={"images": 96})
    for stop in (32, 80, None):
        run = api.resume(1, out=tmp_path / "runs", observer=Recorder(stop=stop), zoo=zoo_of())
    assert run.record.status == "finished"
    assert same(run, whole)
    assert timeless(run) == timeless(whole)


def test_a_second_signal_stops_at_once_and_the_last_checkpoint_counts(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, observer=Recorder(stop=48, times=2), flags={"images": 96, "save_every": 32})
    run = api.open(1, tmp_path)
    assert run.record.status == "interrupted"
    assert run.record.message.endswith("the last good checkpoint is " + str(run.directory.checkpoints / "000000032"))
    resumed = api.resume(1, out=tmp_path, zoo=zoo_of())
    assert resumed.record.status == "finished"
    assert same(resumed, start(tmp_path / "whole", flags={"images": 96, "save_every": 32}))


def test_a_resumed_run_that_has_nothing_to_do_tells_what_it_told_before(tmp_path):
    first, second = Recorder(), Recorder()
    start(tmp_path, "infogan", observer=first)
    api.resume(1, out=tmp_path, observer=second, zoo=zoo_of())
    one, two = first.summaries[0], second.summaries[0]
    assert (one.stats, one.sentences, one.pictures, one.next) == (two.stats, two.sentences, two.pictures, two.next)


# ---- failure ----


@pytest.mark.parametrize(
    ("save_every", "last"), [(32, "the last good checkpoint is .*000000064$"), (96, "there is no checkpoint yet$")]
)
def test_a_value_that_is_not_finite_ends_the_run_with_what_is_left(tmp_path, save_every, last):
    flags = {"images": 128, "save_every": save_every, "tick": 48}
    match = rf"^generator/doom was not a finite number in round 5 \(80 images\); {last}"
    with pytest.raises(RunError, match=match):
        start(tmp_path, Doomed, flags=flags)
    run = api.open(1, tmp_path)
    assert run.record.status == "failed"
    assert "generator/doom was not a finite number in round 5" in run.record.message
    assert all(math.isfinite(value) for line in run.stats() for value in line.values())
    assert checkpoints(run) == ([32, 64] if save_every == 32 else [])


def test_a_disk_that_fills_during_a_save_ends_the_run_and_spoils_nothing(tmp_path, monkeypatch):
    flags = {"images": 96, "save_every": 32}
    write = checkpoint.write_synced

    def full(path, content):
        if (path.parent.parent / "000000032").exists():
            path.write_bytes(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "write_synced", full)
        with pytest.raises(RunError, match=r"could not write the checkpoint at 64 images .*no space left.*: free some"):
            start(tmp_path / "runs", flags=flags)
    run = api.open(1, tmp_path / "runs")
    assert run.record.status == "failed"
    assert "no space left" in run.record.message
    assert run.record.message.endswith(f"the last good checkpoint is {run.directory.checkpoints / '000000032'}")
    assert checkpoints(run) == [32], "something half-written was left"
    assert run.record.images == 32
    resumed = api.resume(1, out=tmp_path / "runs", zoo=zoo_of())
    assert resumed.record.status == "finished"
    whole = start(tmp_path / "whole", flags=flags)
    assert same(resumed, whole)
    assert timeless(resumed) == timeless(whole)


def test_a_disk_that_takes_nothing_at_all_still_ends_in_one_sentence(tmp_path, monkeypatch):
    class Unplugged(Observer):
        def saved(self, images, path):
            def full(*_):
                raise OSError(errno.ENOSPC, "No space left on device")

            monkeypatch.setattr("ganzoo.runs.files.os.fsync", full)

    with pytest.raises(RunError, match=r"no space left on device.*the last good checkpoint is .*000000032"):
        start(tmp_path, observer=Unplugged(), flags={"images": 96, "save_every": 32})
    monkeypatch.undo()
    run = api.open(1, tmp_path)
    assert run.record.status == "running", "the record could not be written, so it is as it was"
    assert checkpoints(run) == [32]
    assert not [path for path in run.path.rglob("*") if path.suffix == ".tmp" or path.name == ".saving"]


def test_statistics_that_cannot_be_written_end_the_run(tmp_path, monkeypatch):
    def full(self, values):
        with directory.saving("stats.jsonl"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(directory.RunDirectory, "append_stats", full)
    with pytest.raises(RunError, match=r"could not write stats.jsonl .*; there is no checkpoint yet$"):
        start(tmp_path)
    assert api.open(1, tmp_path).record.status == "failed"


@pytest.mark.parametrize("event", ["started", "progressed", "ticked", "saved", "finished"])
def test_an_observer_that_breaks_leaves_a_record_of_it(tmp_path, event):
    class Broken(Observer):
        pass

    def fail(self, *_):
        raise ValueError(f"{event} is broken")

    setattr(Broken, event, fail)
    with pytest.raises(ValueError, match="is broken"):
        start(tmp_path, observer=Broken())
    record = api.open(1, tmp_path).record
    if event == "finished":
        assert record.status in ("finished", "failed")
    else:
        assert (record.status, record.message.partition(";")[0]) == ("failed", f"{event} is broken")


def test_a_failed_run_goes_on_once_the_reason_is_gone(tmp_path):
    class Broken(Recorder):
        def progressed(self, images):
            if images == 48:
                raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        start(tmp_path / "runs", "cgan", observer=Broken(), flags={"images": 96, "save_every": 32})
    resumed = api.resume(1, out=tmp_path / "runs", zoo=zoo_of())
    assert (resumed.record.status, resumed.record.images) == ("finished", 96)
    whole = start(tmp_path / "whole", "cgan", flags={"images": 96, "save_every": 32})
    assert same(resumed, whole)
    assert timeless(resumed) == timeless(whole)


@pytest.mark.parametrize("save_every", [48, 64])
def test_a_raised_budget_counts_no_image_twice_in_the_statistics(tmp_path, save_every):
    """The line at the end of the first budget, and the next one, are means of what came between."""
    fine = {line["images"]: line for line in timeless(start(tmp_path / "fine", flags={"images": 96, "tick": 16}))}
    flags = {"tick": 48, "save_every": save_every, "schedule": 96}
    start(tmp_path / "runs", flags={"images": 64, **flags})
    run = api.resume(1, out=tmp_path / "runs", flags={"images": 96}, zoo=zoo_of())
    lines = timeless(run)
    assert [line["images"] for line in lines] == [48, 64, 96]
    for first, last in ((0, 1), (1, 2)):
        between = [fine[images] for images in fine if lines[first]["images"] < images <= lines[last]["images"]]
        expected = sum(line["critic/adversarial"] for line in between) / len(between)
        assert lines[last]["critic/adversarial"] == pytest.approx(expected)


def test_configured_runs_are_played_as_configured(tmp_path):
    made = configured("gan", flags={"half_life": 7, "schedule": 5})
    run = api.start(made, out=tmp_path, command="ganzoo train gan")
    assert run.config == made.config
    assert run.record.origins == made.origins
    assert run.record.command == "ganzoo train gan"
