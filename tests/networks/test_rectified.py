import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganzoo.networks import karatsuba, native, native_squares
from ganzoo.networks.native import panel_width
from ganzoo.networks.rectified import double_convolve_and_rectify, taken
from ganzoo.networks.upsampling import UpsampledBlock, UpsampledConv2d

pytestmark = [
    pytest.mark.skipif(
        native_squares.absence() is not None, reason=f"there is no native code here: {native_squares.absence()}"
    ),
    pytest.mark.usefixtures("few_channels"),
]


@pytest.fixture(scope="module")
def few_channels() -> Iterator[None]:
    """A quarter of what pays is enough for a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(karatsuba, "_LEAST_CHANNELS", 32)
        yield


def block(inputs: int = 32, outputs: int = 32, slope: float = 0.2) -> UpsampledBlock:
    made = UpsampledBlock(
        UpsampledConv2d(inputs, outputs, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(slope, inplace=True)
    )
    for parameter in made[1].parameters():
        nn.init.normal_(parameter)
    return made


def results_of(network: nn.Module, maps: Tensor, gradient: Tensor) -> list[Tensor]:
    """What a block makes of maps, its gradients, and the state that it ends in."""
    inputs = [maps.detach().requires_grad_(), *network.parameters()]
    result = network(inputs[0])
    state = [each.double() for each in network.state_dict().values()]
    return [result, *torch.autograd.grad(result, inputs, gradient), *state]


@settings(max_examples=40)
@given(
    count=st.integers(1, 9),
    halves=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    panels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    slope=st.sampled_from([0.0, 0.2, 1.0]),
    together=st.integers(1, 40),
    threads=st.integers(1, 3),
)
def test_it_is_what_the_modules_make_one_after_the_other(
    count: int, halves: tuple[int, int], panels: tuple[int, int], slope: float, together: int, threads: int
) -> None:
    width = panel_width("upsampling")
    network = block(max(32, width * panels[0]), width * panels[1], slope)
    exact = copy.deepcopy(network).double()  # for which there is no native code
    maps = torch.randn(count, network[0].in_channels, 2 * halves[0], 2 * halves[1])
    gradient = torch.randn(count, network[0].out_channels, 4 * halves[0], 4 * halves[1])
    # Rounding may put a value on the other side of 0, where its gradient is another.
    gradient[copy.deepcopy(exact)[:2](maps.double()).abs() < 1e-4] = 0
    assert taken(maps, list(network))
    assert not taken(maps.double(), list(exact))
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_squares, "_SQUARES", together)
        torch.set_num_threads(threads)
        try:
            found = results_of(network, maps, gradient)
        finally:
            torch.set_num_threads(before)
    for one, other in zip(found, results_of(exact, maps.double(), gradient.double()), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-5


def test_digits_of_a_spread_about_a_far_mean_are_kept() -> None:
    network = block()
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].weight[:, :, 1, 1] = torch.eye(32)
    maps = 100 + 0.01 * torch.randn(8, 32, 8, 8)
    for _ in range(150):  # the running mean is what sums are taken about
        network(maps)
    expected = maps.double().var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(network[1].running_var.double(), expected, rtol=0.01, atol=0)


def test_derivatives_of_derivatives() -> None:
    torch.manual_seed(0)
    network = block()
    exact = copy.deepcopy(network).double()
    maps = torch.randn(3, 32, 4, 4)

    def penalised(network: nn.Module, maps: Tensor) -> tuple[Tensor, ...]:
        maps = maps.requires_grad_()
        (slopes,) = torch.autograd.grad(network(maps).square().sum(), maps, create_graph=True)
        return torch.autograd.grad(slopes.square().sum(), list(network.parameters()))

    found, expected = penalised(network, maps.clone()), penalised(exact, maps.double())
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm()


def test_two_passes_are_the_same() -> None:
    network, maps, gradient = block(), torch.randn(9, 32, 8, 8), torch.randn(9, 32, 16, 16)
    twin = copy.deepcopy(network)
    for one, other in zip(results_of(network, maps, gradient), results_of(twin, maps, gradient), strict=True):
        assert torch.equal(one, other)


def test_among_networks_in_bf16_it_stays_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    network, maps, gradient = block(), torch.randn(9, 32, 8, 8).bfloat16(), torch.randn(9, 32, 16, 16)
    twin = copy.deepcopy(network)
    expected = results_of(twin, maps.float(), gradient)
    monkeypatch.setattr(native, "has_amx", lambda: False)
    with torch.autocast("cpu", torch.bfloat16):
        assert taken(maps, list(network))
        found = results_of(network, maps, gradient)
    assert found[1].dtype == torch.bfloat16
    expected[1] = expected[1].bfloat16()
    assert all(map(torch.equal, found, expected))
    monkeypatch.setattr(native, "has_amx", lambda: True)
    with torch.autocast("cpu", torch.bfloat16):
        assert not taken(maps, list(network))


def with_hook(network: UpsampledBlock) -> None:
    network[1].register_forward_hook(lambda *_: None)


def with_another_norm(network: UpsampledBlock) -> None:
    class Own(nn.BatchNorm2d):
        """Might do anything."""

    network[1] = Own(32)


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.eval(),
        lambda network: setattr(network[1], "momentum", None),
        lambda network: network.__setitem__(0, UpsampledConv2d(32, 32)),
        lambda network: network.__setitem__(1, nn.BatchNorm2d(32, affine=False)),
        lambda network: network.__setitem__(1, nn.BatchNorm2d(32, track_running_stats=False)),
        lambda network: network.__setitem__(1, nn.GroupNorm(4, 32)),
        lambda network: network.__setitem__(2, nn.ReLU()),
        lambda network: network.__delitem__(2),
        with_hook,
        with_another_norm,
    ],
)
def test_what_is_left_to_the_modules(change: Callable[[UpsampledBlock], object]) -> None:
    network, maps = block(), torch.randn(2, 32, 4, 4)
    assert taken(maps, list(network))
    change(network)
    assert not taken(maps, list(network))
    assert network(maps).shape == (2, 32, 8, 8)


def test_what_follows_is_not_forgotten() -> None:
    network, maps = block(), torch.randn(2, 32, 4, 4)
    network.append(nn.Flatten())
    twin = copy.deepcopy(network)
    assert torch.equal(network(maps), double_convolve_and_rectify(maps, *taken(maps, list(twin))).flatten(1))
