import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import conv2d, conv_transpose2d

from ganzoo.networks.grey import FromGrey, ToGrey, ToLargerGrey, Window

WINDOWS = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(0, 3)).filter(lambda w: w[0] - 1 <= w[2] < w[1])
"""Stride, kernel and padding."""
SIDES = st.tuples(st.integers(6, 11), st.integers(6, 11))


@given(WINDOWS, SIDES)
def test_patches_and_sums_are_adjoint(window: tuple[int, int, int], sides: tuple[int, int]) -> None:
    stride, kernel, padding = window
    laid = Window(kernel, stride, padding)
    pictures = torch.randn(2, *sides, dtype=torch.float64)
    patches = laid.patches(pictures)
    others = torch.randn_like(patches)
    there, back = (patches * others).sum(), (pictures * laid.sums(others, sides)).sum()
    assert there.item() == pytest.approx(back.item(), abs=1e-9)


@given(WINDOWS, SIDES)
def test_a_convolution_from_one_channel_is_the_librarys(window: tuple[int, int, int], sides: tuple[int, int]) -> None:
    stride, kernel, padding = window
    layer = FromGrey(3, kernel, stride, padding).double()
    pictures = torch.randn(2, 1, *sides, dtype=torch.float64)
    torch.testing.assert_close(layer(pictures), conv2d(pictures, layer.weight, layer.bias, stride, padding))


@given(WINDOWS, SIDES)
def test_a_transposed_convolution_to_one_channel_is_the_librarys(
    window: tuple[int, int, int], sides: tuple[int, int]
) -> None:
    stride, kernel, padding = window
    layer = ToLargerGrey(3, kernel, stride, padding).double()
    maps = torch.randn(2, 3, *sides, dtype=torch.float64)
    torch.testing.assert_close(layer(maps), conv_transpose2d(maps, layer.weight, layer.bias, stride, padding))


@given(st.sampled_from([1, 3, 5]), SIDES)
def test_a_convolution_to_one_channel_is_the_librarys(kernel: int, sides: tuple[int, int]) -> None:
    layer = ToGrey(3, kernel).double()
    maps = torch.randn(2, 3, *sides, dtype=torch.float64)
    torch.testing.assert_close(layer(maps), conv2d(maps, layer.weight, layer.bias, padding=kernel // 2))


LAYERS = {
    "from grey": (FromGrey(2, 4, 2, 1), 1),
    "to grey": (ToGrey(2, 3), 2),
    "to larger grey": (ToLargerGrey(2, 4, 2, 1), 2),
}


@pytest.mark.parametrize(("layer", "channels"), LAYERS.values(), ids=LAYERS)
def test_first_and_second_derivatives_are_right(layer: nn.Module, channels: int) -> None:
    maps = torch.randn(2, channels, 6, 6, dtype=torch.float64, requires_grad=True)
    weights = [parameter.detach().double().requires_grad_() for parameter in layer.parameters()]
    names = [name for name, _ in layer.named_parameters()]

    def called(maps: Tensor, *values: Tensor) -> Tensor:
        result: Tensor = torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (maps,))
        return result

    assert gradcheck(called, (maps, *weights))
    assert gradgradcheck(called, (maps, *weights))


@pytest.mark.parametrize(("layer", "channels"), LAYERS.values(), ids=LAYERS)
def test_half_precision_loses_no_more_than_rounding(layer: nn.Module, channels: int) -> None:
    maps = torch.randn(2, channels, 8, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = layer(maps)
    whole = layer(maps)
    torch.testing.assert_close(half.float(), whole, rtol=2e-2, atol=2e-2)
    arguments = (maps, *layer.parameters())
    direction = torch.randn_like(whole)
    for here, there in zip(
        torch.autograd.grad(half, arguments, direction.to(half.dtype)),
        torch.autograd.grad(whole, arguments, direction),
        strict=True,
    ):
        assert here.dtype == there.dtype
        assert (here - there).norm() <= 2e-2 * there.norm() + 1e-3


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RuntimeError):
        FromGrey(4, 4, 2, 1)(torch.randn(2, 3, 8, 8))
    with pytest.raises(ValueError, match="padding of 1 at least"):
        Window(4, 2, 0)
