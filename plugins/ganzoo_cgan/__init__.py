"""The conditional GAN: both players are told the class."""

from pydantic import Field

import ganzoo
from ganzoo import LatentSpec, Normal, label_conditions


class CGAN(ganzoo.Model):
    """Noise and a class in; the critic sees sample and class side by side (Mirza & Osindero 2014, arXiv 1411.1784)."""

    name = "cgan"

    class Options(ganzoo.Model.Options):
        """The noise is all there is to choose; the conditions are the data's labels."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(64, ge=1, description="width of the noise z")

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Gaussian noise and a condition for each label of the data."""
        return LatentSpec(z=Normal(self.options.noise), **label_conditions(data))


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [CGAN]
