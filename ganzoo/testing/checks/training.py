"""Training: rounds can be played, a seed repeats one, half precision works, and the objective learns."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganzoo.core.errors import UsageError
from ganzoo.core.round import Round
from ganzoo.models.game import Game
from ganzoo.models.player import Player
from ganzoo.runs.resolve import resolve
from ganzoo.runs.settings import Layer
from ganzoo.sampling.sampler import Sampler
from ganzoo.testing.bench import Bench
from ganzoo.testing.checks.spec import check
from ganzoo.testing.data import TinyData, TwoModes, described
from ganzoo.testing.results import CheckFailed, require
from ganzoo.training.hardware import Hardware
from ganzoo.training.trainer import Trainer

__all__ = ["bfloat16", "determinism", "gradients", "learning", "terms"]

SHORT = 3
"""Rounds that show what a longer run would."""

TOY = TinyData(shape=(2,), classes=2)
TURNS = 1000
"""Turns of the first player within which both modes of the toy must be found, unless that is fewer rounds than:"""
ROUNDS = 500
LOOK_EVERY = 20
RATE = 2e-3
SHOWN = 256


@check("generator", "critic")
def terms(bench: Bench) -> None:
    """Rounds can be played on any kind of data: each player's terms are finite, and have a gradient."""
    for dataset in bench.taken:
        trainer, where = bench.trainer(dataset), described(dataset.spec)
        try:
            for _ in range(2):
                trainer.play_round()
                trainer.check_finite()
        except RuntimeError as error:
            if "does not require grad" not in str(error):
                raise
            raise CheckFailed(
                f"the terms of a player for {where} do not depend on what it owns; compute them from the round, "
                "without detach() or no_grad()"
            ) from error


@check("terms")
def gradients(bench: Bench) -> None:
    """Every parameter gets a finite gradient from the player that owns it, and none from others."""
    trainer = bench.trainer()
    watch = _Watch(trainer)
    for _ in range(SHORT):
        trainer.play_round()
    # Players that join late, and terms that fade in, are met at the end of the run.
    trainer.images = trainer.config.schedule
    for _ in range(SHORT):
        trainer.play_round()
    trainer.check_finite()
    idle = sorted(watch.owners.keys() - watch.reached)
    require(
        not idle,
        f"{_few(idle)} of player {watch.owners[idle[0]] if idle else ''} got no gradient in {2 * SHORT} rounds; use "
        "what is trained, or set requires_grad to False",
    )


@check("terms")
def bfloat16(bench: Bench) -> None:
    """The model trains in bfloat16 autocast, with finite losses and samples within the range."""
    trainer = bench.trainer(precision="bf16")
    try:
        for _ in range(SHORT):
            trainer.play_round()
    except RuntimeError as error:
        raise CheckFailed(
            f"a round in bfloat16 raises RuntimeError: {error}; convert with .to(other.dtype) where tensors meet, and "
            "with .float() before what needs float32"
        ) from error
    trainer.check_finite()
    low, high = trainer.game.data.range
    samples = Sampler.of(trainer.game.networks["generator"], trainer.game.latent, trainer.game.data).sample(SHORT)
    require(bool(((samples >= low) & (samples <= high)).all()), "samples leave the range after rounds in bfloat16")


@check("terms")
def determinism(bench: Bench) -> None:
    """The same seed gives the same run, bit for bit."""
    first, other = (_played(bench, seed=7) for _ in range(2))
    differing = sorted(name for name in first if not torch.equal(first[name], other[name]))
    require(
        not differing,
        f"two runs with one seed differ in {_few(differing)}; draw random numbers with round.normal and "
        "round.uniform, and initial weights with torch",
    )


@check("gradients")
def learning(bench: Bench) -> None:
    """On a toy of two modes the objective learns: samples come to lie about both."""
    game, toy = _toy_game(bench)
    trainer = _toy_trainer(bench, game, toy)
    sampler = Sampler.of(trainer.averages["generator"], game.latent, game.data)
    rounds = _toy_rounds(game)
    one = other = 0.0
    for played in range(1, rounds + 1):
        trainer.play_round()
        if played % LOOK_EVERY == 0 or played == rounds:
            one, other = toy.near(sampler.sample(SHOWN))
            if min(one, other) >= 0.2 and one + other >= 0.7:
                return
    trainer.check_finite()
    raise CheckFailed(
        f"after {trainer.images:,} samples of a toy of two modes, {one:.0%} of the samples lie about one and "
        f"{other:.0%} about the other, where 20% about each and 70% in all are expected; look at the signs of the terms"
    )


