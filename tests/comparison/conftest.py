import pytest


@pytest.fixture(autouse=True)
def always_quick_plans(quick_plans: None) -> None:
    """Nothing here is about how long a training takes."""
