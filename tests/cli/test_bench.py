import json
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence

from ganzoo.benchmark import ceilings
from ganzoo.benchmark.breakdown import KINDS
from ganzoo.cli import bench
from ganzoo.zoo.catalogue import Catalogue

QUICK = ["--seconds", "0.05", "--batch", "8", "--precision", "fp32", "-o", "width=0.125"]


@pytest.fixture(autouse=True)
def low_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ceilings.Ceilings(4e12, "8×8", 2e12, "3 maps")
    monkeypatch.setattr("ganzoo.benchmark.ceilings.measure_ceilings", lambda hardware, seconds: found)


def test_the_table_says_how_to_read_it(ganzoo: Ganzoo, tmp_path: Path) -> None:
    printed = ganzoo("bench", "gan", "infogan@paper", *QUICK).stdout
    assert "matrix product 4,000 GFLOP/s (8×8)" in printed
    assert [kind for kind in KINDS if kind not in printed] == []
    assert "gan@default" in printed
    assert "infogan@paper" in printed
    assert "of 4,000 GFLOP/s" in printed
    assert list(tmp_path.iterdir()) == []


def test_json_has_all_of_it(ganzoo: Ganzoo) -> None:
    described = json.loads(ganzoo("bench", "cgan", *QUICK, "--json").stdout)
    (model,) = described["models"]
    assert (model["model"], model["recipe"], model["batch"], model["precision"]) == ("cgan", "default", 8, "fp32")
    assert sum(model["shares"].values()) == pytest.approx(1)
    assert described["ceilings"]["convolution"] == 2e12
    assert {"processor", "device", "torch", "load"} <= set(described["machine"])


@pytest.mark.slow
def test_the_steps_from_the_textbooks_way(ganzoo: Ganzoo) -> None:
    printed = ganzoo("bench", "infogan", *QUICK, "--against", "textbook").stdout
    for text in ("textbook", "neither", "algorithm", "1.00×", "leaves out augmentation"):
        assert text in printed


def test_without_a_name_every_model_with_a_recipe_is_timed() -> None:
    models = Catalogue.read().models
    assert bench.with_recipe("mnist") == [name for name in models if "mnist" in models[name].recipes]


@pytest.mark.slow
def test_a_busy_machine_is_named(ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"processor": "a processor", "torch": "2", "cpus": 2, "load": 7.0}
    monkeypatch.setattr(bench, "machine", lambda device: about)
    assert "the machine is busy (load 7.0 on 2 CPUs)" in ganzoo("bench", "gan", *QUICK).stdout


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["infogam"], "did you mean 'infogan' or 'infogan-cr'?"),
        (["gan", "-o", "nois=3"], "did you mean 'noise'?"),
        (["--data", "svhnn"], "no model has a recipe for svhnn"),
        (["gan", "--against", "textbok"], "textbok"),
        (["gan", "--seconds", "0"], "--seconds"),
        (["gan", "--device", "tpu"], "cannot be used here"),
    ],
)
def test_what_cannot_be_timed_is_one_sentence(asked: list[str], sentence: str, ganzoo: Ganzoo) -> None:
    assert sentence in one_sentence(ganzoo("bench", *asked, code=2))
