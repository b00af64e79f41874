"""The VAE-GAN: an autoencoder whose decoder is a generator, with likeness measured in the critic's features."""

from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor, nn

import ganzoo
from ganzoo import LatentSpec, Normal, Player, Rates, Round, Term, UsageError


class Rebuilt(ganzoo.Objective):
    """What each player wants of reconstructions G(z) with z drawn from the encoder's posterior given x.

    The critic tells them from x, the generator deceives it and makes them like x, the encoder makes them
    like x and keeps its posterior near the prior. Nobody else's parameters move for it: the encoder does
    not deceive, and the critic does not learn what is alike (the paper's algorithm 1).

    Source: Larsen et al. 2016, arXiv 1512.09300, equations 5 to 9.

    Args:
        loss: the adversarial loss.
        similarity: weight gamma of likeness for the generator, against 1 for deceiving the critic.
        prior: weight of the divergence from the prior for the encoder, against 1 for likeness.
    """

    def __init__(self, loss: ganzoo.Adversarial, similarity: float, prior: float) -> None:
        self.loss, self.similarity, self.prior = loss, similarity, prior

    def terms(self, player: str, round: Round) -> Iterator[Term]:
        """``rebuilt``, adversarial, for critic and generator; ``similarity`` for generator and encoder; ``prior``.

        The last two are in nats, sums over the values of a map and over the latent space, means over the batch.
        """
        with torch.set_grad_enabled(player != "critic"):  # whose turn reaches neither encoder nor generator
            posteriors = round.networks["encoder"].posterior(round.real.values).values()  # type: ignore[operator]
            mean = torch.cat([posterior.mean for posterior in posteriors], dim=1)
            variance = torch.cat([posterior.variance for posterior in posteriors], dim=1)
            samples = round.generate(mean + variance.sqrt() * round.normal("posterior", *mean.shape))
        if player == "critic":
            rebuilt = round.judge(samples).realness
            yield Term("rebuilt", self.loss.critic_loss(round.real_verdict.realness, rebuilt))
            return
        if player == "generator":
            yield Term("rebuilt", self.loss.generator_loss(round.judge(samples).realness))
        distance = shown(round, samples) - shown(round, round.real.values).detach()
        # −log N(shown(x) | shown(G(z)), 1), but for a constant.
        value = distance.square().flatten(1).sum(1).mean() / 2
        yield Term("similarity", value, self.similarity if player == "generator" else 1.0)
        if player == "encoder":
            divergence = (mean.square() + variance - 1 - variance.log()).sum(1).mean() / 2
            yield Term("prior", divergence, self.prior)

    def __repr__(self) -> str:
        return f"Rebuilt({self.loss!r}, similarity={self.similarity:g}, prior={self.prior:g})"


def shown(round: Round, samples: Tensor) -> Tensor:
    """What the critic makes of samples half of the way through its trunk: a map (N, …), float32."""
    maps = list(round.networks["critic"].layers(samples).values())  # type: ignore[operator]
    middle: Tensor = maps[(len(maps) - 1) // 2]
    return middle.float()


class VAEGAN(ganzoo.Model):
    """An autoencoder that measures likeness in the critic's features (Larsen et al. 2016, arXiv 1512.09300)."""

    name = "vaegan"
    averaged = ("generator", "critic", "encoder")

    class Options(ganzoo.Model.Options):
        """The noise, the weights of the terms, and the encoder's step size."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(64, ge=1, description="width of the noise z")
        similarity: float = Field(1e-3, ge=0, description="weight of likeness for the generator, the paper's gamma")
        prior: float = Field(1.0, ge=0, description="weight of the divergence from the prior for the encoder")
        encoder_lr: float | None = Field(
            None, gt=0, description="Adam's step size for the encoder (none: the generator's)"
        )

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Gaussian noise alone."""
        return LatentSpec(z=Normal(self.options.noise))

    def networks(self, latent: LatentSpec, data: ganzoo.DataSpec) -> dict[str, nn.Module]:
        """Critic, generator and encoder.

        Raises:
            UsageError: a variable is not normal, so that the divergence from its prior is not known.
        """
        if not all(isinstance(variable, Normal) for _, variable in latent.items()):
            raise UsageError(f"vaegan takes normal variables alone, not '{latent}'; choose bigan for others")
        return {**super().networks(latent, data), "encoder": self.stock_encoder(latent, data)}

    def players(self, latent: LatentSpec, data: ganzoo.DataSpec) -> list[Player]:
        """The critic, the generator, the encoder."""
        options = self.options
        rates = Rates(options.encoder_lr or options.generator_lr, options.betas)
        return [*super().players(latent, data), Player("encoder", {"encoder": rates})]

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """The adversarial terms on generated samples, and what is wanted of reconstructions."""
        options = self.options
        return self.adversarial() + Rebuilt(self.adversarial_loss(), options.similarity, options.prior)


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [VAEGAN]
