import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Ganzoo, one_sentence, typed
from comparison_helpers import a_plan
from rich.console import Console
from training_helpers import start

from ganzoo.cli.compare_display import Overview, PlainLines, ProgressBars, print_comparison, print_plan
from ganzoo.comparison.compare import carry_out
from ganzoo.comparison.model import Comparison
from ganzoo.comparison.plan import ComparisonPlan
from ganzoo.comparison.training import Outcome
from ganzoo.comparison.wording import with_spread
from ganzoo.runs.directory import RunDirectory

QUICK = ["--metric", "information", "--samples", "128"]


pytestmark = pytest.mark.usefixtures("quick_plans")


@pytest.fixture
def two_runs(runs: Path) -> Path:
    """The trained run and its copy."""
    shutil.copytree(runs / "00001-infogan-mnist", runs / "00002-twin-mnist")
    return runs


def test_runs_side_by_side(two_runs: Path, ganzoo: Ganzoo, tmp_path: Path) -> None:
    plugin = "from ganzoo_gan import GAN\n\n\nclass Other(GAN):\n    name = 'other'\n"
    (tmp_path / "other one.py").write_text(plugin, encoding="utf-8")
    printed = ganzoo("compare", "1", "2", *QUICK, "--csv", "extra/table.csv", "--plugin", "other one.py").stdout
    for text in ("00001-infogan-mnist", "00002-twin-mnist", "information/category", "Nothing is to be trained."):
        assert text in printed
    assert "One seed each: no spread is claimed, and nothing is marked as best; see --seeds." in printed
    assert "*" not in printed
    [folder] = (tmp_path / "comparisons").iterdir()
    assert f"Open comparisons/{folder.name}/report.html in a browser" in printed
    assert "Type next: ganzoo sample runs/00002-twin-mnist --plugin 'other one.py', ganzoo traverse" in printed
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!")
    written = (folder / "table.csv").read_text(encoding="utf-8")
    assert (tmp_path / "extra" / "table.csv").read_text(encoding="utf-8") == written
    lines = [line for line in csv.DictReader(io.StringIO(written)) if line["name"] == "information/category"]
    assert [line["entrant"] for line in lines] == ["00001-infogan-mnist", "00002-twin-mnist"]
    assert lines[0]["mean"] == lines[1]["mean"] != ""


def test_json_is_the_comparison_and_the_second_time_nothing_is_measured(
    two_runs: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Comparison.model_validate_json(ganzoo("compare", "1", "2", *QUICK, "--json").stdout)
    assert [entrant.label for entrant in first.entrants] == ["00001-infogan-mnist", "00002-twin-mnist"]
    assert first["information/category"].unit == "nats"

    def evaluate(*arguments: Any, **others: Any) -> None:
        raise AssertionError("it is measured already")

    monkeypatch.setattr("ganzoo.comparison.scores.evaluate", evaluate)
    second = Comparison.model_validate_json(ganzoo("compare", "1", "2", *QUICK, "--json").stdout)
    assert second.rows == first.rows


def test_a_dry_run_says_what_would_be_done(runs: Path, ganzoo: Ganzoo, tmp_path: Path) -> None:
    command = [
        "compare",
        "infogan",
        "gan",
        "--images",
        "256",
        "--batch",
        "32",
        "-o",
        "width=0.125",
        *QUICK,
        "--dry-run",
    ]
    printed = ganzoo(*command).stdout
    assert "mnist, 256 images, seed 0; on " in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["infogan", "0", "reused", "runs/00001-infogan-mnist"] in lines
    assert any(line[:3] == ["gan", "0", "trained"] for line in lines)
    assert "1 to train, " in printed
    described = json.loads(ganzoo(*command, "--json").stdout)
    assert [entrant["runs"][0]["origin"] for entrant in described["entrants"]] == ["reused", "trained"]
    assert not (tmp_path / "comparisons").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "compare needs models or runs, such as `ganzoo compare acgan infogan`"),
        (["infogam"], "there is no model 'infogam'; did you mean 'infogan' or 'infogan-cr'?"),
        (["gan", "gan"], "gan is named twice"),
        (["gan", "--seeds", "0"], "--seeds 0 trains nothing; it must be 1 or more"),
        (["gan", "--jobs", "-1"], "--jobs -1 trains nothing; it must be 1 or more"),
        (["gan", "--on", "rey"], "there is no place to train on 'rey'; did you mean 'ray'?"),
        (["gan", "--gpus-per-run", "0.5"], "--gpus-per-run is for a cluster, with --on ray"),
        (["gan", "-o", "cgan.noise=3"], "there is no model 'cgan' in this comparison"),
        (["gan", "-o", "noize=3"], "did you mean 'noise'"),
        (["gan", "--images", "few"], "images must be a whole number above 0"),
        (["gan", "--samples", "0"], "--samples 0 is too few"),
        (["gan", "--extractor", "inceptoin"], "there is no extractor 'inceptoin'"),
        (["gan", "--metric", "fid"], "there is no metric 'fid'"),
        (["gan", "--data", "nowhere"], "there is no data set 'nowhere'"),
        (["latest"], "there is no run in runs yet"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], sentence: str, ganzoo: Ganzoo, tmp_path: Path) -> None:
    assert sentence in one_sentence(ganzoo("compare", *arguments, code=2))
    assert not list(tmp_path.iterdir())


