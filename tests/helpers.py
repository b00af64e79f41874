"""Small things that many tests need: data, samples, networks that say what they are told, and whole games."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.data import DataSpec, LabelSpec, Samples
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Hand, Round
from ganzoo.models.game import Game
from ganzoo.models.model import Model

__all__ = [
    "NOTHING",
    "Orator",
    "Reader",
    "game_round",
    "terms_of",
    "tiny_data",
    "tiny_game",
    "told_round",
    "toy_samples",
]

NOTHING = LatentSpec()
"""The latent space without variables."""


def tiny_data(
    shape: tuple[int, ...] = (1, 4, 4), frequencies: Sequence[float] | None = (0.5, 0.3, 0.2), **others: Any
) -> DataSpec:
    """Data with one label called ``label``, or with none if ``frequencies`` is None."""
    others.setdefault("drawn_as", "image" if len(shape) == 3 and shape[0] in (1, 3) else "heatmap")
    if frequencies is not None:
        names = tuple(f"class {index}" for index in range(len(frequencies)))
        others.setdefault("labels", {"label": LabelSpec(classes=names, frequencies=tuple(frequencies))})
    return DataSpec(**{"name": "toys", "shape": shape, "size": 24, **others})


def toy_samples(data: DataSpec, n: int, seed: int = 0) -> Samples:
    """Random samples in the data's range, with labels of every class."""
    random = torch.Generator().manual_seed(seed)
    low, high = data.range
    values = low + (high - low) * torch.rand(n, *data.shape, generator=random)
    labels = {name: torch.arange(n) % len(label.classes) for name, label in data.labels.items()}
    return Samples(values, labels)


class Reader(Critic):
    """Reads its verdict off the columns of (N, F) samples: realness first, then each variable's parameters.

    What it was given stays in ``seen`` and ``conditions``.
    """

    def __init__(self, recognises: LatentSpec = NOTHING) -> None:
        super().__init__()
        self.recognises = recognises
        self.seen: list[Tensor] = []
        self.conditions: list[Tensor | None] = []

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        self.seen.append(samples)
        self.conditions.append(condition)
        recognised, start = {}, 1
        for name in self.recognises:
            recognised[name] = samples[:, start : start + self.recognises.head_width(name)]
            start += self.recognises.head_width(name)
        return Verdict(samples[:, 0], samples, recognised)

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {}


class Orator(Generator):
    """Gives the samples that it was told to give, whatever the latents; remembers the latents."""

    def __init__(self, samples: Tensor) -> None:
        super().__init__()
        self.samples = nn.Parameter(samples)
        self.heard: list[Tensor] = []

    def forward(self, latents: Tensor) -> Tensor:
        self.heard.append(latents)
        return self.samples.clone()


def told_round(
    player: str,
    *,
    real: Tensor,
    fake: Tensor,
    latent: LatentSpec = NOTHING,
    recognises: LatentSpec = NOTHING,
    labels: Mapping[str, Tensor] | None = None,
    critic: Critic | None = None,
) -> Round:
    """A round in which the critic reads its verdicts off ``real`` and ``fake``, (N, 1 + head widths)."""
    networks = {"critic": critic or Reader(recognises), "generator": Orator(fake)}
    hand = Hand(latent, networks, {"data": Samples(real, labels or {})}, (0, 0))
    data = tiny_data(tuple(real.shape[1:]), frequencies=None, range=(-1e6, 1e6), drawn_as="heatmap")
    return Round(player, hand, data, lambda samples, round: samples, 0.0, owns_generator=player == "generator")


def terms_of(objective: Objective, player: str, round: Round) -> dict[str, Term]:
    """The terms of a player by name."""
    return {term.name: term for term in objective.terms(player, round)}


def tiny_game(model: type[Model], data: DataSpec | None = None, seed: int = 0, **options: Any) -> Game:
    """A game with networks of an eighth of their width."""
    return Game.build(model(**{"width": 0.125, **options}), data or tiny_data(), seed)


def game_round(game: Game, player: str, n: int = 12, samples: Samples | None = None, progress: float = 0.0) -> Round:
    """One turn of a player of this game, on toy samples."""
    reals = {"data": samples or toy_samples(game.data, n)}
    hand = Hand(game.latent, game.networks, reals, (0, 0))
    owns = {item.name: item.owns_network("generator") for item in game.players}[player]
    return Round(player, hand, game.data, game.model.view, progress, owns_generator=owns)
