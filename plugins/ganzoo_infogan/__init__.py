"""InfoGAN: codes that mean something, found without labels."""

from typing import Literal

from pydantic import Field

import ganzoo
from ganzoo import Categorical, Consistency, LatentSpec, MutualInformation, Normal, Uniform, Variable


class InfoGAN(ganzoo.Model):
    """Codes that the critic must be able to read back from the sample (Chen et al. 2016, arXiv 1606.03657)."""

    name = "infogan"

    class Options(ganzoo.Model.Options):
        """The codes, their weights (the paper's lambda) and how the information is maximised."""

        alternatives = {
            "latent": ("noise", "categories", "styles", "style_prior", "category_weight", "style_weight", "style_sigma")
        }
        noise: int = Field(62, ge=1, description="width of the incompressible noise z")
        categories: tuple[int, ...] = Field((10,), description="sizes of the categorical codes")
        styles: int = Field(2, ge=0, description="number of continuous codes")
        style_prior: Literal["uniform", "normal"] = Field(
            "uniform", description="prior of the continuous codes: uniform on (-1, 1), or standard normal"
        )
        style_sigma: float | Literal["learned"] = Field(
            "learned", description="standard deviation of the continuous codes' posterior, or learned"
        )
        category_weight: float = Field(1.0, ge=0, description="weight of each categorical code's information")
        style_weight: float = Field(0.1, ge=0, description="weight of the continuous codes' information")
        consistency: float = Field(
            0.0, ge=0, description="weight of consistency on real samples; not in the paper (arXiv 1807.06653)"
        )
        information_in_trunk: bool = Field(
            True, description="whether information trains the critic's trunk beside its recognition head"
        )

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Noise z, codes ``category`` (``category1``, … where there are several) and ``style``."""
        options = self.options
        variables: dict[str, Variable] = {"z": Normal(options.noise)}
        for index, size in enumerate(options.categories, start=1):
            name = "category" if len(options.categories) == 1 else f"category{index}"
            variables[name] = Categorical(size, role="code", weight=options.category_weight)
        if options.styles:
            prior = {"uniform": Uniform, "normal": Normal}[options.style_prior]
            variables["style"] = prior(
                options.styles, role="code", weight=options.style_weight, sigma=options.style_sigma
            )
        return LatentSpec(**variables)

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """Adversarial terms, the information of every code in both players' losses, and consistency if chosen."""
        information = MutualInformation(latent.codes, trunk=self.options.information_in_trunk)
        objective = self.adversarial() + information
        weight: float = self.options.consistency
        return objective + weight * Consistency(latent.codes, data.invariances) if weight else objective


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [InfoGAN]
