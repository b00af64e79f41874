"""What the convolutional families share: a generator that doubles maps, a trunk that halves them."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ganzoo.core.data import DataSpec
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.layers import ToMap, ToRange, ToVector, dense_block, down_block, initialise, up_block
from ganzoo.networks.style import NetworkStyle

__all__ = ["ConvGenerator", "conv_critic"]

_STD = 0.02
"""Spread of the initial weights, of DCGAN and of the InfoGAN authors' code alike."""


class ConvGenerator(Generator):
    """Dense layers, then 4×4 transposed convolutions of stride 2; rectifiers between, a tanh at the end.

    Args:
        latent_width: D.
        data: gives the channels and the range of a sample.
        style: width and normalisation.
        dense: units of the hidden dense layers before the first map.
        start: height and width of the first map.
        channels: channels of each hidden map, the first one's included; one doubling follows each.
        plain: how many of the last hidden maps go without normalisation.
    """

    def __init__(
        self,
        latent_width: int,
        data: DataSpec,
        style: NetworkStyle,
        *,
        dense: Sequence[int] = (),
        start: tuple[int, int],
        channels: Sequence[int],
        plain: int = 0,
    ) -> None:
        super().__init__()
        height, width = start
        maps = [style.scaled(count) for count in channels]
        units = [latent_width, *(style.scaled(count) for count in dense), maps[0] * height * width]
        self.net = nn.Sequential()
        for index, (inputs, outputs) in enumerate(pairwise(units), start=1):
            block = dense_block(inputs, outputs, style.generator_norm, nn.ReLU(inplace=True))
            self.net.add_module(f"fc{index}", block)
        self.net.add_module("map", ToMap(maps[0], height, width))
        for index, (inputs, outputs) in enumerate(pairwise(maps), start=1):
            norm = "none" if index >= len(maps) - plain else style.generator_norm
            self.net.add_module(f"up{index}", up_block(inputs, outputs, norm, nn.ReLU(inplace=True)))
        # No normalisation at the output: it would fix each channel's mean and contrast over a batch.
        self.net.add_module(f"up{len(maps)}", up_block(maps[-1], data.shape[0], "none", ToRange(*data.range)))
        initialise(self, _STD)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents (N, D) to samples (N, C, H, W) in the data's range."""
        samples: Tensor = self.net(latents)
        return samples


def conv_critic(
    data: DataSpec,
    style: NetworkStyle,
    sees: LatentSpec,
    recognises: LatentSpec,
    *,
    channels: Sequence[int],
    dense: Sequence[int] = (),
    slope: float,
) -> StockCritic:
    """A critic of 4×4 convolutions of stride 2, then dense layers, with leaky rectifiers after each.

    The first convolution is never normalised, as in DCGAN, so that brightness and contrast get through.
    Conditions enter by projection.

    Args:
        data: gives the shape of a sample, C×H×W.
        style: width and normalisation.
        sees: the condition variables it is told; may be empty.
        recognises: the variables that it must tell from the sample; may be empty.
        channels: channels of each map; each halves both sides, which must stay whole.
        dense: units of the dense layers; if there are none, the flattened last map is the features.
        slope: negative slope of the leaky rectifiers.
    """
    trunk = nn.Sequential()
    inputs, height, width = data.shape
    for index, count in enumerate(channels, start=1):
        outputs = style.scaled(count)
        norm = "none" if index == 1 else style.critic_norm
        # The first map of a grey picture is a view: changed in place, it would cost copies of its gradient.
        activation = nn.LeakyReLU(slope, inplace=inputs > 1)
        trunk.add_module(f"conv{index}", down_block(inputs, outputs, norm, activation))
        inputs, height, width = outputs, height // 2, width // 2
    trunk.add_module("flat", ToVector())
    features = inputs * height * width
    for index, count in enumerate(dense, start=1):
        outputs = style.scaled(count)
        block = dense_block(features, outputs, style.critic_norm, nn.LeakyReLU(slope, inplace=True))
        trunk.add_module(f"fc{index}", block)
        features = outputs
    return StockCritic(trunk, features, style, sees=sees, recognises=recognises, slope=slope, std=_STD)
