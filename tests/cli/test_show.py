import json
from pathlib import Path
from typing import Literal

import pytest
from cli_helpers import Ganzoo, one_sentence

from ganzoo.cli.show import looks_like_run, type_text
from ganzoo.zoo.manager import default_zoo


def test_a_model_is_described(ganzoo: Ganzoo) -> None:
    printed = ganzoo("show", "infogan", "-o", "width=0.125", "-o", "noise=13").stdout
    for text in (
        "arXiv 1606.03657",
        "paper",
        "640,000",
        "width of the incompressible noise z",
        "normal(13)",
        "critic.recognition",
        "MutualInformation",
    ):
        assert text in printed
    for option in default_zoo().model("infogan").Options.model_fields:
        assert any(line.startswith(f"{option} ") for line in printed.splitlines())
    (line,) = (line for line in printed.splitlines() if line.startswith("noise "))
    assert line.split()[1:4] == ["int", "62", "13"]


def test_a_model_as_json(ganzoo: Ganzoo) -> None:
    described = json.loads(ganzoo("show", "acgan@default", "-o", "width=0.125", "--json").stdout)
    assert described["name"] == "acgan"
    assert described["paper"]["year"] == 2017
    assert described["options"]["noise"] == {
        "type": "int",
        "default": 64,
        "description": described["options"]["noise"]["description"],
    }
    assert "label" in described["built"]["latent"]


def test_nothing_is_written(ganzoo: Ganzoo, tmp_path: Path) -> None:
    ganzoo("show", "gan", "-o", "width=0.125")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["infogam"], "did you mean 'infogan' or 'infogan-cr'?"),
        (["infogan@papre"], "did you mean 'paper'?"),
        (["gan", "-o", "noize=3"], "did you mean 'noise'?"),
        (["latest"], "there is no run"),
        (["12"], "'12'"),
        (["./nothing"], "nothing"),
    ],
)
def test_what_does_not_exist(line: list[str], sentence: str, ganzoo: Ganzoo) -> None:
    assert sentence in one_sentence(ganzoo("show", *line, code=2))


@pytest.mark.parametrize("name", ["latest", "12", "runs/x", "00001-inf", "."])
def test_words_that_mean_a_run(name: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.parent)
    assert looks_like_run(name, "runs")


@pytest.mark.parametrize("name", ["infogan", "gan@paper", "3dgan", "my-package:gan", "runs", ""])
def test_words_that_mean_a_model(name: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.parent)
    assert not looks_like_run(name, "runs")


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (str | None, "str | none"),
        (Literal["batch", "layer"], "batch | layer"),
        (float | Literal["learned"], "float | learned"),
        (tuple[int, ...], "list of int"),
        (tuple[float, float], "[float, float]"),
    ],
)
def test_types_as_a_user_reads_them(annotation: object, text: str) -> None:
    assert type_text(annotation) == text
