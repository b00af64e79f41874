"""The original generative adversarial network."""

from pydantic import Field

import ganzoo
from ganzoo import LatentSpec, Normal


class GAN(ganzoo.Model):
    """Noise in, samples out; the critic tells real from generated (Goodfellow et al. 2014, arXiv 1406.2661)."""

    name = "gan"

    class Options(ganzoo.Model.Options):
        """The noise is all there is to choose."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(64, ge=1, description="width of the noise z")

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Gaussian noise alone."""
        return LatentSpec(z=Normal(self.options.noise))


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [GAN]
