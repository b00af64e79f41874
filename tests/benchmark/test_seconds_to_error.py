"""The clock of ``benchmarks/seconds_to_error.py`` runs while a run trains, and only then."""

from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ganzoo.data.open import open_dataset
from ganzoo.zoo.manager import default_zoo

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SMALL = {"device": "cpu", "batch": 16}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import seconds_to_error

    return seconds_to_error


def test_looks_come_at_their_images_and_cost_no_time(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, passed = [], [0.0]

    def read(plan: Any, trainer: Any, dataset: Any) -> float:
        looked.append(trainer.images)
        passed[0] += 1_000.0
        return 0.5

    before = script.perf_counter
    monkeypatch.setattr(script, "perf_counter", lambda: before() + passed[0])
    monkeypatch.setattr(script, "read", read)
    looks = list(islice(script.course("infogan", 0, 30, None, **SMALL), 3))
    assert [look.images for look in looks] == looked == [32, 64, 96]  # whole rounds
    assert 0 < looks[0].seconds < looks[1].seconds < looks[2].seconds < 1_000
    assert {look.error for look in looks} == {0.5}


def test_after_one_round_the_code_knows_hardly_more_than_nothing(script: ModuleType) -> None:
    dataset = open_dataset(default_zoo(), "mnist")
    look = next(script.course("infogan", 0, 16, dataset, **SMALL))
    assert 0.5 < look.error <= 0.9


def test_the_script_says_when_each_seed_got_there(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def course(recipe: str, seed: int, every: int, dataset: Any, **flags: object) -> Any:
        yield script.Look(8_000, 1.5, 0.4)
        yield script.Look(16_000, 3.0 + seed, 0.03 + seed)

    monkeypatch.setattr(script, "course", course)
    monkeypatch.setattr("sys.argv", ["seconds_to_error.py", "--seeds", "0-1", "--device", "cpu"])
    script.main()
    told = capsys.readouterr().out
    assert "seed 0: 3.00% after 16,000 images, 3.00 s" in told
    assert "seed 1: 103.00% after 16,000 images, 4.00 s" in told
    assert "median of the 1 that got there: 3.00 s, worst 3.00 s" in told
