from collections.abc import Callable

import pytest
import torch

from ganzoo.benchmark.timing import CYCLES, LEAST_CYCLES, Contestant, Spread, alternate, ratio

CPU = torch.device("cpu")


class Clock:
    """A clock that only players move; it remembers whose rounds moved it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.played: list[str] = []

    def __call__(self) -> float:
        return self.now

    def player(self, name: str, seconds: Callable[[], float], images: int = 10) -> Contestant:
        def play() -> None:
            self.played.append(name)
            self.now += seconds()

        return Contestant(name, play, images)


def test_rates_are_images_by_seconds_in_windows_of_equal_length() -> None:
    clock = Clock()
    pair = [clock.player("slow", lambda: 0.1), clock.player("fast", lambda: 0.01, images=20)]
    rates = alternate(pair, 20.0, CPU, clock)
    assert {name: len(found) for name, found in rates.items()} == {"slow": CYCLES, "fast": CYCLES}
    assert rates["slow"] == pytest.approx([100.0] * CYCLES)
    assert rates["fast"] == pytest.approx([2000.0] * CYCLES)
    assert clock.now == pytest.approx(20, rel=0.1)
    assert ratio(rates, "fast", "slow").median == pytest.approx(20)


def test_slow_rounds_overrun_the_budget_for_the_least_number_of_cycles() -> None:
    clock = Clock()
    rates = alternate([clock.player("a", lambda: 5.0), clock.player("b", lambda: 5.0)], 1.0, CPU, clock)
    assert [len(found) for found in rates.values()] == [LEAST_CYCLES] * 2


def test_the_order_is_turned_round_every_cycle() -> None:
    clock = Clock()
    alternate([clock.player("a", lambda: 5.0), clock.player("b", lambda: 5.0)], 1.0, CPU, clock)
    assert "".join(clock.played).endswith("abbaab")


def test_the_first_round_does_not_count() -> None:
    clock = Clock()
    first = iter([100.0])
    (found,) = alternate([clock.player("a", lambda: next(first, 0.01))], 10.0, CPU, clock).values()
    assert found == pytest.approx([1000.0] * len(found))


def test_a_slow_spell_strikes_both_and_leaves_the_ratio() -> None:
    clock = Clock()
    mood = [1.0]

    def as_the_mood_is(seconds: float) -> Callable[[], float]:
        def passed() -> float:
            mood[0] = 3.0 if clock.now > 5 else 1.0
            return seconds * mood[0]

        return passed

    pair = [clock.player("a", as_the_mood_is(0.02)), clock.player("b", as_the_mood_is(0.01))]
    rates = alternate(pair, 10.0, CPU, clock)
    assert max(rates["a"]) > 2 * min(rates["a"])
    assert ratio(rates, "b", "a").median == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("values", "spread"), [([3.0], Spread(3, 3, 3)), ([5, 1, 2, 4, 3], Spread(3, 2, 4)), ([1, 3], Spread(2, 1.5, 2.5))]
)
def test_a_spread_is_median_and_quartiles(values: list[float], spread: Spread) -> None:
    assert Spread.of(values) == spread
