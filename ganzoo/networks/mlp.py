"""A pair of multilayer perceptrons for samples of any shape: pictures, points, sequences.

Sources: Goodfellow et al. 2014, arXiv 1406.2661, and Mirza & Osindero 2014, arXiv 1411.1784, whose critic
reads the condition beside the sample. Their maxout units and dropout have given way to leaky rectifiers, and
the weights start as in He et al. 2015, arXiv 1502.01852.
"""

from itertools import pairwise

from torch import Tensor, nn

from ganzoo.core.data import DataSpec
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.layers import ToRange, dense_block, initialise
from ganzoo.networks.style import NetworkStyle

__all__ = ["MLPGenerator", "mlp_critic", "mlp_generator"]

_GENERATOR = (256, 512, 512)
_CRITIC = (512, 256)
_SLOPE = 0.2


class MLPGenerator(Generator):
    """Dense layers with rectifiers, then a tanh to the data's range.

    Args:
        latent_width: D.
        data: gives the shape and the range of a sample.
        style: width and normalisation.
    """

    def __init__(self, latent_width: int, data: DataSpec, style: NetworkStyle) -> None:
        super().__init__()
        units = [latent_width, *(style.scaled(count) for count in _GENERATOR)]
        self.net = nn.Sequential()
        for index, (inputs, outputs) in enumerate(pairwise(units), start=1):
            block = dense_block(inputs, outputs, style.generator_norm, nn.ReLU(inplace=True))
            self.net.add_module(f"fc{index}", block)
        self.net.add_module("out", dense_block(units[-1], data.numel, "none", ToRange(*data.range)))
        self.net.add_module("shape", nn.Unflatten(1, data.shape))
        initialise(self, None)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents (N, D) to samples (N, *shape) in the data's range."""
        samples: Tensor = self.net(latents)
        return samples


def mlp_generator(latent: LatentSpec, data: DataSpec, style: NetworkStyle) -> MLPGenerator:
    """A generator from the latent space's width to the data's shape."""
    return MLPGenerator(latent.width, data, style)


def mlp_critic(data: DataSpec, style: NetworkStyle, sees: LatentSpec, recognises: LatentSpec) -> StockCritic:
    """A critic of samples of the data's shape; conditions enter beside the sample."""
    units = [data.numel + sees.width, *(style.scaled(count) for count in _CRITIC)]
    trunk = nn.Sequential()
    for index, (inputs, outputs) in enumerate(pairwise(units), start=1):
        norm = "none" if index == 1 else style.critic_norm
        block = dense_block(inputs, outputs, norm, nn.LeakyReLU(_SLOPE, inplace=True))
        trunk.add_module(f"fc{index}", nn.Sequential(nn.Flatten(), *block) if index == 1 else block)
    return StockCritic(
        trunk,
        units[-1],
        style,
        sees=sees,
        recognises=recognises,
        slope=_SLOPE,
        std=None,
        concatenate=True,
    )
