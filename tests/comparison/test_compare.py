import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from comparison_helpers import Brightness, Journal, a_comparison, a_plan, shared_zoo, toy_zoo
from training_helpers import checkpointed, start

from ganzoo import api
from ganzoo.comparison import training
from ganzoo.comparison.compare import compare, folder_of
from ganzoo.comparison.model import Comparison
from ganzoo.comparison.training import Interrupted
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.objective import Objective
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.configuration import join
from ganzoo_gan import GAN


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has tests of its own."""

    def write(comparison: Comparison, path: Path, *others: Any) -> None:
        path.write_text(comparison.name, encoding="utf-8")

    monkeypatch.setattr("ganzoo.comparison.report.write_comparison_report", write)


def names(folder: Path) -> list[str]:
    return [run.name for run in RunDirectory.list(folder / "runs")]


def test_models_are_trained_measured_and_saved(tmp_path: Path) -> None:
    journal = Journal()
    found = a_comparison(tmp_path, "gan", "infogan", seeds=2, watcher=journal, command="ganzoo compare gan infogan")
    assert journal.trained == ["gan, seed 0", "infogan, seed 0", "gan, seed 1", "infogan, seed 1"]
    assert journal.images == [16, 32, 48, 64] * 4
    assert journal.closed
    assert [(run.seed, run.images, run.origin) for run in found.entrants[0].runs] == [
        (0, 64, "trained"),
        (1, 64, "trained"),
    ]
    brightness = found["brightness"]
    assert brightness.floor is not None
    assert all(len(cell.values) == 2 and cell.spread is not None for cell in brightness.cells.values())
    assert found["code_count"].cells["infogan"].mean == 2
    assert found["code_count"].cells["gan"].skipped == "it has no codes"
    assert found.protocol.seeds == (0, 1)
    assert found["peak_memory"].cells["gan"].skipped == (
        "not known: its process did more than this training, or cannot tell"
    )

    folder = tmp_path / "comparisons" / found.name
    assert Comparison.model_validate_json((folder / "comparison.json").read_bytes()) == found
    assert {file.name for file in folder.iterdir()} == {"comparison.json", "table.csv", "report.html"}


def test_a_second_time_nothing_is_trained_or_measured_again(tmp_path: Path) -> None:
    first = a_comparison(tmp_path, "gan", "infogan")
    computed, journal = Brightness.computed, Journal()
    second = a_comparison(tmp_path, "gan", "infogan", watcher=journal)
    assert (journal.trained, journal.measured, Brightness.computed) == ([], [], computed)
    assert second.rows == first.rows
    assert second.name == first.name
    assert {run.origin for entrant in second.entrants for run in entrant.runs} == {"reused"}
    assert a_plan(tmp_path, "gan", "infogan").seconds == 0


def test_a_metric_that_applies_to_nobody_is_not_passed_over(tmp_path: Path) -> None:
    found = a_comparison(tmp_path, "gan")
    assert "code_count" not in [row.name for row in found.rows]
    assert "code-count was left out: it has no codes" in found.notes


def test_a_run_of_train_is_reused(tmp_path: Path) -> None:
    start(tmp_path / "runs", "gan", zoo=shared_zoo())
    plan = a_plan(tmp_path, "gan", seeds=2)
    assert [run.origin for run in plan.entrants[0].runs] == ["reused", "trained"]


@pytest.mark.parametrize("setting", [{"samples": 9}, {"full": True}])
def test_scores_of_another_setting_are_measured_anew(setting: dict[str, Any], tmp_path: Path) -> None:
    a_comparison(tmp_path, "gan")
    computed = Brightness.computed
    a_comparison(tmp_path, "gan", **setting)
    assert Brightness.computed == computed + 1


def test_with_other_features_all_is_measured_anew(tmp_path: Path) -> None:
    a_comparison(tmp_path, "gan")
    journal = Journal()
    a_comparison(tmp_path, "gan", extractor="values", watcher=journal)  # toys are pictures without an extractor
    assert journal.measured == ["gan, seed 0: brightness", "gan, seed 0: code-count"]


class Impatient(Journal):
    """Asks to stop as soon as 32 images are seen."""

    def progressed(self, training: Any, images: int, rate: float) -> None:
        super().progressed(training, images, rate)
        if images == 32:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = a_comparison(tmp_path / "whole", "gan", "infogan")
    watcher = Impatient()
    with pytest.raises(Interrupted, match="the same command goes on from there: ganzoo compare gan"):
        a_comparison(tmp_path, "gan", "infogan", watcher=watcher, command="ganzoo compare gan")
    assert watcher.closed
    assert Interrupted("").exit_code == 130
    assert [run.record.status for run in RunDirectory.list(tmp_path / "runs")] == ["interrupted"]

    plan = a_plan(tmp_path, "gan", "infogan")
    assert [run.origin for entrant in plan.entrants for run in entrant.runs] == ["resumed", "trained"]
    assert [plan.left(each) for each in plan.trainings] == [32, 64]

    journal = Journal()
    found = a_comparison(tmp_path, "gan", "infogan", watcher=journal)
    assert journal.images == [48, 64, 16, 32, 48, 64]
    assert found["brightness"] == whole["brightness"]
    assert names(tmp_path) == ["00001-gan-toys", "00002-infogan-toys"]


def test_a_training_that_fails_does_not_lose_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = training.begin

    def failing(configured: Any, **others: Any) -> Any:
        if configured.config.model == "infogan":
            raise RunError("the disk is full")
        return begin(configured, **others)

    monkeypatch.setattr(training, "begin", failing)
    found = a_comparison(tmp_path, "gan", "infogan")
    assert [entrant.label for entrant in found.entrants] == ["gan"]
    assert list(found["brightness"].cells) == ["gan"]
    assert found.failures == ("infogan, seed 0 failed, and is left out: the disk is full",)
    assert found.failures[0] in found.notes
    with pytest.raises(RunError, match="the disk is full"):
        a_comparison(tmp_path, "infogan")


def test_a_plugin_that_raises_does_not_lose_the_others(tmp_path: Path) -> None:
    class Broken(GAN):
        name = "broken"

        def objective(self, latent: Any, data: Any) -> Any:
            return Raising() + super().objective(latent, data)

    class Raising(Objective):
        def generator_terms(self, round: Any) -> Any:
            if round.progress > 0.5:
                raise ValueError("the shapes do not match")
            return []

    zoo = toy_zoo()
    found = a_comparison(tmp_path, "gan", join(zoo, Broken), zoo=zoo)
    assert found.failures == ("broken, seed 0 failed, and is left out: ValueError: the shapes do not match",)
    assert [entrant.label for entrant in found.entrants] == ["gan"]


def test_runs_are_compared_as_they_are(tmp_path: Path) -> None:
    for model in ("gan", "cgan"):
        start(tmp_path / "runs", model, zoo=shared_zoo(), flags={"seed": 4})
    found = a_comparison(tmp_path, "1", "00002-cgan-toys", data=None, images=None, options=())
    assert [(entrant.label, entrant.runs[0].origin) for entrant in found.entrants] == [
        ("00001-gan-toys", "given"),
        ("00002-cgan-toys", "given"),
    ]
    assert (found.protocol.data, found.protocol.images, found.protocol.seeds) == ("toys", 64, (4,))
    assert names(tmp_path) == ["00001-gan-toys", "00002-cgan-toys"]


def test_a_model_beside_a_run_is_trained_as_the_run_was(tmp_path: Path) -> None:
    start(tmp_path / "runs", "gan", zoo=shared_zoo(), flags={"images": 48}, data_options={"size": 64})
    plan = a_plan(tmp_path, "1", "infogan", data=None, images=None)
    assert plan.images == 48
    [training] = plan.trainings
    assert training.configured.config.data_options["size"] == 64
    assert plan.differences == ()


def test_unequal_protocols_are_refused_or_labelled(tmp_path: Path) -> None:
    start(tmp_path / "runs", "gan", zoo=shared_zoo())
    start(tmp_path / "runs", "infogan", zoo=shared_zoo(), flags={"images": 96})
    with pytest.raises(UsageError) as caught:
        a_comparison(tmp_path, "1", "2", options=())
    said = "00002-infogan-toys is trained on 96 images and 00001-gan-toys on 64"
    assert str(caught.value) == f"unequal protocols: {said}; --force compares them all the same and says so"
    found = a_comparison(tmp_path, "1", "2", options=(), force=True)
    assert found.protocol.differences == (said,)


def test_an_unfinished_run_has_seen_what_it_has_seen(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        a_comparison(tmp_path, "gan", watcher=Impatient())
    start(tmp_path / "runs", "infogan", zoo=shared_zoo())
    with pytest.raises(UsageError, match="00001-gan-toys is trained on 32 images and 00002-infogan-toys on 64"):
        a_plan(tmp_path, "2", "1", options=())


def test_a_mix_of_data_sets_is_refused_even_by_force(tmp_path: Path) -> None:
    start(tmp_path / "runs", "gan", zoo=shared_zoo())
    with pytest.raises(UsageError, match="00001-gan-toys is on toys and infogan on mnist"):
        a_plan(tmp_path, "1", "infogan", data="mnist", force=True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seeds": 0}, "--seeds 0 trains nothing"),
        ({"jobs": 0}, "--jobs 0 trains nothing"),
        ({"jobs": 2}, "--jobs above 1 needs plugins that are installed"),
        ({"images": "many"}, "images must be a whole number"),
        ({"samples": 1}, "--samples 1 is too few"),
        ({"metrics": ("brightnes",)}, "did you mean 'brightness'"),
        ({"extractor": "nobody"}, "there is no extractor 'nobody'"),
        ({"options": ("noise=-3",)}, "noise"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(
    settings: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        a_comparison(tmp_path, "gan", **settings)
    assert sentence in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_two_names_of_one_thing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gan and gan@default come to the same settings"):
        a_plan(tmp_path, "gan", "gan@default")


def test_one_model_with_different_options(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, "gan", "gan@default", options=("width=0.125", "gan@default.noise=3"))
    assert [entrant.config.options["noise"] for entrant in plan.entrants] == [64, 3]
    assert len({entrant.label for entrant in plan.entrants}) == 2


def test_what_is_not_the_same_for_all_is_said(tmp_path: Path) -> None:
    start(tmp_path / "runs", "gan", zoo=shared_zoo(), flags={"batch": 32})
    plan = a_plan(tmp_path, "1", "infogan", seeds=2)
    assert plan.notes == (
        "The batch is not the same for all: 00001-gan-toys 32, infogan 16.",
        "The number of seeds is not the same for all: 00001-gan-toys 1, infogan 2.",
    )
    assert "One seed each" in a_plan(tmp_path, "gan").notes[0]


def test_the_budget_of_the_settings_file_counts_and_a_recipes_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert a_plan(tmp_path, "gan", images=None).images == 200_000
    (tmp_path / "ganzoo.toml").write_text("[train]\nimages = 512\n", encoding="utf-8")
    assert a_plan(tmp_path, "gan", images=None).images == 512
    assert a_plan(tmp_path, "gan", images="1k").images == 1000


def test_a_name_for_each_comparison(tmp_path: Path) -> None:
    plans = [
        a_plan(tmp_path, "gan", "infogan@default"),
        a_plan(tmp_path, "gan", "infogan@default", seeds=2),
        a_plan(tmp_path, "gan", "infogan@default", samples=9),
        a_plan(tmp_path, "gan", "infogan@default", options=("width=0.25",)),
        a_plan(tmp_path, "gan", "infogan@default", metrics=("brightness",)),
    ]
    assert len({plan.name for plan in plans}) == len(plans)
    assert all(plan.name.startswith("gan-infogan-default-toys-64-") for plan in plans)
    assert a_plan(tmp_path, "gan", "infogan@default").name == plans[0].name
    assert folder_of(plans[0]) == tmp_path / "comparisons" / plans[0].name


def test_a_plan_as_plain_data(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, "gan", "infogan", seeds=2)
    described = json.loads(json.dumps(plan.as_dict()))
    assert described["seconds"] > 0
    assert [run["origin"] for run in described["entrants"][1]["runs"]] == ["trained", "trained"]
    assert not (tmp_path / "runs").exists()


def test_python_can_compare(tmp_path: Path) -> None:
    settings = {"data": "toys", "images": 32, "batch": 16, "options": ("width=0.125",), "metrics": ("code-count",)}
    folders = {"runs": tmp_path / "runs", "out": tmp_path / "comparisons"}
    found = compare("infogan", zoo=shared_zoo(), device="cpu", precision="fp32", samples=4, **settings, **folders)
    assert found["code_count"].cells["infogan"].values == (2.0,)
    run = api.open(found.entrants[0].runs[0].path, zoo=shared_zoo())
    again = start(tmp_path / "again", "infogan", zoo=shared_zoo(), flags={"images": 32})
    assert all((value == checkpointed(again)[name]).all() for name, value in checkpointed(run).items())
