"""Nearest upsampling and 3×3 convolutions, without a transposed convolution's checkerboards, for any multiple of 4.

Sources: Odena et al. 2016, "Deconvolution and Checkerboard Artifacts", for the upsampling; the widths are those that
Linder-Norén's PyTorch-GAN made popular: 128 and 64 maps in the generator, 16 to 128 in the critic.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

from ganzoo.core.data import DataSpec
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.networks import karatsuba, rectified
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.grey import convolution
from ganzoo.networks.layers import ToMap, ToRange, ToVector, block, initialise, normalisation
from ganzoo.networks.style import NetworkStyle

__all__ = ["UpsampledConv2d", "UpsamplingGenerator", "upsampling_critic", "upsampling_generator"]

_STD = 0.02
_SLOPE = 0.2
_GENERATOR = (128, 128, 64)
_CRITIC = (16, 32, 64, 128)


class UpsampledConv2d(nn.Conv2d):
    """A map's every pixel doubled in both directions, then a 3×3 convolution: (N, C, H, W) to (N, outputs, 2H, 2W).

    Computed as one 4×4 transposed convolution of stride 2. Of the nine weights on a doubled map, those that meet copies
    of one pixel are summed first: four products a value instead of nine, and no doubled map in memory. On a CPU
    fewer yet do (``ganzoo.networks.karatsuba``). The parameters are the 3×3 convolution's.

    Args:
        inputs: channels C of the map.
        outputs: channels of the result.
        bias: whether each channel of the result has an offset.
    """

    sums: Tensor

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)
        # Along one side (a, b, c) becomes (c, b + c, a + b, a).
        side = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
        self.register_buffer("sums", torch.kron(side, side), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Double and convolve."""
        if karatsuba.pays(maps, self.weight):
            result = karatsuba.double_and_convolve(maps, self.weight)
            return result if self.bias is None else result + self.bias.view(-1, 1, 1)
        # Sums of up to four weights, which half precision would round twice.
        with torch.autocast(maps.device.type, enabled=False):
            kernels = (self.weight.flatten(2) @ self.sums).view(*self.weight.shape[:2], 4, 4)
        return conv_transpose2d(maps, kernels.transpose(0, 1), self.bias, stride=2, padding=1)


class UpsampledBlock(nn.Sequential):
    """An ``UpsampledConv2d`` and what follows it, in one where there is native code for that."""

    def forward(self, maps: Tensor) -> Tensor:
        """One module after the other."""
        modules = list(self)
        if isinstance(modules[0], UpsampledConv2d) and (triple := rectified.taken(maps, modules)):
            maps, modules = rectified.double_convolve_and_rectify(maps, *triple), modules[3:]
        for module in modules:
            maps = module(maps)
        return maps


class UpsamplingGenerator(Generator):
    """A dense layer to a map of a quarter of the side, two doublings, and a last 3×3 convolution.

    Args:
        latent_width: D.
        data: gives the channels, the sides and the range of a sample.
        style: width and normalisation.
    """

    def __init__(self, latent_width: int, data: DataSpec, style: NetworkStyle) -> None:
        super().__init__()
        channels, height, width = data.shape[0], data.shape[1] // 4, data.shape[2] // 4
        maps = [style.scaled(count) for count in _GENERATOR]
        norm, bias = style.generator_norm, style.generator_norm != "batch"
        self.net = nn.Sequential()
        self.net.add_module("fc1", nn.Linear(latent_width, maps[0] * height * width, bias=bias))
        self.net.add_module("map", block(ToMap(maps[0], height, width), normalisation(norm, maps[0], maps=True)))
        for index, (inputs, outputs) in enumerate(pairwise(maps), start=1):
            layer, normalised = UpsampledConv2d(inputs, outputs, bias), normalisation(norm, outputs, maps=True)
            given = [module for module in (layer, normalised, nn.LeakyReLU(_SLOPE, inplace=True)) if module is not None]
            self.net.add_module(f"up{index}", UpsampledBlock(*given))
        last = convolution(maps[-1], channels, kernel=3, stride=1, padding=1, bias=True)
        self.net.add_module("out", nn.Sequential(last, ToRange(*data.range)))
        initialise(self, _STD)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents (N, D) to samples (N, C, H, W) in the data's range."""
        samples: Tensor = self.net(latents)
        return samples


def upsampling_generator(latent: LatentSpec, data: DataSpec, style: NetworkStyle) -> UpsamplingGenerator:
    """A generator from the latent space's width to C×H×W, both sides multiples of 4."""
    return UpsamplingGenerator(latent.width, data, style)


def upsampling_critic(data: DataSpec, style: NetworkStyle, sees: LatentSpec, recognises: LatentSpec) -> StockCritic:
    """A critic of four 3×3 convolutions of stride 2; conditions enter by projection."""
    trunk = nn.Sequential()
    inputs, height, width = data.shape
    for index, count in enumerate(_CRITIC, start=1):
        outputs = style.scaled(count)
        norm = "none" if index == 1 else style.critic_norm
        layer = convolution(inputs, outputs, kernel=3, stride=2, padding=1, bias=norm != "batch")
        normalised = normalisation(norm, outputs, maps=True)
        # The first map of a grey picture is a view: changed in place, it would cost copies of its gradient.
        activation = nn.LeakyReLU(_SLOPE, inplace=inputs > 1)
        trunk.add_module(f"conv{index}", block(layer, normalised, activation))
        inputs, height, width = outputs, (height + 1) // 2, (width + 1) // 2
    trunk.add_module("flat", ToVector())
    features = inputs * height * width
    return StockCritic(trunk, features, style, sees=sees, recognises=recognises, slope=_SLOPE, std=_STD)
