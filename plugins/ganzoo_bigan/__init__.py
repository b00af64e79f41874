"""The bidirectional GAN: an encoder is learned by judging pairs of sample and latent."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

import ganzoo
from ganzoo import LatentSpec, Normal, Player, Rates, Round, Term

HIDDEN = 256
"""Units of the layers that see a sample's features and a latent together."""


class JointCritic(ganzoo.Critic):
    """A critic of pairs: a critic of samples, and what a perceptron makes of its features beside a latent.

    Args:
        samples: judges samples alone.
        features: width of its features.
        latent: width D of the latent.
        normalised: whether the perceptron's layers have spectral normalisation.
    """

    def __init__(self, samples: ganzoo.Critic, features: int, latent: int, normalised: bool = False) -> None:
        super().__init__()
        self.samples = samples
        self.joint = nn.Sequential(
            *(nn.Linear(features + latent, HIDDEN), nn.LeakyReLU(0.2)),
            *(nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, 1)),
        )
        for layer in self.joint[::2] if normalised else ():
            spectral_norm(layer)

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> ganzoo.Verdict:
        """Judge samples (N, *shape), each beside its latent (N, D)."""
        if condition is None:
            raise ValueError("the critic judges a sample beside its latent, and got no latent")
        alone: ganzoo.Verdict = self.samples(samples)
        pairs = torch.cat([alone.features, condition.to(alone.features.dtype)], dim=1)
        return alone._replace(realness=alone.realness + self.joint(pairs).squeeze(1))

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The maps of the part that sees samples alone."""
        return self.samples.layers(samples)


class Pairs(ganzoo.Objective):
    """The critic tells (x, E(x)) from (G(z), z); generator and encoder, one player, make them alike.

    At the optimum E inverts G (Donahue et al. 2017, arXiv 1605.09782, theorem 2).

    Args:
        loss: the adversarial loss; generator and encoder mirror the critic's, each on its own side.
    """

    def __init__(self, loss: ganzoo.Adversarial) -> None:
        self.loss = loss

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """The term ``adversarial``, with the share of pairs that the critic judges rightly."""
        real, fake = self._realness(round)
        accuracy = self.loss.accuracy(real, fake)
        yield Term("adversarial", self.loss.critic_loss(real, fake), reports={"critic_accuracy": accuracy})

    def generator_terms(self, round: Round) -> Iterator[Term]:
        """The terms ``adversarial`` for generated pairs and ``encoded`` for real samples beside their codes."""
        real, fake = self._realness(round)
        yield Term("adversarial", self.loss.generator_loss(fake))
        # To pass for generated is to pass for real in a mirror at the boundary.
        yield Term("encoded", self.loss.generator_loss(2 * self.loss.boundary - real))

    def _realness(self, round: Round) -> tuple[Tensor, Tensor]:
        """Realness of (x, E(x)) and of (G(z), z), (N,) each."""
        encoded = round.networks["encoder"](round.real.values)
        if round.player == "critic":
            encoded = encoded.detach()
        real = round.judge(round.real.values, encoded).realness
        return real, round.judge(round.fakes, round.latents.flat).realness

    def __repr__(self) -> str:
        return f"Pairs({self.loss!r})"


class BiGAN(ganzoo.Model):
    """An encoder beside the generator; the critic judges pairs (Donahue et al. 2017, arXiv 1605.09782)."""

    name = "bigan"
    averaged = ("generator", "critic", "encoder")

    class Options(ganzoo.Model.Options):
        """The noise, and the encoder's step size."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(50, ge=1, description="width of the noise z")
        encoder_lr: float | None = Field(
            None, gt=0, description="Adam's step size for the encoder (none: the generator's)"
        )

        @model_validator(mode="after")
        def _unpenalised(self) -> Self:
            if self.gradient_penalty or self.r1:
                raise ValueError("penalties are for critics of samples, and this one judges pairs; use spectral_norm")
            return self

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Gaussian noise alone."""
        return LatentSpec(z=Normal(self.options.noise))

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        """A critic of pairs of sample and latent."""
        samples = self.stock_critic(latent, data, sees=LatentSpec(), recognises=LatentSpec())
        return JointCritic(samples, samples.feature_width, latent.width, self.options.spectral_norm)

    def networks(self, latent: LatentSpec, data: ganzoo.DataSpec) -> dict[str, nn.Module]:
        """Critic, generator and encoder."""
        return {**super().networks(latent, data), "encoder": self.stock_encoder(latent, data)}

    def players(self, latent: LatentSpec, data: ganzoo.DataSpec) -> list[Player]:
        """The critic, then generator and encoder in one."""
        options = self.options
        critic, generator = super().players(latent, data)
        encoder = Rates(options.encoder_lr or options.generator_lr, options.betas)
        return [critic, replace(generator, owns={**generator.owns, "encoder": encoder})]

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """The adversarial loss on pairs."""
        return Pairs(self.adversarial_loss())


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [BiGAN]
