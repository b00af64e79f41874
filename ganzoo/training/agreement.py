"""Whether rounds that are played in another way come to the same: the trial, and everything put back after it."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganzoo.core.errors import RunError
from ganzoo.training.inputs import Deal, Inputs

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

__all__ = ["Difference", "Outcome", "State", "changing", "outcome", "putting_back", "refuse_difference"]

LOSS_TOLERANCE = 0.02
"""Largest difference of a term in a round, as a share of its size or of 1, whichever is larger."""
STATE_TOLERANCE = 0.1
"""Largest distance between weights (or moments, or averages), as a share of how far the plain rounds moved them:
Adam's first steps have one length whatever the gradient, so rounding may turn one round that means nothing."""
ALLOWANCE, MOST = 3.0, 0.5
"""Where plain rounds, played again, differ from themselves, as atomic sums on a GPU make them, a graph may differ by
so many times as much, but by no more than so large a share."""
EXACT = ("step of Adam", "first not finite")
"""What has to be the same to the last bit, as has everything that counts in whole numbers."""


class State:
    """What rounds change, as it is now.

    Args:
        trainer: whose.
    """

    def __init__(self, trainer: "Trainer") -> None:
        self.trainer = trainer
        self.live = changing(trainer)
        self.tensors = {name: tensor.detach().clone() for name, tensor in self.live.items()}
        self.images, self.calls = trainer.images, trainer.calls.copy()
        self.gpus = [trainer.hardware.device] if trainer.hardware.device.type == "cuda" else []
        self.random = torch.get_rng_state(), [torch.cuda.get_rng_state(gpu) for gpu in self.gpus]
        self.stepped = {name: set(optimiser.state) for name, optimiser in trainer.optimisers.items()}
        self.reporting = trainer.statistics.players

    @torch.no_grad()
    def restore(self) -> None:
        """Put everything back where it was, in the same memory.

        Raises:
            RunError: rounds have made other tensors than there were; what there was is put back.
        """
        now = changing(self.trainer)
        for name, tensor in self.live.items():
            tensor.copy_(self.tensors[name])
        for name, optimiser in self.trainer.optimisers.items():
            for parameter in set(optimiser.state) - self.stepped[name]:
                del optimiser.state[parameter]
        self.trainer.statistics.forget(self.trainer.statistics.players - self.reporting)
        self.trainer.images = self.images
        self.trainer.calls.clear()
        self.trainer.calls.update(self.calls)
        torch.set_rng_state(self.random[0])
        for gpu, state in zip(self.gpus, self.random[1], strict=True):
            torch.cuda.set_rng_state(state, gpu)
        if now.keys() != self.live.keys() or any(now[name] is not tensor for name, tensor in self.live.items()):
            raise RunError("a round keeps its state in other tensors than the one before")


@contextmanager
def putting_back(trainer: "Trainer") -> Iterator[State]:
    """Put back, in the end, whatever the rounds inside have changed."""
    state = State(trainer)
    try:
        yield state
    finally:
        state.restore()


def changing(trainer: "Trainer") -> dict[str, Tensor]:
    """Every tensor that a round changes, itself and no copy, by ``kind/name``."""
    found: dict[str, Tensor] = {}
    for network, module in trainer.game.networks.items():
        found |= {f"weights/{network}.{name}": value for name, value in module.named_parameters()}
        found |= {f"statistics of batches/{network}.{name}": value for name, value in module.named_buffers()}
    found |= {f"averages/{index}": value for index, value in enumerate(trainer.averages.tensors())}
    for player, optimiser in trainer.optimisers.items():
        for index, state in enumerate(optimiser.state.values()):
            found |= {f"{key} of Adam/{player}.{index}": value for key, value in state.items()}
    return found | trainer.statistics.tensors()


Outcome = tuple[list[dict[str, float]], dict[str, Tensor]]


