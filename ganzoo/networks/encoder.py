"""The stock encoder: a stock critic that recognises the whole latent space, and judges nothing."""

import torch
from torch import Tensor, nn
from torch import distributions as td

from ganzoo.core.data import DataSpec
from ganzoo.core.encoder import Encoder
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.critic import Recognition
from ganzoo.networks.stock import choose
from ganzoo.networks.style import NetworkStyle

__all__ = ["StockEncoder", "stock_encoder"]


class StockEncoder(Encoder):
    """A trunk, and a head that gives the posterior of every variable of the latent space.

    Args:
        trunk: samples to features (N, F).
        recognition: features to the parameters of each variable's posterior.
        latent: the latent space.
    """

    def __init__(self, trunk: nn.Module, recognition: Recognition, latent: LatentSpec) -> None:
        super().__init__()
        self.trunk, self.recognition, self.latent = trunk, recognition, latent

    def posterior(self, samples: Tensor) -> dict[str, td.Distribution]:
        """The posterior of each variable given samples (N, *shape); batch shape (N,), in float32."""
        parameters = self.recognition(self.trunk(samples))
        return {name: self.latent.posterior(name, parameters[name]) for name in self.latent.names}

    def forward(self, samples: Tensor) -> Tensor:
        """The posteriors' means side by side, (N, D): of a category its probabilities."""
        return torch.cat([posterior.mean for posterior in self.posterior(samples).values()], dim=1)


def stock_encoder(data: DataSpec, networks: str, style: NetworkStyle, latent: LatentSpec) -> StockEncoder:
    """The encoder that goes with a family of stock networks: its critic's trunk and recognition head.

    Args:
        data: what the samples are.
        networks: a family's name, or ``auto``.
        style: the style of the model's networks; an encoder is normalised as the generator is.
        latent: the latent space.

    Raises:
        UsageError: there is no such family, or it does not take such samples.
    """
    own = style.model_copy(update={"critic_norm": style.generator_norm, "spectral_norm": False})
    critic = choose(data, networks).critic(data, own, LatentSpec(), latent)
    assert critic.recognition is not None  # the latent space is not empty
    return StockEncoder(critic.trunk, critic.recognition, latent)
