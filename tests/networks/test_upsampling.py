import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganzoo.core.data import DataSpec
from ganzoo.networks.style import NetworkStyle
from ganzoo.networks.upsampling import UpsampledConv2d, UpsamplingGenerator


@settings(max_examples=30)
@given(
    sides=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
)
def test_equals_doubling_and_a_convolution(sides: tuple[int, int], channels: tuple[int, int], bias: bool) -> None:
    folded = UpsampledConv2d(*channels, bias=bias).double()
    plain = nn.Conv2d(*channels, 3, padding=1, bias=bias).double()
    plain.load_state_dict(folded.state_dict())
    maps = torch.randn(2, channels[0], *sides, dtype=torch.float64, requires_grad=True)
    results = [folded(maps), plain(nn.functional.interpolate(maps, scale_factor=2, mode="nearest"))]
    torch.testing.assert_close(*results, rtol=0, atol=1e-12)
    weights = torch.randn_like(results[0])
    gradients = [
        torch.autograd.grad((result * weights).sum(), [maps, *layer.parameters()])
        for result, layer in zip(results, (folded, plain), strict=True)
    ]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-11)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 48)])
def test_maps_stay_channels_last_up_to_the_sample(shape: tuple[int, int, int]) -> None:
    data = DataSpec(name="pictures", shape=shape, size=10)
    generator = UpsamplingGenerator(6, data, NetworkStyle(width=0.25)).to(memory_format=torch.channels_last)
    formats = []
    for block in list(generator.net.children())[1:-1]:
        block.register_forward_hook(
            lambda _module, _inputs, output: formats.append(output.is_contiguous(memory_format=torch.channels_last))
        )
    assert generator(torch.randn(4, 6)).shape == (4, *shape)
    assert formats == [True, True, True]