def outcome(trainer: "Trainer", ahead: Sequence[Sequence[Deal]], play: Callable[[Inputs], None]) -> Outcome:
    """Play rounds on given samples.

    Args:
        trainer: whose.
        ahead: the samples of each round.
        play: plays one.

    Returns:
        The statistics of each round, and every tensor that rounds change after the last.
    """
    source, means = Inputs(chain.from_iterable(ahead)), []
    trainer.statistics.read()
    for _ in ahead:
        play(source)
        means.append(trainer.statistics.read())
    return means, {name: value.detach().clone() for name, value in changing(trainer).items()}


@dataclass(frozen=True)
class Difference:
    """How far rounds ended from others that began the same.

    Attributes:
        terms: by round and name what a term was here and there, and the difference as a share of its size or of 1.
        states: by kind of state the distance, as a share of how far the others moved it.
        exact: kinds that should be the same to the last bit, and are not.
    """

    terms: dict[tuple[int, str], tuple[float, float, float]]
    states: dict[str, float]
    exact: list[str]

    @classmethod
    def between(cls, before: dict[str, Tensor], played: Outcome, other: Outcome) -> "Difference":
        """Compare two outcomes.

        Args:
            before: every tensor that rounds change, when both began.
            played: what plain rounds came to.
            other: what the others came to.
        """
        terms = {}
        for number, (plain, found) in enumerate(zip(played[0], other[0], strict=True), start=1):
            for name, value in plain.items():
                there = found.get(name, math.nan)
                same = there == value or (math.isnan(there) and math.isnan(value))
                share = 0.0 if same else abs(there - value) / max(1.0, abs(value))
                terms[number, name] = there, value, math.inf if math.isnan(share) else share
        squares: dict[str, tuple[float, float]] = {}
        exact = []
        for name, end in played[1].items():
            kind = name.partition("/")[0]
            if end.is_floating_point() and kind not in EXACT:
                apart, moved = squares.get(kind, (0.0, 0.0))
                # What is not finite in both, such as the weights of a run that fails, is the same.
                same_here = torch.isclose(other[1][name], end, rtol=0, atol=0, equal_nan=True)
                distance = (other[1][name].double() - end.double()).masked_fill(same_here, 0.0)
                apart += float(distance.square().sum())
                squares[kind] = apart, moved + float((end.double() - before[name].double()).square().sum())
            elif not torch.equal(end, other[1][name]):
                exact.append(kind)
        return cls(terms, {kind: share_of(*each) for kind, each in squares.items()}, exact)


def share_of(apart: float, moved: float) -> float:
    """The root of the one as a share of that of the other; infinite where it cannot be told."""
    if apart == 0:
        return 0.0
    return math.sqrt(apart / moved) if moved > 0 and math.isfinite(apart) else math.inf


def refuse_difference(before: dict[str, Tensor], played: Outcome, again: Outcome, replayed: Outcome) -> None:
    """Compare a graph's rounds with plain ones, and these with themselves.

    Args:
        before: every tensor that rounds change, when all began.
        played: what plain rounds came to.
        again: what they came to when they were played once more.
        replayed: what the graph's came to.

    Raises:
        RunError: the graph differs by more than the tolerances.
    """
    own, found = Difference.between(before, played, again), Difference.between(before, played, replayed)
    loose = max((share for _, _, share in own.terms.values()), default=0.0)
    for (number, name), (there, value, share) in found.terms.items():
        if share > tolerance(LOSS_TOLERANCE, loose):
            raise RunError(f"{name} was {there:.6g} in round {number} of its trial, not {value:.6g}")
    for kind in found.exact:
        raise RunError(f"its {kind} were others than those of plain rounds")
    loose = max(own.states.values(), default=0.0)
    for kind, share in found.states.items():
        if share > tolerance(STATE_TOLERANCE, loose):
            raise RunError(f"its {kind} were others than those of plain rounds")


def tolerance(least: float, own: float) -> float:
    """What a graph may differ by, where plain rounds differ by so much from themselves."""
    return max(least, min(ALLOWANCE * own, MOST))
