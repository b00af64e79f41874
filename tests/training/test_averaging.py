import pytest
import torch
from torch import nn

from ganzoo.training.averaging import RAMP, Averages


def linear(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1)
    with torch.no_grad():
        layer.weight.fill_(value)
        layer.bias.fill_(-value)
    return layer


def set_to(layer: nn.Linear, value: float) -> None:
    with torch.no_grad():
        layer.weight.fill_(value)
        layer.bias.fill_(-value)


def test_averages_are_the_closed_form_of_an_exponential_mean():
    layer, step, half_life = linear(0.0), 100, 1_000
    averages = Averages({"generator": layer}, half_life)
    values = [0.3, -1.0, 2.0, 5.0, 0.5, 0.25]
    for turn, value in enumerate(values):
        set_to(layer, value)
        averages.update(10**6 + turn * step, step)
    # Weight i counts (1 - d) d^(n - i), and the first, which stood for all that was before, d^n.
    decay = 0.5 ** (step / half_life)
    last = len(values) - 1
    expected = decay**last * values[0] + sum(
        (1 - decay) * decay ** (last - turn) * value for turn, value in enumerate(values) if turn
    )
    assert averages["generator"].weight.item() == pytest.approx(expected, rel=1e-6)
    assert averages["generator"].bias.item() == pytest.approx(-expected, rel=1e-6)
    assert layer.weight.item() == 0.25, "the live network changed"


def test_a_weight_counts_half_after_a_half_life():
    layer = linear(1.0)
    averages = Averages({"generator": layer}, 640)
    averages.update(10**6, 64)
    set_to(layer, 0.0)
    for _ in range(10):
        averages.update(10**6, 64)
    assert averages["generator"].weight.item() == pytest.approx(0.5, rel=1e-6)


def test_the_half_life_is_a_share_of_a_young_run():
    layer = linear(1.0)
    averages = Averages({"generator": layer}, 10_000)
    averages.update(100, 100)
    set_to(layer, 0.0)
    averages.update(200, 100)
    assert averages["generator"].weight.item() == pytest.approx(0.5 ** (100 / (RAMP * 200)), rel=1e-6)


def test_buffers_are_the_live_networks_own():
    norm = nn.BatchNorm1d(3)
    averages = Averages({"generator": norm}, 100)
    for images in (64, 128, 192):
        norm(torch.randn(8, 3) + 5)
        averages.update(images, 64)
        averaged = averages["generator"]
        for name, buffer in norm.named_buffers():
            assert torch.equal(buffer, averaged.get_buffer(name)), name
    assert averages["generator"].num_batches_tracked == 3
    averages["generator"](torch.randn(8, 3))
    assert norm.num_batches_tracked == 3, "the averages share a buffer with the live network"


def test_several_networks_are_averaged_each_under_its_name():
    averages = Averages({"generator": linear(1.0), "encoder": linear(2.0)}, 100)
    averages.update(16, 16)
    assert averages["encoder"].weight.item() == 2.0
    assert set(averages.state_dict()) == {
        f"{network}.{name}" for network in ("generator", "encoder") for name in ("weight", "bias")
    }


def test_a_state_goes_on():
    layer = linear(1.0)
    whole = Averages({"generator": layer}, 100)
    whole.update(10**4, 16)
    set_to(layer, 3.0)
    whole.update(10**4 + 16, 16)
    resumed = Averages({"generator": layer}, 100)
    resumed.load_state_dict({name: value.clone() for name, value in whole.state_dict().items()})
    set_to(layer, -7.0)
    for averages in (whole, resumed):
        averages.update(10**4 + 32, 16)
    assert torch.equal(whole["generator"].weight, resumed["generator"].weight)
    assert resumed["generator"].weight.item() != -7.0, "the first update after a restore began anew"


def test_averages_keep_the_memory_format():
    network = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    averages = Averages({"generator": network}, 100)
    averages.update(16, 16)
    averages.load_state_dict({name: value.contiguous() for name, value in averages.state_dict().items()})
    assert averages["generator"].weight.is_contiguous(memory_format=torch.channels_last)
