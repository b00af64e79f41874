"""Trainings as tasks, with a crew that is nobody: the errands are carried out in this process, one a look."""

import os
import signal
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from comparison_helpers import Journal, a_plan, shared_zoo
from training_helpers import checkpointed, timeless

from ganzoo import api
from ganzoo.comparison.errand import Errand, Report, carry, variables
from ganzoo.comparison.plan import ComparisonPlan
from ganzoo.comparison.tasks import RETRIES, Crew, in_tasks, room
from ganzoo.comparison.training import Interrupted, Outcome, Training
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.session import Session
from ganzoo.training.start import WAITING


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An errand sets the threads, the environment and the working directory of its process."""
    threads, environment = torch.get_num_threads(), dict(os.environ)
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(environment)


@dataclass
class Team(Crew):
    """Carries out an errand whenever it is looked at; ``before`` may do something else first, and report that."""

    before: Callable[[Errand], Report | None] = lambda errand: None

    def __post_init__(self) -> None:
        self.given: list[Errand] = []
        self.most = 0
        self.waiting: list[int] = []
        self.stopped: list[Hashable] = []

    def give(self, errand: Errand) -> Hashable:
        self.given.append(errand)
        self.waiting.append(len(self.given) - 1)
        self.most = max(self.most, len(self.waiting))
        return len(self.given) - 1

    def done(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
        assert list(handles) == self.waiting
        return [self.waiting.pop(0)]

    def report(self, handle: Hashable) -> Report:
        assert isinstance(handle, int)
        if handle in self.stopped:
            return Report("interrupted")
        errand = self.given[handle]
        return self.before(errand) or carry(errand, shared_zoo())

    def stop(self, handle: Hashable) -> None:
        self.stopped.append(handle)


def tasks(plan: ComparisonPlan, crew: Crew, journal: Journal | None = None, limit: int | None = None) -> list[Outcome]:
    """Does the trainings of a plan."""
    journal = journal or Journal()
    return in_tasks(plan.trainings, plan.root, journal, crew, checksum=plan.checksum, threads=1, limit=limit)


def cut_short(errand: Errand, status: str) -> None:
    """Trains a run half way, and leaves it as a process does that is killed (``running``) or told to stop."""
    play_round = Session._round

    def play(session: Session) -> None:
        if session.trainer.images >= 32:
            raise KeyboardInterrupt
        play_round(session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_round", play)
        with pytest.raises(KeyboardInterrupt):
            carry(errand, shared_zoo())
    RunDirectory.open(errand.run).update(status=status, message="")


def saving(plan: ComparisonPlan) -> list[Training]:
    """The trainings of a plan, with a checkpoint every round."""
    return [
        replace(each, configured=replace(each.configured, config=each.configured.config.model_copy(update=update)))
        for each in plan.trainings
        for update in [{"save_every": 16, "tick": 16}]
    ]


def test_tasks_learn_what_trainings_here_do_in_the_order_given(tmp_path: Path) -> None:
    plan, journal, team = a_plan(tmp_path, "gan", "infogan"), Journal(), Team()
    outcomes = tasks(plan, team, journal)
    assert [outcome.training.name for outcome in outcomes] == ["gan, seed 0", "infogan, seed 0"] == journal.trained
    assert journal.outcomes == outcomes
    assert team.most == 2
    for outcome in outcomes:
        assert outcome.run is not None and outcome.note == outcome.error == ""
        assert outcome.run.record.status == "finished"
        assert outcome.run.record.command.startswith(f"ganzoo train {outcome.training.label} --data toys --images 64")
    here, there = api.start(outcomes[1].training.configured, out=tmp_path / "here"), api.Run(outcomes[1].run)
    expected = checkpointed(here)
    assert all(torch.equal(value, expected[name]) for name, value in checkpointed(there).items())
    assert timeless(there) == timeless(here)


def test_room_is_counted_machine_by_machine() -> None:
    machines = [{"CPU": 4.0, "GPU": 2.0}, {"CPU": 3.0}, {"memory": 1.0}]
    asked = [(1, 0), (2, 0), (8, 0), (1, 1), (1, 0.5), (1, 0.25), (3, 0.1), (1, 0.6)]
    assert [room(machines, cpus, gpus) for cpus, gpus in asked] == [7, 3, 0, 2, 4, 4, 1, 2]


def test_no_more_are_given_out_than_asked_for(tmp_path: Path) -> None:
    team = Team(lambda errand: Report("failed", "no"))
    assert len(tasks(a_plan(tmp_path, "gan", seeds=3), team, limit=2)) == 3
    assert team.most == 2


def test_whoever_takes_over_goes_on_where_the_run_was_saved(tmp_path: Path) -> None:
    plan, journal = a_plan(tmp_path, "gan"), Journal()
    plan_trainings = saving(plan)
    lost: list[list[dict[str, object]]] = []

    def worker_is_lost(errand: Errand) -> None:
        cut_short(errand, "running")
        lost.append(RunDirectory.open(errand.run).stats())

    team = Team(worker_is_lost)
    [outcome] = in_tasks(plan_trainings, plan.root, journal, team, checksum=plan.checksum, threads=1)
    assert outcome.run is not None and outcome.run.record.status == "finished"
    assert outcome.note == "gan, seed 0 lost its worker, and another went on from 32 images"
    assert outcome.run.stats()[:2] == lost[0]
    expected = checkpointed(api.start(plan_trainings[0].configured, out=tmp_path / "here"))
    assert all(torch.equal(value, expected[name]) for name, value in checkpointed(api.Run(outcome.run)).items())


def test_a_worker_that_is_told_to_stop_is_replaced_but_not_for_ever(tmp_path: Path) -> None:
    plan, stops = a_plan(tmp_path, "gan"), [True]

    def stop_once(errand: Errand) -> Report | None:
        if not stops:
            return None
        stops.pop()
        cut_short(errand, "interrupted")
        return Report("interrupted")

    team = Team(stop_once)
    [outcome] = in_tasks(saving(plan), plan.root, Journal(), team, checksum=plan.checksum, threads=1)
    assert outcome.run is not None and outcome.note == ""
    assert [errand.run for errand in team.given] == [str(outcome.run.path.resolve())] * 2

    [gave_up] = tasks(a_plan(tmp_path, "infogan"), Team(lambda errand: Report("interrupted")))
    assert gave_up.run is None
    assert gave_up.error == f"its workers were told to stop {RETRIES + 1} times; the same command goes on with it"


def test_a_run_that_fails_is_not_tried_again_and_the_others_go_on(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, "gan", "infogan")

    def damage(errand: Errand) -> None:
        if "-gan-" in errand.run:
            RunDirectory.open(errand.run).update(data_checksum="other")

    team = Team(damage)
    failed, finished = tasks(plan, team)
    assert failed.run is None
    assert failed.error.startswith("the data of 00001-gan-toys have changed since it started")
    assert finished.run is not None
    assert len(team.given) == 2


def test_a_run_that_is_in_use_fails_without_a_worker(tmp_path: Path) -> None:
    begun = api.start(a_plan(tmp_path, "gan").trainings[0].configured, out=tmp_path / "runs").directory
    begun.update(status="running", images=16)
    plan, team = a_plan(tmp_path, "gan"), Team()
    assert plan.trainings[0].run is not None
    with begun.lock():
        [outcome] = tasks(plan, team)
    assert "is in use by another process" in outcome.error
    assert team.given == []


def test_what_is_begun_already_goes_on_and_is_no_loss(tmp_path: Path) -> None:
    begun = api.start(a_plan(tmp_path, "gan").trainings[0].configured, out=tmp_path / "runs").directory
    begun.update(status="running")  # as a killed process leaves it
    [outcome] = tasks(a_plan(tmp_path, "gan"), Team())
    assert outcome.run is not None
    assert (outcome.run.path.resolve(), outcome.note) == (begun.path.resolve(), "")


def test_progress_is_read_from_the_run_directory(tmp_path: Path) -> None:
    plan, journal = a_plan(tmp_path, "gan", "infogan"), Journal()
    seen: list[list[int]] = []

    class Slow(Team):
        def done(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
            seen.append(list(journal.images))
            if len(seen) == 1:
                cut_short(self.given[0], "running")
                return []
            return super().done(handles, seconds)

    team = Slow()
    in_tasks(saving(plan), plan.root, journal, team, checksum=plan.checksum, threads=1)
    assert seen[:2] == [[], [32]]
    assert journal.trained[0] == "gan, seed 0"
    assert RunDirectory.open(team.given[1].run).record.images == 64


def test_a_signal_stops_the_tasks_and_keeps_what_waits(tmp_path: Path) -> None:
    def interrupt(errand: Errand) -> Report:
        os.kill(os.getpid(), signal.SIGINT)
        return Report("interrupted")

    journal, team = Journal(), Team(interrupt)
    with pytest.raises(Interrupted):
        tasks(a_plan(tmp_path, "gan", seeds=3), team, journal, limit=2)
    assert team.stopped == [1]
    assert journal.outcomes == []
    waiting = RunDirectory.list(tmp_path / "runs")
    assert [(run.record.status, run.record.message) for run in waiting] == [("interrupted", WAITING)] * 2
    origins = [run.origin for run in a_plan(tmp_path, "gan", seeds=3).entrants[0].runs]
    assert origins == ["resumed", "resumed", "trained"]


def test_an_errand_says_what_is_wrong_with_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errand = Errand("gan, seed 0", str(tmp_path / "runs" / "1"), str(tmp_path / "absent"), 1, (), "0.0")
    assert "no such file or directory); every machine must see the working directory" in carry(errand).error
    here = replace(errand, folder=str(tmp_path))
    assert "and the comparison is of 0.0; install the same everywhere" in carry(here).error
    monkeypatch.setattr("ganzoo.comparison.errand.installed_versions", lambda: {"ganzoo": "0.0"})
    assert carry(here).status == "failed"
    assert "there is no run directory" in carry(here).error

    def fail(*arguments: object, **others: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("ganzoo.comparison.errand.RunDirectory.open", fail)
    assert carry(here) == Report("failed", "ZeroDivisionError: by zero")


def test_an_errand_takes_the_environment_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", "downloads")
    assert variables()["GANZOO_DATA"] == "downloads"
    assert all(name.startswith("GANZOO_") for name in variables())
    monkeypatch.delenv("GANZOO_DATA")
    carry(Errand("gan", "nowhere", str(tmp_path), 1, (("GANZOO_DATA", "downloads"),), "0.0"))
    assert os.environ["GANZOO_DATA"] == "downloads"
