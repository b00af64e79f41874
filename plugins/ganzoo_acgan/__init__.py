"""The auxiliary-classifier GAN: the critic recognises the class instead of being told."""

from pydantic import Field

import ganzoo
from ganzoo import AuxiliaryClassification, LatentSpec, Normal, label_conditions


class ACGAN(ganzoo.Model):
    """Noise and a class in; the critic must name the class itself (Odena, Olah & Shlens 2017, arXiv 1610.09585)."""

    name = "acgan"

    class Options(ganzoo.Model.Options):
        """The noise, and how the classifier is trained."""

        alternatives = {"latent": ("noise",)}
        noise: int = Field(64, ge=1, description="width of the noise z")
        class_weight: float = Field(1.0, ge=0, description="weight of the classification terms")
        classify_fakes: bool = Field(
            False, description="whether the critic learns to classify generated samples too, as in the paper"
        )

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Gaussian noise and a condition for each label of the data."""
        return LatentSpec(z=Normal(self.options.noise), **label_conditions(data))

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        """A critic that recognises the conditions and does not see them."""
        return self.stock_critic(latent, data, sees=LatentSpec(), recognises=latent.conditions)

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """Adversarial terms, and classification of real and generated samples."""
        weight: float = self.options.class_weight
        return self.adversarial() + weight * AuxiliaryClassification(
            latent.conditions, fakes=self.options.classify_fakes
        )


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [ACGAN]
