"""Convolutions of one channel in C against PyTorch's own, in whole numbers, whose sums are exact in any order."""

import copy
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import grad
from torch.nn.functional import conv2d, conv_transpose2d

from ganzoo.benchmark.measure import flop_of
from ganzoo.networks import native_grey
from ganzoo.networks.grey import FromGrey, ToGrey, ToLargerGrey
from ganzoo.networks.native import vector_width

pytestmark = pytest.mark.skipif(
    native_grey.absence() is not None, reason=f"there is no native code here: {native_grey.absence()}"
)

WINDOWS = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(0, 3))
"""Kernel, stride and padding."""


def whole_numbers(*shape: int) -> Tensor:
    return torch.randint(-3, 4, shape).float()


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    request.addfinalizer(lambda: torch.set_num_threads(before))


@pytest.mark.usefixtures("threads")
@settings(max_examples=30)
@given(
    st.integers(0, 4),
    WINDOWS,
    st.tuples(st.integers(6, 11), st.integers(6, 11)),
    st.integers(1, 5),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_they_are_those_of_pytorch(
    count: int, window: tuple[int, int, int], sides: tuple[int, int], vectors: int, dtype: torch.dtype
) -> None:
    kernel, stride, padding = window
    channels = vectors * vector_width("grey")
    pictures, kernels = whole_numbers(count, *sides), whole_numbers(kernel, kernel, channels)
    asked, weight = pictures.unsqueeze(1).requires_grad_(), kernels.permute(2, 0, 1).unsqueeze(1).requires_grad_()
    expected = conv2d(asked, weight, None, stride, padding)
    maps = native_grey.to_maps(pictures, kernels, stride, padding, dtype)
    assert maps.equal(expected.permute(0, 2, 3, 1).to(dtype))
    direction = whole_numbers(*maps.shape)
    of_pictures, of_kernels = grad(expected, (asked, weight), direction.permute(0, 3, 1, 2))
    direction = direction.to(dtype)
    assert native_grey.to_pictures(direction, kernels, stride, padding, sides).equal(of_pictures.squeeze(1))
    found = native_grey.to_kernels(direction, pictures, stride, padding, kernel)
    assert found.equal(of_kernels.squeeze(1).permute(1, 2, 0))


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_bf16_is_rounded_as_pytorch_does(seed: int) -> None:
    # Any bits of a float, infinities and what is no number among them, times 1.
    bits = torch.randint(-(2**31), 2**31, (1, 16, 16), generator=torch.Generator().manual_seed(seed))
    special = torch.tensor([0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1 + 2**-8, 1 + 3 * 2**-8, 3.4e38, 1e-40])
    pictures = bits.int().view(torch.float32)
    pictures[0, 3, : len(special)] = special
    # What is no number has one form, where rounding would carry into the sign.
    pictures.view(torch.int32)[0, 4, :4] = torch.tensor([0x7FFFFFFF, -1, 0x7FFF8000, 0x7F800001], dtype=torch.int32)
    kernels = torch.ones(1, 1, vector_width("grey"))
    maps = native_grey.to_maps(pictures, kernels, 1, 0, torch.bfloat16)
    expected = pictures.bfloat16().unsqueeze(3).expand_as(maps)
    assert maps.isnan().equal(pictures.isnan().unsqueeze(3).expand_as(maps))
    torch.testing.assert_close(maps, expected, rtol=0, atol=0, equal_nan=True)
    one = torch.nn.functional.pad(torch.ones(1, 1, 1), (0, vector_width("grey") - 1))
    widened = native_grey.to_pictures(maps, one, 1, 0, (16, 16))
    finite = pictures.bfloat16().isfinite()  # what is not spoils a sum with zeros
    assert widened[finite].equal(pictures.bfloat16().float()[finite])


LAYERS: dict[str, tuple[Callable[[], torch.nn.Module], int, Callable[[Tensor, Tensor], Tensor]]] = {
    "from grey": (lambda: FromGrey(32, 4, 2, 1), 1, lambda maps, weight: conv2d(maps, weight, None, 2, 1)),
    "to grey": (lambda: ToGrey(32, 3), 32, lambda maps, weight: conv2d(maps, weight, None, 1, 1)),
    "to larger grey": (
        lambda: ToLargerGrey(32, 4, 2, 1),
        32,
        lambda maps, weight: conv_transpose2d(maps, weight, None, 2, 1),
    ),
}


@pytest.mark.parametrize(("build", "channels", "defined"), LAYERS.values(), ids=LAYERS)
def test_layers_have_the_derivatives_of_their_definition(
    build: Callable[[], torch.nn.Module],
    channels: int,
    defined: Callable[[Tensor, Tensor], Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used, call = set(), native_grey._call
    monkeypatch.setattr(native_grey, "_call", lambda function, *given: (used.add(function), call(function, *given)))
    layer = build()
    layer.weight.data = whole_numbers(*layer.weight.shape)
    layer.bias.data = whole_numbers(*layer.bias.shape)
    maps = whole_numbers(2, channels, 8, 8).requires_grad_()
    if channels > 1:  # as the layers before leave them
        maps = maps.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    results, expected = layer(maps), defined(maps, layer.weight) + layer.bias.view(-1, 1, 1)
    assert results.equal(expected)
    assert used == {"grey_to_maps" if channels == 1 else "maps_to_grey"}
    direction = whole_numbers(*results.shape)
    found, wanted = (
        grad(each, (maps, layer.weight, layer.bias), direction, create_graph=True) for each in (results, expected)
    )
    assert all(map(torch.equal, found, wanted))
    assert used == {"grey_to_maps", "maps_to_grey", "grey_kernels"}
    found, wanted = (
        grad((first.square().sum() + second.square().sum()), (maps, layer.weight))
        for first, second, _ in (found, wanted)
    )
    assert all(map(torch.equal, found, wanted))


@pytest.mark.usefixtures("threads")
def test_they_are_the_same_every_time() -> None:
    maps, pictures = torch.randn(9, 14, 14, 64), torch.randn(9, 28, 28)
    first, *others = (native_grey.to_kernels(maps, pictures, 2, 1, 4) for _ in range(10))
    assert all(map(first.equal, others))


@pytest.mark.parametrize(
    ("channels", "types", "expected"),
    [
        (64, (torch.float32, torch.float32), True),
        (64, (torch.float64, torch.float64), False),
        (64, (torch.bfloat16, torch.float32), False),
        (33, (torch.float32, torch.float32), False),
        (48, (torch.float32, torch.float32), True),
    ],
)
def test_what_it_takes(channels: int, types: tuple[torch.dtype, torch.dtype], expected: bool) -> None:
    pictures, kernels = torch.empty(1, 8, 8, dtype=types[0]), torch.empty(channels, 1, 3, 3, dtype=types[1])
    assert native_grey.takes(pictures, kernels) is expected
    with torch.autocast("cpu", dtype=torch.float16):
        assert not native_grey.takes(pictures, kernels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = types == (torch.bfloat16, torch.float32)
        assert native_grey.takes(pictures, kernels) is (expected or half)


@pytest.mark.parametrize(("build", "channels"), [(build, channels) for build, channels, _ in LAYERS.values()])
def test_in_bf16_layers_are_as_exact_as_without_it(
    build: Callable[[], torch.nn.Module], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, call = set(), native_grey._call
    monkeypatch.setattr(native_grey, "_call", lambda function, *given: (used.add(function), call(function, *given)))
    layer, given = build(), torch.randn(4, channels, 8, 8)
    exact, inputs = copy.deepcopy(layer).double(), given.double().requires_grad_()
    wanted = exact(inputs)
    direction = torch.randn_like(wanted)
    wanted = [wanted.detach(), *grad(wanted, (inputs, *exact.parameters()), direction)]

    def errors() -> list[float]:
        maps = given.clone().requires_grad_()
        # As from a layer before it.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            results = layer(maps.bfloat16() if channels > 1 else maps)
        found = [results, *grad(results, (maps, *layer.parameters()), direction.to(results.dtype))]
        assert results.dtype == (torch.float32 if channels > 1 else torch.bfloat16)
        return [float((one - other).detach().norm() / other.norm()) for one, other in zip(found, wanted, strict=True)]

    found = errors()
    assert used == {"grey_to_maps", "maps_to_grey", "grey_kernels"}
    used.clear()
    monkeypatch.setattr(native_grey, "absence", lambda: "a test")
    assert all(one <= 1.5 * other for one, other in zip(found, errors(), strict=True))
    assert max(found) < 0.01
    assert not used


@pytest.mark.parametrize(("build", "channels"), [(build, channels) for build, channels, _ in LAYERS.values()])
def test_counters_see_as_many_operations_as_without_it(
    build: Callable[[], torch.nn.Module], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, maps = build(), torch.randn(2, channels, 8, 8, requires_grad=True)

    def learn() -> None:
        layer(maps).sum().backward()

    native = flop_of(learn)
    monkeypatch.setattr(native_grey, "absence", lambda: "a test")
    assert native == flop_of(learn) > 0


def test_shapes_without_numbers() -> None:
    pictures, kernels = torch.empty(2, 9, 8, device="meta"), torch.empty(3, 3, 64, device="meta")
    maps = native_grey.to_maps(pictures, kernels, 2, 1)
    assert maps.shape == (2, 5, 4, 64)
    assert native_grey.to_pictures(maps, kernels, 2, 1, [9, 8]).shape == pictures.shape
    assert native_grey.to_kernels(maps, pictures, 2, 1, 3).shape == kernels.shape


@pytest.mark.parametrize(
    ("maps", "kernels", "sides"),
    [
        (torch.zeros(2, 4, 4, 64), torch.zeros(3, 3, 64), (9, 8)),  # 5 by 4 places
        (torch.zeros(2, 5, 4, 33), torch.zeros(3, 3, 33), (9, 8)),
        (torch.zeros(2, 5, 4, 64), torch.zeros(3, 2, 64), (9, 8)),
        (torch.zeros(2, 5, 4, 64), torch.zeros(3, 3, 32), (9, 8)),
        (torch.zeros(2, 5, 4, 64).half(), torch.zeros(3, 3, 64), (9, 8)),
        (torch.zeros(2, 5, 4, 64), torch.zeros(3, 3, 64).bfloat16(), (9, 8)),
    ],
)
def test_what_does_not_go_together_is_refused(maps: Tensor, kernels: Tensor, sides: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"no maps, kernels and pictures for stride 2 and padding 1: \(2, "):
        native_grey.to_pictures(maps, kernels, 2, 1, sides)
