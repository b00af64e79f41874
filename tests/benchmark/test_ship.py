"""benchmarks/ship.py writes one table of registry.toml and leaves the others."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JUDGE = '[weights.digits]\nsha256 = "a"\nbytes = 1\n'
OTHER = '\n# behind\n[models.gan]\nplugin = "gan"\n'


def test_a_table_is_put_behind_the_others_or_in_place_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import ship

    first, second = ship.entry("toy", "b", 2, "A toy."), ship.entry("toy", "c", 3, "Another.")
    assert ship.registered(JUDGE + OTHER, "toy", first) == f"{JUDGE}\n{first}{OTHER}"
    assert ship.registered(f"{JUDGE}\n{first}{OTHER}", "toy", second) == f"{JUDGE}\n{second}{OTHER}"
    assert ship.registered(JUDGE + OTHER, "digits", first) == first + OTHER
