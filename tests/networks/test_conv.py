import torch

from ganzoo.core.data import DataSpec
from ganzoo.networks.conv import ConvGenerator
from ganzoo.networks.style import NetworkStyle

DIGITS = DataSpec(name="digits", shape=(1, 28, 28), size=10)


def test_maps_stay_channels_last_through_the_generator() -> None:
    generator = ConvGenerator(6, DIGITS, NetworkStyle(), start=(7, 7), channels=(16, 8))
    generator.to(memory_format=torch.channels_last)
    formats = []
    for name, block in generator.net.named_children():
        if name.startswith(("map", "up1")):
            block.register_forward_hook(
                lambda _module, _inputs, output: formats.append(output.is_contiguous(memory_format=torch.channels_last))
            )
    generator(torch.randn(4, 6))
    assert formats == [True, True]


def test_the_last_hidden_maps_may_go_without_normalisation() -> None:
    generator = ConvGenerator(6, DIGITS, NetworkStyle(), start=(7, 7), channels=(16, 8), plain=1)
    norms = [name for name, module in generator.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms == []
    generator = ConvGenerator(6, DIGITS, NetworkStyle(), start=(7, 7), channels=(16, 8))
    norms = [name for name, module in generator.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms == ["net.up1.1"]


def test_sides_need_not_be_equal() -> None:
    data = DataSpec(name="wide", shape=(3, 12, 20), size=10)
    generator = ConvGenerator(6, data, NetworkStyle(), start=(3, 5), channels=(16, 8))
    assert generator(torch.randn(2, 6)).shape == (2, 3, 12, 20)
