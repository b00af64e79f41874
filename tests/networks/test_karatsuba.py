from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from ganzoo.networks import karatsuba, native, native_squares, squares
from ganzoo.networks.karatsuba import double_and_convolve, pays
from ganzoo.networks.upsampling import UpsampledConv2d


def plain(maps: Tensor, weight: Tensor) -> Tensor:
    """The definition."""
    return conv2d(interpolate(maps, scale_factor=2, mode="nearest"), weight, padding=1)


@settings(max_examples=40)
@given(
    count=st.integers(1, 5),
    halves=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    together=st.integers(1, 40),
    channels_last=st.booleans(),
)
def test_equals_doubling_and_a_convolution(
    count: int, halves: tuple[int, int], channels: tuple[int, int], together: int, channels_last: bool
) -> None:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    maps = torch.randn(count, channels[0], 2 * halves[0], 2 * halves[1], dtype=torch.float64).to(memory_format=layout)
    weight = torch.randn(channels[1], channels[0], 3, 3, dtype=torch.float64).to(memory_format=layout)
    inputs = [maps.requires_grad_(), weight.requires_grad_()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(squares, "_SQUARES", together)
        result = double_and_convolve(maps, weight)
        weights = torch.randn_like(result)
        gradients = torch.autograd.grad((result * weights).sum(), inputs)
    expected = plain(maps, weight)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(gradients, torch.autograd.grad((expected * weights).sum(), inputs), rtol=0, atol=1e-11)
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_derivatives_of_derivatives() -> None:
    maps, weight = torch.randn(2, 2, 2, 4, dtype=torch.float64), torch.randn(3, 2, 3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(double_and_convolve, (maps.requires_grad_(), weight.requires_grad_()))
    assert torch.autograd.gradgradcheck(double_and_convolve, (maps, weight))
    assert torch.autograd.gradgradcheck(lambda free: double_and_convolve(free, weight.detach()), (maps,))


def test_rounds_about_as_little_as_the_plain_way() -> None:
    torch.manual_seed(0)
    maps, weight = torch.randn(8, 128, 8, 8), 0.02 * torch.randn(128, 128, 3, 3)
    exact = plain(maps.double(), weight.double())
    errors = [(way(maps, weight) - exact).square().mean().sqrt() for way in (double_and_convolve, plain)]
    assert errors[0] <= 2 * errors[1]


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        (torch.empty(1, 128, 8, 16), True),
        (torch.empty(1, 128, 8, 16, dtype=torch.float64), True),
        (torch.empty(1, 127, 8, 16), False),
        (torch.empty(1, 128, 7, 16), False),
        (torch.empty(1, 128, 8, 7), False),
        (torch.empty(1, 128, 8, 16, dtype=torch.bfloat16), False),
        (torch.empty(1, 128, 8, 16, device="meta"), False),
    ],
)
def test_pays_for_large_even_maps_on_a_cpu(maps: Tensor, expected: bool) -> None:
    assert pays(maps, torch.empty(128, 128, 3, 3, dtype=maps.dtype)) is expected


@pytest.mark.parametrize(("native_code", "matrices"), [*product([False, True], repeat=2)])
def test_half_precision_is_another_way_where_that_is_faster(
    native_code: bool, matrices: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_squares, "takes", lambda _kernels: native_code)
    monkeypatch.setattr(native, "has_amx", lambda: matrices)
    weight = torch.empty(128, 128, 3, 3)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", torch.bfloat16):
            assert pays(torch.empty(1, 128, 2, 2, dtype=dtype), weight) is (native_code and not matrices)
        with torch.autocast("cpu", torch.float16):
            assert not pays(torch.empty(1, 128, 2, 2, dtype=dtype), weight)
    assert pays(torch.empty(1, 128, 2, 2), weight)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bfloat16])
def test_maps_of_another_type_than_the_weights_are_refused_as_ever(dtype: torch.dtype) -> None:
    with pytest.raises(RuntimeError, match=r"type"):
        UpsampledConv2d(128, 32)(torch.ones(1, 128, 2, 2, dtype=dtype))


def test_in_half_precision_it_is_as_exact_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(karatsuba, "pays", lambda *_: True)
    layer, maps = UpsampledConv2d(128, 32), torch.randn(2, 128, 4, 4).bfloat16()
    direction = torch.randn(2, 32, 8, 8)

    def found(maps: Tensor, enabled: bool) -> list[Tensor]:
        maps.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            result = layer(maps)
            # As a penalty's, taken among what the networks compute.
            slopes = torch.autograd.grad(result, (maps, *layer.parameters()), direction)
            (slope,) = torch.autograd.grad(layer(maps).square().sum(), maps, create_graph=True)
        penalty = torch.autograd.grad(slope.float().square().sum(), layer.weight)
        return [result, *(each.float() for each in (*slopes, *penalty))]

    half, full = found(maps.clone(), enabled=True), found(maps.float(), enabled=False)
    assert half[0].equal(full[0])
    torch.testing.assert_close(half[1], full[1].bfloat16().float(), rtol=0, atol=0)
    assert all(map(torch.equal, half[2:4], full[2:4]))
    # The penalty's slope is that of maps in bf16, and so is rounded to it.
    assert (half[4] - full[4]).norm() < 0.005 * full[4].norm()


@pytest.mark.parametrize("bias", [False, True])
def test_the_layer_takes_it(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = UpsampledConv2d(128, 3, bias)
    if layer.bias is not None:
        nn.init.normal_(layer.bias)
    maps = torch.randn(2, 128, 4, 4)
    quick = layer(maps)
    monkeypatch.setattr(karatsuba, "pays", lambda *_: False)
    folded = layer(maps)
    assert not torch.equal(quick, folded)
    torch.testing.assert_close(quick, folded, rtol=1e-4, atol=1e-5)
