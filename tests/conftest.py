from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    path = tmp_path / "work"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def quick_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of a comparison tries a training out for one round more than the first, not for a third of a second."""
    monkeypatch.setattr("ganzoo.comparison.plan.TIMED", 1e-4)
