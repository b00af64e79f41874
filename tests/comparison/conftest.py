import pytest


@pytest.fixture(autouse=True)
def quick_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan tries a training out for one round more than the first, not for a third of a second."""
    monkeypatch.setattr("ganzoo.comparison.plan.TIMED", 1e-4)
