"""Models with networks and players of their own, which nothing but the model itself knows of."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from sound import Pairs
from torch import nn
from torch.nn.functional import cross_entropy, normalize

import ganzoo
from ganzoo import LatentSpec, Normal, Player, Rates, Round, Term
from ganzoo.testing import checks_for


class Contrast(ganzoo.Objective):
    """Two noisy views of a sample lie nearer to each other than to the views of others, once projected.

    Source: Chen et al. 2020, arXiv 2002.05709, equation 1.
    """

    def critic_terms(self, round: Round) -> Iterator[Term]:
        real = round.real.values
        views = [real + 0.1 * round.normal(f"view {k}", *real.shape) for k in (1, 2)]
        project = round.networks["projection"]
        one, other = (normalize(project(round.judge(view).features.float()), dim=1) for view in views)
        yield Term("contrast", cross_entropy(one @ other.T / 0.1, torch.arange(len(one), device=one.device)))

    def generator_terms(self, round: Round) -> Iterator[Term]:
        yield from ()


class Contrastive(ganzoo.Model):
    """A critic with a contrastive regulariser, which has a network to itself."""

    name = "contrastive"

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(8))

    def networks(self, latent: LatentSpec, data: ganzoo.DataSpec) -> dict[str, nn.Module]:
        networks = super().networks(latent, data)
        width = networks["critic"].feature_width
        return {**networks, "projection": nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 8))}

    def players(self, latent: LatentSpec, data: ganzoo.DataSpec) -> list[Player]:
        critic, generator = super().players(latent, data)
        return [replace(critic, owns={**critic.owns, "projection": Rates(1e-3)}), generator]

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.adversarial() + 0.1 * Contrast()


class Jury(ganzoo.Objective):
    """A second critic, which is a player, tells the two apart too; the generator deceives both."""

    def terms(self, player: str, round: Round) -> Iterator[Term]:
        loss, second = ganzoo.NonSaturating(), round.networks["second"]
        if player == "second":
            real, fake = second(round.real.values).realness, second(round.fakes).realness
            yield Term("second", loss.critic_loss(real, fake))
        if player == "generator":
            yield Term("second", loss.generator_loss(second(round.fakes).realness))


class TwoCritics(ganzoo.Model):
    """A generator before two critics, who move one after the other."""

    name = "two-critics"

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(8))

    def networks(self, latent: LatentSpec, data: ganzoo.DataSpec) -> dict[str, nn.Module]:
        return {**super().networks(latent, data), "second": self.critic(latent, data)}

    def players(self, latent: LatentSpec, data: ganzoo.DataSpec) -> list[Player]:
        critic, generator = super().players(latent, data)
        return [critic, Player("second", {"second": Rates(self.options.critic_lr, self.options.betas)}), generator]

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.adversarial() + Jury()


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    return [Contrastive, TwoCritics]


@pytest.mark.parametrize("model", [Contrastive, TwoCritics])
@pytest.mark.parametrize("name", ["gradients", "bfloat16", "resuming"])
def test_it_is_trained_saved_and_resumed_like_any_other(model: type[ganzoo.Model], name: str) -> None:
    (check,) = (each for each in checks_for(model, data=Pairs) if each.name == name)
    check()
