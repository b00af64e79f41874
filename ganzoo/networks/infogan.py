"""The pairs of the InfoGAN paper: 28×28 grey digits, and 32×32 colour pictures.

Source: Chen et al. 2016, arXiv 1606.03657, appendix C. Kept from it: every layer, width and stride, the leaky
slope of 0.1 and batch normalisation. From its authors' code: weights from N(0, 0.02). Different: pictures
live in the data's range by a tanh, where the paper's digits live in [0, 1] by a sigmoid.
"""

from dataclasses import dataclass

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.conv import ConvGenerator, conv_critic
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.style import NetworkStyle

__all__ = ["PAPER", "SLIM", "DigitPair", "rgb_critic", "rgb_generator"]

_SLOPE = 0.1


@dataclass(frozen=True)
class DigitPair:
    """The paper's generator and critic for 1×28×28 samples, with the widths left open.

    Attributes:
        generator_dense: units of the generator's first layer.
        generator_maps: channels of its 7×7 and 14×14 maps.
        critic_maps: channels of the critic's 14×14 and 7×7 maps.
        critic_dense: units of the critic's last trunk layer, the width of its features.
    """

    generator_dense: int
    generator_maps: tuple[int, int]
    critic_maps: tuple[int, int]
    critic_dense: int

    def generator(self, latent: LatentSpec, data: DataSpec, style: NetworkStyle) -> ConvGenerator:
        """A generator from the latent space's width to 1×28×28."""
        return ConvGenerator(
            latent.width,
            data,
            style,
            dense=(self.generator_dense,),
            start=(7, 7),
            channels=self.generator_maps,
        )

    def critic(self, data: DataSpec, style: NetworkStyle, sees: LatentSpec, recognises: LatentSpec) -> StockCritic:
        """A critic of 1×28×28 samples; conditions enter by projection."""
        return conv_critic(
            data, style, sees, recognises, channels=self.critic_maps, dense=(self.critic_dense,), slope=_SLOPE
        )


PAPER = DigitPair(generator_dense=1024, generator_maps=(128, 64), critic_maps=(64, 128), critic_dense=1024)
"""The paper's widths (table 1)."""

SLIM = DigitPair(generator_dense=512, generator_maps=(64, 32), critic_maps=(32, 64), critic_dense=256)
"""The same layers, narrower: about a quarter of the paper's arithmetic, for processors without bfloat16."""


def rgb_generator(latent: LatentSpec, data: DataSpec, style: NetworkStyle) -> ConvGenerator:
    """The paper's generator for 3×32×32 (tables 2 and 3); only its first two hidden layers are normalised."""
    return ConvGenerator(latent.width, data, style, start=(2, 2), channels=(448, 256, 128, 64), plain=2)


def rgb_critic(data: DataSpec, style: NetworkStyle, sees: LatentSpec, recognises: LatentSpec) -> StockCritic:
    """The paper's critic of 3×32×32, whose heads read the last map; conditions enter by projection."""
    return conv_critic(data, style, sees, recognises, channels=(64, 128, 256), slope=_SLOPE)
