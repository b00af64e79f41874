import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from comparison_helpers import Journal
from training_helpers import checkpointed, timeless

from ganzoo import api
from ganzoo.comparison.training import Interrupted, Outcome, Training, in_processes
from ganzoo.runs.directory import RunDirectory

FLAGS = ["--images", "192", "--batch", "32", "--device", "cpu", "--precision", "fp32"]
OPTIONS = ["-o", "width=0.125", "-o", "networks=mlp"]


def a_training(model: str = "gan", seed: int = 0, images: str = "192", **options: Any) -> Training:
    flags = {"images": images, "batch": 32, "device": "cpu", "precision": "fp32", "seed": seed}
    configured = api.configure(model, flags=flags, options={"width": 0.125, "networks": "mlp", **options})
    arguments = ("train", model, "--images", images, *FLAGS[2:], "--seed", str(seed), *OPTIONS)
    return Training(model, seed, configured, arguments)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_process_learns_what_this_one_does_and_another_that_fails_is_reported(tmp_path: Path) -> None:
    good, bad = a_training("infogan", seed=1), a_training("gan")
    bad = replace(bad, arguments=("train", "gan", "--batch", "0"))
    journal = Journal()
    failed, finished = in_processes([bad, good], tmp_path / "runs", journal, jobs=2, threads=1)
    assert journal.trained == ["gan, seed 0", "infogan, seed 1"]
    assert sorted(outcome.training.label for outcome in journal.outcomes) == [bad.label, good.label]  # as they end
    assert failed == Outcome(
        bad, None, "batch (--batch) must be a whole number above 0, such as 640000, 640k or 2M, not 0"
    )

    assert journal.images == [32, 64, 96, 128, 160, 192]
    assert finished.run is not None and finished.error == ""
    assert finished.run.record.command.startswith("ganzoo train infogan --images 192")
    here, there = api.start(good.configured, out=tmp_path / "here"), api.Run(finished.run)
    tensors = checkpointed(here)
    assert all(torch.equal(value, tensors[name]) for name, value in checkpointed(there).items())
    assert timeless(there) == timeless(here)


@pytest.mark.slow
def test_trainings_at_once_learn_what_they_do_one_by_one(tmp_path: Path) -> None:
    trainings = [a_training("gan", seed) for seed in range(3)]
    found = {}
    for jobs in (1, 2):
        outcomes = in_processes(trainings, tmp_path / str(jobs), Journal(), jobs=jobs, threads=1)
        assert [outcome.training for outcome in outcomes] == trainings
        found[jobs] = [checkpointed(api.Run(outcome.run)) for outcome in outcomes if outcome.run]
    for one, other in zip(found[1], found[2], strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


class Impatient(Journal):
    """Asks to stop once every training has begun to make progress."""

    def __init__(self, trainings: int) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.trainings = trainings

    def progressed(self, training: Training, images: int, rate: float) -> None:
        self.seen.add(training.name)
        if len(self.seen) == self.trainings:
            self.trainings = -1
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
def test_ctrl_c_lets_every_process_save(tmp_path: Path) -> None:
    trainings = [a_training("gan", seed, images="20M") for seed in range(2)]
    watcher = Impatient(2)
    with pytest.raises(Interrupted):
        in_processes([*trainings, a_training("gan", 2)], tmp_path / "runs", watcher, jobs=2)
    runs = RunDirectory.list(tmp_path / "runs")
    assert [run.record.status for run in runs] == ["interrupted", "interrupted"]
    for run in runs:
        assert (run.checkpoints / f"{run.record.images:09d}" / "manifest.json").is_file()
    assert watcher.outcomes == []


@pytest.mark.slow
def test_what_goes_on_starts_from_its_checkpoint(tmp_path: Path) -> None:
    whole = a_training("gan")
    done: Outcome = in_processes([whole], tmp_path / "runs", Journal())[0]
    assert done.run is not None
    done.run.update(status="interrupted", images=96)
    going_on = Training("gan", 0, whole.configured, whole.arguments, done.run)
    assert going_on.done == 96
    assert going_on.command("runs")[:3] == ["train", "--resume", str(done.run.path)]
    [outcome] = in_processes([going_on], tmp_path / "runs", Journal())
    assert outcome.run is not None and outcome.run.record.status == "finished"
    assert len(RunDirectory.list(tmp_path / "runs")) == 1
