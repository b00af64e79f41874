import math

import pytest
import torch
from torch import nn

from ganzoo.networks.layers import (
    ToMap,
    ToRange,
    ToVector,
    dense_block,
    down_block,
    initialise,
    normalisation,
    spectrally_normalise,
    up_block,
)

NORMS = ("batch", "layer", "group", "none")


def test_maps_and_vectors_are_inverse_and_free_for_channels_last() -> None:
    vectors = torch.randn(4, 3 * 5 * 7)
    maps = ToMap(3, 5, 7)(vectors)
    assert maps.shape == (4, 3, 5, 7)
    assert maps.is_contiguous(memory_format=torch.channels_last)
    back = ToVector()(maps)
    assert torch.equal(back, vectors)
    assert back.data_ptr() == vectors.data_ptr()


def test_vectors_do_not_depend_on_the_memory_format() -> None:
    maps = torch.randn(4, 3, 5, 7)
    assert torch.equal(ToVector()(maps), ToVector()(maps.contiguous(memory_format=torch.channels_last)))


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.0, 1.0), (-0.3, 0.7), (-3.0, 2.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_range_is_reached_and_never_left(ends: tuple[float, float], dtype: torch.dtype) -> None:
    squash = ToRange(*ends)
    values = squash(torch.tensor([-100.0, -1.0, 0.0, 1.0, 100.0], dtype=dtype))
    low, high = torch.tensor(ends)
    assert values.dtype == torch.float32
    assert values.diff().gt(0).all()
    assert values[0] == low and values[-1] == high
    assert values[2].item() == pytest.approx(sum(ends) / 2, abs=1e-6)


def test_the_range_keeps_double_precision() -> None:
    values = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ToRange(-3.0, 2.0), values)


@pytest.mark.parametrize("norm", NORMS)
def test_only_batch_normalisation_drops_the_bias(norm: str) -> None:
    blocks = [
        dense_block(3, 16, norm, nn.ReLU()),
        down_block(3, 16, norm, nn.ReLU()),
        up_block(3, 16, norm, nn.ReLU()),
    ]
    for block in blocks:
        assert (block[0].bias is None) == (norm == "batch")
        assert len(block) == (2 if norm == "none" else 3)


def test_batch_normalisation_keeps_the_usual_eps() -> None:
    for maps in (False, True):
        module = normalisation("batch", 8, maps=maps)
        assert isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
        assert (module.eps, module.momentum) == (1e-5, 0.1)


@pytest.mark.parametrize(("width", "groups"), [(8, 1), (24, 2), (64, 8), (256, 32), (448, 32), (7, 1)])
def test_groups_divide_the_channels_and_hold_at_least_eight(width: int, groups: int) -> None:
    module = normalisation("group", width, maps=True)
    assert isinstance(module, nn.GroupNorm)
    assert module.num_groups == groups
    assert isinstance(normalisation("group", width, maps=False), nn.LayerNorm)


@pytest.mark.parametrize("norm", ["layer", "group"])
@pytest.mark.parametrize("maps", [False, True])
def test_layer_and_group_treat_each_sample_alone(norm: str, maps: bool) -> None:
    module = normalisation(norm, 32, maps=maps)
    assert module is not None
    values = torch.randn(6, 32, 4, 4) if maps else torch.randn(6, 32)
    torch.testing.assert_close(module(values)[2:3], module(values[2:3]))


def test_down_halves_and_up_doubles() -> None:
    maps = torch.randn(2, 3, 14, 10)
    assert down_block(3, 8, "none", nn.ReLU())(maps).shape == (2, 8, 7, 5)
    assert up_block(3, 8, "none", nn.ReLU())(maps).shape == (2, 8, 28, 20)


def test_initial_weights_have_the_sources_spread() -> None:
    net = nn.Sequential(nn.Linear(200, 300), nn.Conv2d(64, 64, 4), nn.ConvTranspose2d(64, 64, 4))
    initialise(net, 0.02)
    for layer in net:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
        assert layer.weight.mean().item() == pytest.approx(0, abs=5e-4)
        assert not layer.bias.any()


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_he_weights_keep_the_scale_of_a_signal(slope: float) -> None:
    net = nn.Sequential(*(dense_block(512, 512, "none", nn.LeakyReLU(slope)) for _ in range(8)))
    initialise(net, None, slope)
    signal = torch.randn(256, 512)
    assert 0.5 < net(signal).square().mean() / signal.square().mean() < 2
    assert net[0][0].weight.std().item() == pytest.approx(math.sqrt(2 / (1 + slope**2) / 512), rel=0.02)


@pytest.mark.parametrize("layer", [nn.Linear(40, 30), nn.Conv2d(8, 16, 4, stride=2)])
def test_spectral_norm_bounds_the_largest_singular_value(layer: nn.Linear | nn.Conv2d) -> None:
    with torch.no_grad():
        layer.weight.mul_(50)
    net = nn.Sequential(layer)
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) > 5
    spectrally_normalise(net)
    values = torch.randn(2, 40) if isinstance(layer, nn.Linear) else torch.randn(2, 8, 8, 8)
    for _ in range(50):
        net(values)
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)
