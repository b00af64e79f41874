"""The trained runs that are in the package: what registry.toml says of them, and what they draw."""

from pathlib import Path

import pytest

import ganzoo
from ganzoo.runs.checkpoint import latest
from ganzoo.runs.pretrained import FOLDER, find_shipped, shipped
from ganzoo.zoo.catalogue import Catalogue

JUDGES = {"digits"}


def test_the_registry_has_the_weights_of_each_and_they_are_small() -> None:
    weights = Catalogue.read().weights
    assert set(shipped()) == set(weights) - JUDGES
    for name in shipped():
        assert find_shipped(name) == FOLDER / name
        assert weights[name].bytes <= 4_000_000
        assert weights[name].summary
        size = sum(file.stat().st_size for file in (FOLDER / name).rglob("*") if file.is_file())
        assert size < weights[name].bytes + 20_000


def test_each_is_a_whole_run_with_a_card_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in shipped():
        run = ganzoo.open(name)
        checkpoint = latest(run.directory)
        checkpoint.verify()
        assert not checkpoint.complete
        assert (run.record.status, run.record.images) == ("finished", checkpoint.images)
        assert run.sample(4, seed=1).shape == (4, *run.data.shape)
        assert (run.path / "README.md").read_text(encoding="utf-8").startswith(f"# {name}\n")
    assert not list(tmp_path.iterdir())
