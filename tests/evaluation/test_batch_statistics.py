"""Statistics re-estimated: those that the formulas give, in a copy, for networks that have any."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganzoo.evaluation import batch_statistics
from ganzoo.evaluation.batch_statistics import settled

CPU = torch.device("cpu")


class Beside(nn.Module):
    """Normalises the sum of its arguments."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, samples, condition=None):
        return self.norm(samples if condition is None else samples + condition)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 12), st.booleans())
def test_statistics_are_the_means_over_batches_of_every_kind(first, second, batch, conditioned):
    random = torch.Generator().manual_seed(first)
    kinds = [
        (torch.randn(count, 3, generator=random), torch.ones(count, 3) if conditioned else None)
        for count in (first, second)
    ]
    network = Beside()
    network(100 + torch.randn(8, 3))
    before = copy.deepcopy(network.eval().state_dict())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batch_statistics, "BATCH", batch)
        found = settled(network, kinds, CPU)
    size = min(batch, first, second)
    parts = [
        part + (1 if conditioned else 0)
        for values, _ in kinds
        for part in values[: min(first, second)].split(size)
        if len(part) == size
    ]
    torch.testing.assert_close(found.norm.running_mean, torch.stack([part.mean(0) for part in parts]).mean(0))
    torch.testing.assert_close(found.norm.running_var, torch.stack([part.var(0) for part in parts]).mean(0))
    assert not found.training and not found.norm.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_other_layers_stay_in_evaluation_mode():
    network = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2, affine=False)).eval()
    samples = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    found = settled(network, [(samples,)], CPU)
    torch.testing.assert_close(found[1].running_mean, torch.tensor([2.0, 4.0]))


def test_a_network_without_batch_statistics_is_returned_as_it_is():
    network = nn.Sequential(nn.Linear(2, 2), nn.GroupNorm(1, 2))
    assert settled(network, [(torch.rand(4, 2),)], CPU) is network


def test_a_network_of_other_arguments_is_left_untouched():
    network = Beside().eval()
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(TypeError):
        settled(network, [(torch.rand(4, 3), None, None)], CPU)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