def test_unequal_runs_are_refused_or_labelled(runs: Path, ganzoo: Ganzoo) -> None:
    twin = Path(shutil.copytree(runs / "00001-infogan-mnist", runs / "00002-twin-mnist"))
    record = json.loads((twin / "run.json").read_text(encoding="utf-8"))
    record["config"]["images"] = 512
    (twin / "run.json").write_text(json.dumps(record), encoding="utf-8")
    said = "00002-twin-mnist is trained on 512 images and 00001-infogan-mnist on 256"
    assert f"unequal protocols: {said}; --force" in one_sentence(ganzoo("compare", "1", "2", code=2))
    printed = ganzoo("compare", "1", "2", *QUICK, "--force").stdout
    assert printed.count(f"Unequal protocols: {said}.") == 2  # beside the plan and below the table


def test_an_interruption_says_what_to_type(two_runs: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: Any, **others: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganzoo.comparison.compare.measure", stop)
    result = ganzoo("compare", "1", "2", *QUICK, code=130)
    assert "interrupted; what is done is saved, and the same command goes on from there: ganzoo" in result.stderr


def test_a_failed_training_is_in_the_exit_status(
    two_runs: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(plan: ComparisonPlan, *others: Any) -> list[Outcome]:
        return [Outcome(training, None, "the disk is full") for training in plan.trainings]

    monkeypatch.setattr("ganzoo.comparison.compare._train", train)
    mine = ["gan", "1", *QUICK, "-o", "width=0.125"]
    result = ganzoo("compare", *mine, code=1)
    assert "gan, seed 0 failed, and is left out: the disk is full" in result.stdout
    assert "information/category" in result.stdout
    assert "the disk is full" in one_sentence(ganzoo("compare", "gan", "--images", "64", *QUICK, code=1))


@pytest.fixture
def plan(tmp_path: Path) -> ComparisonPlan:
    return a_plan(tmp_path, "gan", "infogan")


def test_the_eta_is_of_all_that_is_left(plan: ComparisonPlan) -> None:
    overview = Overview(plan)
    gan, infogan = plan.trainings
    overview.progressed(gan, 32, 8.0)
    overview.progressed(infogan, 0, 4.0)
    assert overview.seconds == 32 / 8 + 64 / 4
    overview.ended(Outcome(gan, None, "the disk is full"))
    assert overview.seconds == 64 / 4


def test_plain_progress_is_a_line_a_tenth(plan: ComparisonPlan, capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(plan)
    gan = plan.trainings[0]
    lines.began(gan)
    for images in range(1, 65):
        lines.progressed(gan, images, 8.0)
    lines.ended(Outcome(gan, None, "the disk is full"))
    lines.measuring("gan, seed 0", "frechet", 0, 2)
    lines.measuring("gan, seed 0", "kernel", 1, 2)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "gan, seed 0: training"
    assert len([line for line in said if " of 64 images  8/s  ETA of all " in line]) == 10
    assert said[-2:] == ["gan, seed 0: failed: the disk is full", "gan, seed 0: measuring"]


def test_a_terminal_has_a_bar_for_each_training(plan: ComparisonPlan, tmp_path: Path) -> None:
    screen = io.StringIO()
    bars = ProgressBars(plan, Console(file=screen, force_terminal=True, width=160))
    gan, infogan = plan.trainings
    bars.began(gan)
    bars.began(infogan)
    bars.progressed(gan, 32, 8.0)
    run = start(tmp_path / "elsewhere", "gan").directory
    bars.ended(Outcome(gan, run))
    bars.measuring("gan, seed 0", "frechet", 0, 2)
    bars.close()
    bars.close()
    last = screen.getvalue()
    for text in ("gan, seed 0", "infogan, seed 0", "finished in ", "gan, seed 0: measuring", "frechet"):
        assert text in last


def test_the_best_is_starred_and_absences_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganzoo.comparison.report.write_comparison_report", lambda *others: None)
    plan = a_plan(tmp_path, "gan", "infogan", seeds=2)
    found = carry_out(plan, Overview(plan))
    cells = dict(found["brightness"].cells)
    cells["gan"] = cells["gan"].model_copy(update={"mean": 0.5, "spread": 0.1, "best": True})
    rows = [row.model_copy(update={"cells": cells}) if row.name == "brightness" else row for row in found.rows]
    print_plan(plan)
    print_comparison(found.model_copy(update={"rows": tuple(rows)}))
    printed = capsys.readouterr().out
    assert f"{with_spread(0.5, 0.1)} *" in printed
    assert (
        "* marks what is better than every other by Welch's t test at 5 %, so that of twenty rows of equal models"
        in printed
    )
    assert "–  code_count of gan: it has no codes" in printed


@pytest.mark.slow
def test_as_typed(tmp_path: Path) -> None:
    (tmp_path / "ganzoo.toml").write_text('[train]\nimages = 256\n\n[options]\nnetworks = "mlp"\nwidth = 0.125\n')
    command = ["compare", "gan", "infogan", "--seeds", "2", "--batch", "32", *QUICK]
    first = typed(*command, cwd=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert "4 to train" in first.stdout
    assert {run.record.status for run in RunDirectory.list(tmp_path / "runs")} == {"finished"}
    second = typed(*command, cwd=tmp_path)
    assert second.returncode == 0
    assert "Nothing is to be trained." in second.stdout
    assert len(RunDirectory.list(tmp_path / "runs")) == 4
