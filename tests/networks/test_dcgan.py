import pytest
import torch

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal
from ganzoo.networks.dcgan import SIDES, dcgan_critic, dcgan_generator
from ganzoo.networks.style import NetworkStyle

LATENT = LatentSpec(z=Normal(6), category=Categorical(3, role="code"))
THIN = NetworkStyle(width=0.125)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("channels", [1, 4])
def test_every_power_of_two_and_any_number_of_channels(side: int, channels: int) -> None:
    data = DataSpec(name="squares", shape=(channels, side, side), size=10, drawn_as="heatmap")
    generator = dcgan_generator(LATENT, data, THIN)
    samples = generator(torch.randn(2, LATENT.width))
    assert samples.shape == (2, channels, side, side)
    critic = dcgan_critic(data, THIN, LATENT.conditions, LATENT.codes)
    maps = critic.layers(samples)
    last_map = list(maps.values())[-2]
    assert last_map.shape[2:] == (4, 4)
    assert critic(samples).features.shape == (2, last_map.shape[1] * 16)


def test_widths_at_64_are_half_the_papers() -> None:
    data = DataSpec(name="faces", shape=(3, 64, 64), size=10)
    critic = dcgan_critic(data, NetworkStyle(), LATENT.conditions, LATENT.codes)
    convolutions = [block[0] for name, block in critic.trunk.named_children() if name.startswith("conv")]
    assert [layer.out_channels for layer in convolutions] == [64, 128, 256, 512]
    generator = dcgan_generator(LATENT, data, NetworkStyle())
    ups = [block[0] for name, block in generator.net.named_children() if name.startswith("up")]
    assert [layer.in_channels for layer in ups] == [512, 256, 128, 64]
