"""Whoever edits his model or metric and types the same command again wants the numbers of the new code."""

import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from comparison_helpers import Brightness, Journal, a_comparison, a_plan, toy_zoo
from training_helpers import start

from ganzoo.comparison import places
from ganzoo.comparison.compare import carry_out
from ganzoo.comparison.errand import carry
from ganzoo.comparison.places import InProcesses, refuse_place
from ganzoo.comparison.plan import ComparisonPlan
from ganzoo.comparison.request import Request
from ganzoo.comparison.tasks import _Task
from ganzoo.comparison.training import Outcome
from ganzoo.evaluation.records import read_records
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import plugin_versions
from ganzoo.zoo.manager import Zoo

MODEL = """
import ganzoo

class Mine(ganzoo.Model):
    '''A model in a file.'''
    name = "mine"

    def latent(self, data):
        return ganzoo.LatentSpec(z=ganzoo.Normal(4))
"""
METRIC = """
import ganzoo

class Constant(ganzoo.Metric):
    '''A number.'''
    name = "constant"
    summary = "a number"
    group = "fidelity"

    def scores(self, subject):
        {before}
        yield subject.score("constant", {value}, "known beforehand")
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for name in [name for name in sys.modules if name.startswith("ganzoo_plugin_file_")]:
        del sys.modules[name]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "my_gan.py"
    file.write_text(MODEL)
    return file


def zoo_with(*files: Path) -> Zoo:
    """The zoo of a process that is told of these files, and of the toys."""
    zoo = toy_zoo()
    for file in files:
        zoo.register_file(file)
    return zoo


def origins(plan: ComparisonPlan) -> list[str]:
    return [run.origin for entrant in plan.entrants for run in entrant.runs]


def test_a_model_is_trained_anew_once_its_code_is_edited(tmp_path: Path, model: Path) -> None:
    a_comparison(tmp_path, "mine", "gan", zoo=zoo_with(model))
    assert origins(a_plan(tmp_path, "mine", "gan", zoo=zoo_with(model))) == ["reused", "reused"]
    model.write_text(f"{MODEL}# the losses are others\n")
    found = a_comparison(tmp_path, "mine", "gan", zoo=zoo_with(model))
    assert [each.runs[0].origin for each in found.entrants] == ["trained", "reused"]
    first, _, second = RunDirectory.list(tmp_path / "runs")
    assert list(plugin_versions(second.record.versions)) == ["my_gan"]
    assert second.record.versions != first.record.versions
    assert found.versions["my_gan"] == second.record.versions["my_gan"]
    model.write_text(MODEL)
    assert origins(a_plan(tmp_path, "mine", "gan", zoo=zoo_with(model))) == ["reused", "reused"]


def test_an_interrupted_run_of_other_code_does_not_go_on(tmp_path: Path, model: Path) -> None:
    run = start(tmp_path / "runs", "mine", zoo=zoo_with(model)).directory
    run.update(status="interrupted")
    assert origins(a_plan(tmp_path, "mine", zoo=zoo_with(model))) == ["resumed"]
    model.write_text(f"{MODEL}# another\n")
    assert origins(a_plan(tmp_path, "mine", zoo=zoo_with(model))) == ["trained"]


def test_a_run_from_before_plugins_were_recorded_is_trained_anew(tmp_path: Path, model: Path) -> None:
    for name in ("gan", "mine"):
        run = start(tmp_path / "runs", name, zoo=zoo_with(model)).directory
        common = {key: run.record.versions[key] for key in ("python", "ganzoo", "torch")}
        run.update(versions=common)
    assert origins(a_plan(tmp_path, "gan", "mine", zoo=zoo_with(model))) == ["reused", "trained"]


def test_scores_of_a_metric_are_computed_anew_once_its_code_is_edited(tmp_path: Path) -> None:
    file = tmp_path / "my_metric.py"

    def compared(value: float) -> tuple[float | None, list[str]]:
        file.write_text(METRIC.format(before="", value=value))
        journal = Journal()
        metrics = ("constant", "brightness")
        found = a_comparison(tmp_path, "gan", zoo=zoo_with(file), metrics=metrics, watcher=journal)
        return found["constant"].cells["gan"].mean, journal.measured

    assert compared(1.0) == (1.0, ["gan, seed 0: constant", "gan, seed 0: brightness"])
    assert compared(1.0) == (1.0, [])
    assert compared(20.0) == (20.0, ["gan, seed 0: constant"])


NEED = """
        try:
            import package_to_come
        except ImportError as error:
            raise ganzoo.Unavailable("it needs package_to_come") from error
