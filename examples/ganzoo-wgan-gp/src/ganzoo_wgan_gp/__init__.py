"""WGAN-GP: the Wasserstein distance, and a penalty that keeps the critic's gradient near 1."""

from typing import Literal

from pydantic import Field

import ganzoo


class WGANGP(ganzoo.Model):
    """The critic estimates a Wasserstein distance, five steps to the generator's one (Gulrajani et al. 2017)."""

    name = "wgan-gp"

    class Options(ganzoo.Model.Options):
        """The settings of algorithm 1 in arXiv 1704.00028, and the width of the noise."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(128, ge=1, description="width of the noise z")
        adversarial: Literal["wasserstein"] = Field("wasserstein", description="the loss that makes it a WGAN")
        gradient_penalty: float = Field(10.0, gt=0, description="weight of the penalty (the paper's lambda)")
        generator_lr: float = Field(1e-4, gt=0, description="Adam's step size for the generator")
        critic_lr: float = Field(1e-4, gt=0, description="Adam's step size for the critic")
        betas: tuple[float, float] = Field((0.0, 0.9), description="Adam's decay rates, for both players")
        critic_turns: int = Field(5, ge=1, description="steps of the critic for each step of the generator")

    def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
        """Gaussian noise alone."""
        return ganzoo.LatentSpec(z=ganzoo.Normal(self.options.noise))

    def objective(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """Equation 3 of the paper, and R1 beside it where that option asks for it."""
        objective = ganzoo.Wasserstein() + self.options.gradient_penalty * ganzoo.GradientPenalty()
        return objective + self.options.r1 * ganzoo.R1() if self.options.r1 else objective


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [WGANGP]
