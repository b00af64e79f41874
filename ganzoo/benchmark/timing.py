"""Paired timing: contestants take turns in short windows, so that a machine's moods strike all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import torch

__all__ = ["Contestant", "Spread", "alternate", "ratio", "wait_for"]

WARM_UP_ROUNDS = 2
WARM_UP_SHARE = 0.1
"""Share of the budget that warming up may take beyond its few rounds."""
CYCLES = 15
"""Windows a contestant, where the rounds are short enough for so many."""
LEAST_CYCLES = 3


@dataclass(frozen=True)
class Contestant:
    """Something to time.

    Attributes:
        name: what results call it.
        play: plays one round.
        images: real samples that a round takes.
    """

    name: str
    play: Callable[[], object]
    images: int


@dataclass(frozen=True)
class Spread:
    """Several measurements of one number.

    Attributes:
        median: the middle.
        low: the first quartile.
        high: the third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


def alternate(
    contestants: Sequence[Contestant],
    seconds: float,
    device: torch.device,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, list[float]]:
    """Time contestants in turns, every other cycle in the opposite order.

    Args:
        contestants: what to time.
        seconds: the budget of all of them together, warm-up included; three cycles are played in any case.
        device: where they compute; a window ends when it has.
        clock: seconds.

    Returns:
        Per contestant the images per second of each window; windows of one index belong to one cycle.
    """
    start = clock()
    each = seconds / len(contestants)
    rounds = {}
    for contestant in contestants:
        duration = warm_up(contestant, each * WARM_UP_SHARE, device, clock)
        window = each * (1 - WARM_UP_SHARE) / CYCLES
        rounds[contestant.name] = max(1, round(window / duration))
    rates: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    cycle = 0
    while cycle < LEAST_CYCLES or (cycle < CYCLES and clock() - start < seconds):
        for contestant in contestants if cycle % 2 == 0 else reversed(contestants):
            count = rounds[contestant.name]
            passed = played(contestant, count, device, clock)
            rates[contestant.name].append(count * contestant.images / passed)
        cycle += 1
    return rates


def ratio(rates: Mapping[str, Sequence[float]], name: str, base: str) -> Spread:
    """How many times as fast one contestant was as another, cycle by cycle."""
    return Spread.of([mine / its for mine, its in zip(rates[name], rates[base], strict=True)])


def warm_up(contestant: Contestant, seconds: float, device: torch.device, clock: Callable[[], float]) -> float:
    """Plays until caches, threads and kernels are settled: seconds of a round, the first one left out."""
    played(contestant, 1, device, clock)
    total, count = 0.0, 0
    while count < WARM_UP_ROUNDS or total < seconds:
        total += played(contestant, 1, device, clock)
        count += 1
    return total / count


def played(contestant: Contestant, rounds: int, device: torch.device, clock: Callable[[], float]) -> float:
    """Plays rounds, and waits for the last one: the seconds that it took."""
    start = clock()
    for _ in range(rounds):
        contestant.play()
    wait_for(device)
    return max(clock() - start, 1e-9)


def wait_for(device: torch.device) -> None:
    """Wait until the device has computed all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