"""


def test_a_metric_that_lacks_a_package_is_tried_again_once_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "needy.py"
    file.write_text(METRIC.format(before=NEED, value=1.0))

    def compared() -> list[str]:
        journal = Journal()
        a_comparison(tmp_path, "gan", zoo=zoo_with(file), metrics=("constant", "code-count"), watcher=journal)
        return journal.measured

    assert compared() == ["gan, seed 0: constant", "gan, seed 0: code-count"]
    assert compared() == []
    site = tmp_path / "site"
    site.mkdir()
    (site / "package_to_come.py").touch()
    monkeypatch.syspath_prepend(str(site))
    assert compared() == ["gan, seed 0: constant"]
    assert compared() == []


def test_scores_rest_on_the_code_of_the_model_too(tmp_path: Path, model: Path) -> None:
    run = start(tmp_path / "runs", "mine", zoo=zoo_with(model)).directory
    for text, computed in ((MODEL, 1), (MODEL, 0), (f"{MODEL}# another\n", 1)):
        model.write_text(text)
        before = Brightness.computed
        a_comparison(tmp_path, run.name, zoo=zoo_with(model), data=None, images=None, options=())
        assert Brightness.computed - before == computed
    assert {tuple(record.plugins) for record in read_records(run)} == {("my_gan", "toys")}


def test_a_run_that_other_code_goes_on_with_says_so(tmp_path: Path, model: Path) -> None:
    from ganzoo import api

    run = start(tmp_path / "runs", "mine", zoo=zoo_with(model)).directory
    old = run.record.versions["my_gan"]
    model.write_text(f"{MODEL}# another\n")
    zoo = zoo_with(model)
    new = zoo.versions(zoo.model("mine"))["my_gan"]
    for images in (96, 128):
        run = api.resume(run.path, zoo=zoo, flags={"images": images}).directory
        assert run.record.versions["my_gan"] == f"{old}, then {new}"
    assert origins(a_plan(tmp_path, "mine", zoo=zoo, images=128)) == ["trained"]


def test_code_that_is_edited_while_it_trains_is_not_in_the_table(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = a_plan(tmp_path, "mine", "gan", zoo=zoo_with(model))
    model.write_text(f"{MODEL}# another\n")
    other = zoo_with(model)

    def train(*arguments: Any) -> list[Outcome]:
        runs = {name: start(tmp_path / "runs", name, zoo=other).directory for name in ("mine", "gan")}
        return [Outcome(each, runs[each.label]) for each in plan.trainings]

    monkeypatch.setattr(type(plan.place), "train", train)
    found = carry_out(plan, Journal())
    assert [entrant.label for entrant in found.entrants] == ["gan"]
    [failure] = found.failures
    assert "its plugin was edited after the comparison had begun" in failure


def test_a_file_is_trained_in_a_process_of_its_own_which_is_told_of_it(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    zoo = Zoo()
    zoo.register_file(Path("my_gan.py"))
    plan = a_plan(
        tmp_path, "mine", data="mnist", options=("width=0.125", "networks=mlp"), zoo=zoo, metrics=("information",)
    )
    assert isinstance(plan.place, InProcesses)
    [outcome] = plan.place.train(plan.trainings, plan.root, Journal())
    assert outcome.run is not None, outcome.error
    record = outcome.run.record
    words = shlex.split(record.command)
    assert words[words.index("--plugin") + 1] == str(model)
    assert record.peak_memory
    assert record.versions["my_gan"] == zoo.versions(zoo.model("mine"))["my_gan"]
    assert origins(
        a_plan(
            tmp_path, "mine", data="mnist", options=("width=0.125", "networks=mlp"), zoo=zoo, metrics=("information",)
        )
    ) == ["reused"]


def test_a_file_is_named_to_whoever_goes_on(tmp_path: Path, model: Path) -> None:
    start(tmp_path / "runs", "mine", zoo=zoo_with(model)).directory.update(status="interrupted")
    [training] = a_plan(tmp_path, "mine", zoo=zoo_with(model)).trainings
    assert training.command("runs")[3:] == ["--plugin", str(model), "--out", "runs"]


def test_workers_are_told_of_files_and_refuse_other_code(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "find_spec", lambda name: object())
    zoo = Zoo()
    zoo.register_file(model)
    refuse_place(Request(["mine"], on="ray", zoo=zoo))

    monkeypatch.chdir(tmp_path)
    plan = a_plan(tmp_path, "mine", zoo=zoo_with(model))
    task = _Task(plan.trainings[0], Journal())
    errand = task.errand(plan.root, plan.checksum, 1, {})
    assert errand.files == (str(model),)
    assert (
        carry(replace(errand, files=("nowhere.py",)), toy_zoo()).error == "--plugin nowhere.py: there is no such file"
    )
    model.write_text(f"{MODEL}# another\n")
    refused = carry(errand, toy_zoo())
    assert refused.status == "failed"
    assert " has my_gan sources " in refused.error and "install the same everywhere" in refused.error
    model.write_text(MODEL)
    assert carry(errand, toy_zoo()).status == "finished"
