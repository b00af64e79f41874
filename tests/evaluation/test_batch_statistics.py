"""Statistics re-estimated: those that the formulas give, in a copy, of what can be reached."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganzoo.evaluation import batch_statistics
from ganzoo.evaluation.batch_statistics import batch_layers, settled

CPU = torch.device("cpu")


class Beside(nn.Module):
    """Normalises the sum of its arguments."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, samples, condition=None):
        return self.norm(samples if condition is None else samples + condition)


class Pairs(nn.Module):
    """Takes no sample alone but for its first layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.BatchNorm1d(3), nn.BatchNorm1d(3)

    def forward(self, samples, condition=None):
        if condition is None:
            raise ValueError("it wants a pair")
        return self.second(self.first(samples) + condition)

    def layers(self, samples):
        return {"first": self.first(samples)}


@given(st.integers(2, 40), st.integers(2, 12), st.booleans())
def test_statistics_are_the_means_over_batches_of_every_kind(count, batch, conditioned):
    random = torch.Generator().manual_seed(count)
    condition = torch.ones(count, 3) if conditioned else None
    kinds = [(10 * kind + torch.randn(count, 3, generator=random), condition) for kind in range(2)]
    network = Beside()
    network(100 + torch.randn(8, 3))
    before = copy.deepcopy(network.eval().state_dict())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batch_statistics, "BATCH", batch)
        found = settled(network, kinds, CPU)
    parts = [part + conditioned for values, _ in kinds for part in values.tensor_split(max(1, count // batch))]
    torch.testing.assert_close(found.norm.running_mean, torch.stack([part.mean(0) for part in parts]).mean(0))
    torch.testing.assert_close(found.norm.running_var, torch.stack([part.var(0) for part in parts]).mean(0))
    assert not found.training and not found.norm.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_other_layers_stay_in_evaluation_mode():
    class Dropping(Beside):
        def forward(self, samples, condition=None):
            return super().forward(nn.functional.dropout(samples, 0.5, self.training), condition)

    samples = torch.tensor([[1.0, 2.0, 3.0], [3.0, 6.0, 5.0]])
    found = settled(Dropping().eval(), [(samples, None)], CPU)
    torch.testing.assert_close(found.norm.running_mean, samples.mean(0))


def test_of_a_critic_of_pairs_the_layers_that_samples_alone_reach_are_settled():
    network = Pairs()
    network(5 + torch.randn(8, 3), torch.zeros(8, 3))
    samples = torch.randn(9, 3)
    found = settled(network.eval(), [(samples, None)], CPU)
    torch.testing.assert_close(found.first.running_mean, samples.mean(0))
    assert torch.equal(found.second.running_mean, network.second.running_mean)
    assert torch.equal(found.second.running_var, network.second.running_var)


def test_a_critic_that_reads_no_sample_alone_keeps_what_it_has():
    class Closed(Pairs):
        def layers(self, samples):
            raise ValueError("it wants a pair")

    network = Closed()
    network(5 + torch.randn(8, 3), torch.zeros(8, 3))
    found = settled(network.eval(), [(torch.randn(9, 3), None)], CPU)
    assert all(torch.equal(before, found.state_dict()[key]) for key, before in network.state_dict().items())


def test_the_layers_that_normalise_by_the_batch_are_found_at_any_depth():
    network = nn.Sequential(nn.GroupNorm(1, 2), nn.Sequential(nn.BatchNorm2d(3)))
    assert batch_layers(network) == [network[1][0]]
