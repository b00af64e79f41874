import json
import shutil
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence

from ganzoo.runs.directory import RunDirectory

NAME = "00001-infogan-mnist"


def test_runs_are_listed(runs: Path, ganzoo: Ganzoo) -> None:
    for line in (["runs"], ["runs", "list"]):
        printed = ganzoo(*line).stdout
        assert NAME in printed
        assert "256 of 256" in printed


def test_a_listing_as_json(runs: Path, ganzoo: Ganzoo) -> None:
    (listed,) = json.loads(ganzoo("runs", "--json").stdout)
    assert json.loads(ganzoo("runs", "list", "--json").stdout) == [listed]
    assert listed["name"] == NAME
    assert (listed["status"], listed["images"], listed["budget"]) == ("finished", 256, 256)


@pytest.mark.parametrize("flag", ["--out", "--runs"])
def test_runs_of_another_folder(flag: str, runs: Path, ganzoo: Ganzoo) -> None:
    runs.rename(runs.with_name("elsewhere"))
    assert NAME in ganzoo("runs", "list", flag, "elsewhere").stdout
    assert NAME in ganzoo("runs", flag, "elsewhere").stdout
    assert NAME in ganzoo("runs", flag, "elsewhere", "show", "1").stdout


def test_an_empty_listing_says_what_to_type(ganzoo: Ganzoo) -> None:
    assert "ganzoo train infogan" in ganzoo("runs").stdout
    assert json.loads(ganzoo("runs", "--json").stdout) == []


def test_a_damaged_run_does_not_hide_the_others(runs: Path, ganzoo: Ganzoo) -> None:
    shutil.copytree(runs / NAME, runs / "00002-infogan-mnist")
    (runs / "00002-infogan-mnist" / "run.json").write_text("{")
    with pytest.warns(UserWarning, match="00002-infogan-mnist"):
        assert NAME in ganzoo("runs").stdout


def test_a_run_is_shown(runs: Path, ganzoo: Ganzoo) -> None:
    printed = ganzoo("runs", "show", "latest").stdout
    for text in (
        "infogan@default on mnist, seed 0: finished",
        "256 of 256 images",
        "train infogan --images 256",
        "critic/adversarial",
        "000000256",
        "traversals/category-0.png",
        "width = 0.125",
        "# -o width=0.125",
    ):
        assert text in printed
    assert ganzoo("show", "latest").stdout == printed


def test_a_run_is_shown_as_json(runs: Path, ganzoo: Ganzoo) -> None:
    described = json.loads(ganzoo("runs", "show", "1", "--json").stdout)
    assert described["record"]["config"]["options"]["width"] == 0.125
    assert described["stats"]["images"] == 256
    assert f"runs/{NAME}/traversals/category-0.png" in described["pictures"]


def test_rm_asks_and_a_no_removes_nothing(runs: Path, ganzoo: Ganzoo) -> None:
    result = ganzoo("runs", "rm", "1", answer="n\n", code=1)
    assert NAME in result.stderr
    assert "Nothing was removed" in result.stderr
    assert (runs / NAME / "run.json").is_file()


def test_rm_without_an_answer_removes_nothing(runs: Path, ganzoo: Ganzoo) -> None:
    ganzoo("runs", "rm", "1", code=130)
    assert (runs / NAME / "run.json").is_file()


def test_rm_removes_after_a_yes(runs: Path, ganzoo: Ganzoo) -> None:
    shutil.copytree(runs / NAME, runs / "00002-infogan-mnist")
    assert "removed 1 run" in ganzoo("runs", "rm", "1", answer="y\n").stdout
    assert [path.name for path in runs.iterdir() if path.is_dir()] == ["00002-infogan-mnist"]
    assert "removed 1 run" in ganzoo("runs", "rm", "2", "00002", "--yes").stdout
    assert not any(path.is_dir() for path in runs.iterdir())


@pytest.mark.parametrize("name", ["2", "nothing", ".", "documents", "runs"])
def test_rm_removes_real_runs_only_and_all_or_none(name: str, runs: Path, ganzoo: Ganzoo) -> None:
    (runs.parent / "documents").mkdir()
    one_sentence(ganzoo("runs", "rm", "1", name, "--yes", code=2))
    assert (runs / NAME / "run.json").is_file()
    assert (runs.parent / "documents").is_dir()


def test_rm_leaves_a_run_that_is_in_use(runs: Path, ganzoo: Ganzoo) -> None:
    with RunDirectory.open(1, runs).lock():
        result = ganzoo("runs", "rm", "1", "--yes", code=1)
    assert "in use" in result.stderr
    assert (runs / NAME / "run.json").is_file()


def test_an_unknown_run_and_an_unknown_command(ganzoo: Ganzoo) -> None:
    assert "'7'" in one_sentence(ganzoo("runs", "show", "7", code=2))
    assert "did you mean 'list'?" in one_sentence(ganzoo("runs", "lst", code=2))
