"""DCGAN for square pictures with a power-of-two side from 16 to 256 and any number of channels.

Source: Radford et al. 2016, arXiv 1511.06434, at half its widths, as most later code has it (``width=2``
gives the paper's 1024 to 128 channels for 64×64). From 128×128 on, the added maps keep 512 channels.
"""

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.conv import ConvGenerator, conv_critic
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.style import NetworkStyle

__all__ = ["SIDES", "dcgan_critic", "dcgan_generator"]

SIDES = (16, 32, 64, 128, 256)
"""The sides it can be built for."""

_SLOPE = 0.2


def dcgan_generator(latent: LatentSpec, data: DataSpec, style: NetworkStyle) -> ConvGenerator:
    """A generator that starts from a 4×4 map and doubles it up to the data's side."""
    return ConvGenerator(latent.width, data, style, start=(4, 4), channels=_channels(data)[::-1])


def dcgan_critic(data: DataSpec, style: NetworkStyle, sees: LatentSpec, recognises: LatentSpec) -> StockCritic:
    """A critic that halves the sample down to a 4×4 map, its features; conditions enter by projection."""
    return conv_critic(data, style, sees, recognises, channels=_channels(data), slope=_SLOPE)


def _channels(data: DataSpec) -> list[int]:
    """Channels of the maps from half the data's side down to 4×4: 64, 128, 256, 512, 512 and so on."""
    halvings = data.shape[-1].bit_length() - 3
    return [min(64 * 2**index, 512) for index in range(halvings)]