class _Watch:
    """Watches the optimisers of a trainer: who gives which parameter a gradient, and who else changes one.

    Attributes:
        owners: the player of each parameter, by the parameter's name.
        reached: parameters that got a gradient.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.parameters = {
            name: parameter
            for owned in trainer.game.parameters.values()
            for group in owned.values()
            for name, parameter in group
        }
        self.owners = {
            name: player
            for player, owned in trainer.game.parameters.items()
            for group in owned.values()
            for name, _ in group
        }
        self.reached: set[str] = set()
        self.values: dict[str, Tensor] = {}
        self._remember(self.parameters)
        # At a player's step it may be too late: players that move at once have all taken their gradients by then.
        take = trainer._take_gradient
        setattr(trainer, "_take_gradient", lambda player, round: self._turn(take, player, round))  # noqa: B010
        for player, optimiser in trainer.optimisers.items():
            optimiser.register_step_pre_hook(partial(self._before, player))
            optimiser.register_step_post_hook(partial(self._after, player))

    def _turn(self, take: Callable[[Player, Round], bool], player: Player, round: Round) -> bool:
        others = [name for name, owner in self.owners.items() if owner != player.name]
        before = {name: _copy(self.parameters[name].grad) for name in others}
        taken = take(player, round)
        for name, gradient in before.items():
            require(
                _same(self.parameters[name].grad, gradient),
                f"the turn of player {player.name} gives a gradient to {name}, which player {self.owners[name]} owns; "
                "an objective yields terms and calls no backward()",
            )
        return taken

    def _before(self, player: str, *_: object) -> None:
        for name, parameter in self.parameters.items():
            require(
                torch.equal(parameter, self.values[name]),
                f"{name} was changed outside an optimiser in the turn of player {player}; leave that to the trainer",
            )
            if self.owners[name] == player and parameter.grad is not None:
                finite = bool(parameter.grad.isfinite().all())
                require(finite, f"{name} got a gradient that is not finite from {player}")
                self.reached.add(name)

    def _after(self, player: str, *_: object) -> None:
        self._remember(name for name, owner in self.owners.items() if owner == player)

    def _remember(self, names: Iterable[str]) -> None:
        for name in names:
            self.values[name] = self.parameters[name].detach().clone()


def _copy(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.clone()


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _played(bench: Bench, seed: int) -> dict[str, Tensor]:
    """Every tensor that a checkpoint would hold after a few rounds."""
    trainer = bench.trainer(seed=seed)
    for _ in range(SHORT):
        trainer.play_round()
    tensors, _ = trainer.state()
    return {f"{file}/{name}": value.clone() for file, named in tensors.items() for name, value in named.items()}


def _toy_game(bench: Bench) -> tuple[Game, TwoModes]:
    """The model put together for the toy: as points, or else as the first kind of data that it takes."""
    offered = (TOY, *bench.taken) if bench.data is None else bench.taken
    for dataset in offered:
        toy = TwoModes(dataset.spec)
        try:
            return Game.build(bench.model(**_toy_options(bench)), toy.spec), toy
        except UsageError:
            continue
    raise CheckFailed(f"the model refuses the toy, made of {described(bench.taken[0].spec)}, which it took before")


def _toy_options(bench: Bench) -> dict[str, Any]:
    """The model's options for the toy: a rate that suits it, unless the author gave one."""
    return {"generator_lr": RATE, "critic_lr": RATE, **bench.options}


def _toy_rounds(game: Game) -> int:
    return max(ROUNDS, TURNS // game.players[0].turns)


def _toy_trainer(bench: Bench, game: Game, toy: TwoModes) -> Trainer:
    batch = SHOWN if game.data.numel <= 64 else 64
    images = _toy_rounds(game) * game.images_per_round(batch)
    settings = {"model": game.model.name, "data": "toy", "images": images, "batch": batch, "half_life": 10 * batch}
    settings |= {f"options.{name}": value for name, value in _toy_options(bench).items()}
    config, _ = resolve([Layer("the conformance kit", settings)], bench.model.Options)
    return Trainer(game, toy.splits(), config, Hardware.choose("cpu", "fp32"))


def _few(names: list[str]) -> str:
    """The first names, and how many there are more."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
