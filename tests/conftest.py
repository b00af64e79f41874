from pathlib import Path

import pytest
from hypothesis import settings

# A first example pays for what torch does once, and the machine may be busy: speed is for the benchmarks to measure.
settings.register_profile("ganzoo", deadline=None)
settings.load_profile("ganzoo")


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
