import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import seeds, variables
from torch import distributions as td

from ganzoo.core.streams import generator
from ganzoo.core.variables import SIGMA_MAX, SIGMA_MIN, Bernoulli, Categorical, Normal, Uniform

law = settings(max_examples=40)


def drawn(variable, n, seed=0):
    return variable.draw(n, generator(seed))


def parameters_of(variable, n, seed=0, scale=3.0):
    return scale * torch.randn(n, variable.head_width, generator=generator(seed))


def expected_posterior(variable, parameters):
    if isinstance(variable, Categorical):
        return td.OneHotCategorical(logits=parameters)
    if isinstance(variable, Bernoulli):
        return td.Independent(td.Bernoulli(logits=parameters), 1)
    if variable.sigma != "learned":
        return td.Independent(td.Normal(parameters, variable.sigma), 1)
    mean, raw = parameters[:, : variable.size], parameters[:, variable.size :]
    low, high = math.log(SIGMA_MIN), math.log(SIGMA_MAX)
    return td.Independent(td.Normal(mean, torch.exp(low + (high - low) * torch.sigmoid(raw))), 1)


@law
@given(variables(), seeds, st.integers(1, 8))
def test_posteriors_equal_torch_distributions(variable, seed, n):
    parameters, rows = parameters_of(variable, n, seed), drawn(variable, n, seed)
    posterior, expected = variable.posterior(parameters), expected_posterior(variable, parameters)
    assert (posterior.batch_shape, posterior.event_shape) == ((n,), (variable.width,))
    torch.testing.assert_close(posterior.log_prob(rows), expected.log_prob(rows))
    torch.testing.assert_close(posterior.entropy(), expected.entropy())
    torch.testing.assert_close(posterior.mean, expected.mean)


@law
@given(variables(), seeds)
def test_posteriors_are_computed_in_float32(variable, seed):
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        parameters = parameters_of(variable, 2, seed).to(dtype)
        log_prob = variable.posterior(parameters).log_prob(drawn(variable, 2))
        assert log_prob.dtype == torch.float32
        torch.testing.assert_close(log_prob, variable.posterior(parameters.float()).log_prob(drawn(variable, 2)))


@law
@given(variables(), st.sampled_from([0.0, 1e4, -1e4]))
def test_posteriors_have_finite_gradients_at_extreme_parameters(variable, size):
    parameters = torch.full((2, variable.head_width), size, requires_grad=True)
    variable.posterior(parameters).log_prob(drawn(variable, 2)).sum().backward()
    assert parameters.grad.isfinite().all()


@law
@given(variables())
def test_draw_and_posterior_never_wait_for_the_device(variable):
    """Tensors on the meta device have no values: reading one, as a validation must, raises."""
    rows = variable.draw(3, device="meta")
    assert (rows.device.type, tuple(rows.shape)) == ("meta", (3, variable.width))
    posterior = variable.posterior(torch.empty(3, variable.head_width, device="meta"))
    assert posterior.log_prob(torch.empty(3, variable.width, device="meta")).shape == (3,)
    assert posterior.entropy().shape == (3,)


@law
@given(variables())
def test_posteriors_let_nan_pass(variable):
    posterior = variable.posterior(torch.full((2, variable.head_width), math.nan))
    assert posterior.log_prob(drawn(variable, 2)).isnan().all()


def test_posteriors_of_a_wrong_width_are_refused():
    with pytest.raises(RuntimeError, match="invalid for input"):
        Normal(2).posterior(torch.zeros(4, 3))


@law
@given(variables(), seeds, st.sampled_from([0.1, 3.0, 100.0]))
def test_information_never_exceeds_its_bound(variable, seed, scale):
    rows = drawn(variable, 64, seed)
    for parameters in (parameters_of(variable, 64, seed, scale), certain_parameters(variable, rows)):
        log_prob = variable.posterior(parameters).log_prob(rows)
        assert variable.entropy + log_prob.mean().item() <= variable.information_bound + 1e-3


@law
@given(variables(), seeds)
def test_a_certain_head_reaches_the_information_bound(variable, seed):
    rows = drawn(variable, 64, seed)
    log_prob = variable.posterior(certain_parameters(variable, rows)).log_prob(rows)
    assert variable.entropy + log_prob.mean().item() == pytest.approx(variable.information_bound, abs=1e-3)


def certain_parameters(variable, rows):
    """What a head returns that knows the values and is as sure of them as it can be."""
    if variable.discrete:
        return (rows - 0.5) * 200
    learned = variable.sigma == "learned"
    return torch.cat([rows, torch.full_like(rows, -100)], 1) if learned else rows


def test_information_of_a_discrete_variable_is_bounded_by_its_entropy():
    assert Categorical(10).information_bound == pytest.approx(math.log(10))
    assert Bernoulli(3).information_bound == pytest.approx(3 * math.log(2))
    assert Uniform(2, sigma=0.1).information_bound == pytest.approx(
        2 * (math.log(2) - math.log(0.1 * math.sqrt(2 * math.pi)))
    )


def test_a_learned_sigma_stays_within_its_bounds_and_starts_at_1():
    raw = torch.tensor([[0.0, -1e4], [0.0, 0.0], [0.0, 1e4]])
    assert Normal(1).posterior(raw).stddev.flatten().tolist() == pytest.approx([SIGMA_MIN, 1, SIGMA_MAX])


def test_posteriors_can_be_expanded_sampled_and_compared():
    posterior = Categorical(3).posterior(torch.tensor([0.0, 1.0, 2.0]))
    assert posterior.expand((4,)).log_prob(torch.eye(3)[[0, 1, 2, 2]]).shape == (4,)
    assert posterior.sample((5,)).sum(1).tolist() == [1.0] * 5
    assert td.kl_divergence(posterior, Categorical(3).prior()).item() > 0
