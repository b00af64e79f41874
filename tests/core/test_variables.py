import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from strategies import seeds, values, variables

from ganzoo.core.errors import UsageError
from ganzoo.core.streams import generator, uniforms
from ganzoo.core.variables import (
    KINDS,
    Bernoulli,
    Categorical,
    Normal,
    Uniform,
)

law = settings(max_examples=40)

EXAMPLES = [
    Normal(3),
    Uniform(2),
    Uniform(2, low=-0.1, high=0.7),
    Bernoulli(3),
    Bernoulli(2, p=0.03),
    Categorical(10),
    Categorical(1),
    Categorical(4, probs=(0.5, 0.0, 0.3, 0.2)),
]


def sampled(variable, n, seed=0, name="v"):
    return variable.quantile(torch.from_numpy(uniforms(seed, name, 0, n, variable.draws)))


def drawn(variable, n, seed=0):
    return variable.draw(n, generator(seed))


def marginal(variable):
    """SciPy's distribution of one component, or of the class of a categorical variable."""
    match variable:
        case Normal():
            return stats.norm()
        case Uniform():
            return stats.uniform(variable.low, variable.high - variable.low)
        case Bernoulli():
            return stats.bernoulli(variable.p)
        case Categorical():
            probs = variable.probs or [1 / variable.size] * variable.size
            return stats.rv_discrete(values=(range(variable.size), probs))


def components(variable, values):
    """(N, components) numbers: the class of a categorical variable, the columns of any other."""
    return values.argmax(1, keepdim=True).numpy() if isinstance(variable, Categorical) else values.numpy()


# The prior


@law
@given(variables(), seeds, st.integers(1, 20))
def test_shapes_and_supports(variable, seed, n):
    uniform = torch.from_numpy(uniforms(seed, "v", 0, n, variable.draws))
    ends = torch.tensor([2.0**-53, 1 - 2.0**-53], dtype=torch.float64)[:, None].expand(2, variable.draws)
    for rows in (variable.quantile(uniform), variable.quantile(ends), drawn(variable, n, seed)):
        assert rows.shape[1:] == (variable.width,)
        assert rows.dtype == torch.float32
        assert variable.prior().support.check(rows).all()
        assert variable.prior().log_prob(rows).isfinite().all()


@law
@given(variables())
def test_entropy_equals_torch_and_scipy(variable):
    one = marginal(variable).entropy()
    assert variable.entropy == pytest.approx(one * variable.draws, rel=1e-5, abs=1e-6)
    assert variable.entropy == pytest.approx(variable.prior().entropy().item(), rel=1e-5, abs=1e-5)


@law
@given(variables(), seeds)
def test_log_prob_equals_scipy(variable, seed):
    rows = sampled(variable, 5, seed)
    numbers = components(variable, rows).astype(np.float64)
    log_prob = getattr(marginal(variable), "logpmf" if variable.discrete else "logpdf")
    inside = np.clip(numbers, variable.low, variable.high) if isinstance(variable, Uniform) else numbers
    expected = torch.from_numpy(log_prob(inside).sum(1))
    torch.testing.assert_close(variable.prior().log_prob(rows).double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("variable", EXAMPLES, ids=str)
def test_entropy_is_the_mean_of_minus_log_prob(variable):
    surprise = -variable.prior().log_prob(sampled(variable, 5000))
    error = 5 * surprise.std().item() / math.sqrt(5000)
    assert surprise.mean().item() == pytest.approx(variable.entropy, abs=error + 1e-5)


@pytest.mark.parametrize("draw", [sampled, drawn])
@pytest.mark.parametrize("variable", EXAMPLES, ids=str)
def test_marginals_are_the_prior(variable, draw):
    rows = components(variable, draw(variable, 5000))
    for column in rows.T:
        if variable.discrete:
            expected = 5000 * marginal(variable).pmf(np.arange(2 if variable.draws > 1 else variable.size))
            counts = np.bincount(column.astype(int), minlength=len(expected))
            possible = expected > 0
            assert counts[~possible].sum() == 0
            assert possible.sum() == 1 or stats.chisquare(counts[possible], expected[possible]).pvalue > 1e-3
        else:
            assert stats.kstest(column, marginal(variable).cdf).pvalue > 1e-3


@pytest.mark.parametrize("draw", [sampled, drawn])
@pytest.mark.parametrize("variable", [Normal(6), Uniform(6), Bernoulli(6)], ids=str)
def test_components_are_uncorrelated(variable, draw):
    correlation = np.corrcoef(draw(variable, 5000).numpy().T)
    assert np.abs(correlation - np.eye(6)).max() < 5 / math.sqrt(5000)


@law
@given(variables())
def test_quantiles_invert_the_distribution_function(variable):
    levels = np.linspace(0.003, 0.997, 37)
    table = torch.from_numpy(levels)[:, None].expand(-1, variable.draws)
    expected = marginal(variable).ppf(levels)
    if variable.discrete:  # a level on a step may fall on either side of it
        certain = marginal(variable).ppf(levels - 1e-9) == marginal(variable).ppf(levels + 1e-9)
    else:
        certain = np.full(37, True)
    for column in components(variable, variable.quantile(table)).T:
        np.testing.assert_allclose(column[certain], expected[certain], rtol=1e-5, atol=1e-5)


@law
@given(variables())
def test_quantiles_take_single_precision(variable):
    # Levels that no probability is likely to sum up to: on a step of a discrete variable either side is right.
    table = torch.tensor([2**-24, 0.30103, 0.69897, 1 - 2**-24])[:, None].expand(-1, variable.draws)
    torch.testing.assert_close(variable.quantile(table), variable.quantile(table.double()), rtol=1e-3, atol=1e-5)


def test_both_ends_of_a_uniform_variable_have_a_density():
    log_prob = Uniform(1, low=0, high=4).prior().log_prob(torch.tensor([[-0.01], [0.0], [4.0], [4.01]]))
    assert log_prob.tolist() == pytest.approx([-math.inf, -math.log(4), -math.log(4), -math.inf])


def test_a_class_of_probability_0_is_impossible():
    log_prob = Categorical(2, probs=(1.0, 0.0)).prior().log_prob(torch.eye(2))
    assert log_prob.tolist() == [0.0, -math.inf]


# Values


@law
@given(st.data(), variables())
def test_encoded_values_lie_in_the_support(data, variable):
    row = variable.encode(data.draw(values(variable)))
    assert row.shape == (variable.width,)
    assert row.dtype == torch.float32
    assert variable.prior().support.check(row).all()


@law
@given(variables(), seeds)
def test_a_drawn_row_encodes_to_itself(variable, seed):
    row = drawn(variable, 1, seed)[0]
    try:
        assert torch.equal(variable.encode(row), row)
        assert torch.equal(variable.encode(row.numpy()), row)
        assert torch.equal(variable.encode(tuple(row.tolist())), row)
    except UsageError:  # float32 rounding may have stepped over the end of the range
        assert isinstance(variable, Uniform)
        assert row.min() < variable.low or row.max() > variable.high


def test_a_class_has_an_index_a_name_and_a_one_hot_row():
    variable = Categorical(3, names=("cat", "dog", "2 birds"))
    for value in (1, "dog", "1", np.int64(1), torch.tensor(1), [0, 1, 0], torch.tensor([0.0, 1.0, 0.0])):
        assert variable.encode(value).tolist() == [0, 1, 0]
    assert Categorical(2, names=("1", "0")).encode("0").tolist() == [0, 1]  # a name goes before an index
    assert Categorical(2, names=("1", "0")).encode(0).tolist() == [1, 0]  # and a number is an index


def test_a_number_goes_to_every_component():
    assert Uniform(3).encode(0.5).tolist() == [0.5, 0.5, 0.5]
    assert Uniform(3).encode([0.5, 0, -1]).tolist() == [0.5, 0, -1]
    assert Bernoulli(2).encode(True).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        (Categorical(3), 3, "categorical takes class indices from 0 to 2, not 3"),
        (Categorical(3), -1, "categorical takes class indices from 0 to 2, not -1"),
        (Categorical(3), 1.0, "categorical takes class indices from 0 to 2, not 1.0"),
        (Categorical(3), True, "categorical takes class indices from 0 to 2, not True"),
        (Categorical(3), None, "categorical takes class indices from 0 to 2, not None"),
        (Categorical(3), "7", "categorical takes class indices from 0 to 2, not '7'"),
        (Categorical(2), "cat", "there is no class 'cat'; known: 0, 1"),
        (Categorical(2, names=("7", "unknown 1")), "1", "categorical takes one of the names 7, unknown 1, not '1'"),
        (Categorical(2, names=("cat", "dog")), "dgo", "there is no class 'dgo'; did you mean 'dog'?"),
        (Categorical(3), [0, 1, 1], "categorical takes one-hot rows, not [0, 1, 1]"),
        (Categorical(3), [0, 1], "categorical takes a number or a sequence of 3, not [0, 1]"),
        (Uniform(2), 1.5, "uniform takes numbers from -1 to 1, not 1.5"),
        (Uniform(2), [0.5], "uniform takes a number or a sequence of 2, not [0.5]"),
        (Uniform(2), [], "uniform takes a number or a sequence of 2, not []"),
        (Uniform(2), [[0, 0], [1, 1]], "uniform takes numbers from -1 to 1, not [0, 0]"),
        (Normal(1), math.nan, "normal takes finite numbers, not nan"),
        (Normal(1), 1e39, "normal takes finite numbers, not 1e+39"),
        (Normal(1), 10**400, "normal takes finite numbers"),
        (Normal(1), "1", "normal takes finite numbers, not '1'"),
        (Bernoulli(1), 0.5, "bernoulli takes 0 or 1, not 0.5"),
    ],
)
def test_impossible_values_are_refused_in_one_sentence(variable, value, sentence):
    with pytest.raises(UsageError) as error:
        variable.encode(value)
    assert str(error.value).startswith(sentence)


# Construction


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Normal(0), "normal takes a size of at least 1, not 0"),
        (lambda: Normal(2.0), "normal takes a size of at least 1, not 2.0"),
        (lambda: Normal(True), "normal takes a size of at least 1, not True"),
        (lambda: Normal(2, role="cod"), "there is no role 'cod'; did you mean 'code'?"),
        (lambda: Normal(2, weight=-1), "normal takes a weight of at least 0, not -1"),
        (lambda: Normal(2, weight=math.inf), "normal takes a weight of at least 0, not inf"),
        (lambda: Normal(2, sigma=0), 'normal takes a sigma above 0 or "learned", not 0'),
        (lambda: Normal(2, sigma="fixed"), "normal takes a sigma above 0 or \"learned\", not 'fixed'"),
        (lambda: Uniform(2, low=1), "uniform takes a high above its low, not 1.0"),
        (lambda: Uniform(2, low=1, high=1 + 1e-12), "uniform takes a high above its low"),
        (lambda: Uniform(2, high=1e39), "uniform takes finite bounds, not 1e+39"),
        (lambda: Bernoulli(2, p=0), "bernoulli takes a p between 0 and 1, not 0"),
        (lambda: Bernoulli(2, p="p"), "bernoulli takes a p between 0 and 1, not 'p'"),
        (lambda: Categorical(2, probs=(0.5, 0.6)), "categorical takes 2 probs of at least 0 that sum to 1"),
        (lambda: Categorical(2, probs=(1.5, -0.5)), "categorical takes 2 probs of at least 0 that sum to 1"),
        (lambda: Categorical(2, probs=(1.0,)), "categorical takes 2 probs of at least 0 that sum to 1"),
        (lambda: Categorical(2, probs=1.0), "categorical takes 2 probs of at least 0 that sum to 1"),
        (lambda: Categorical(2, names=("a", "a")), "categorical takes 2 names, no two alike"),
        (lambda: Categorical(2, names=("a", 1)), "categorical takes 2 names, no two alike"),
        (lambda: Categorical(2, names="ab"), "categorical takes 2 names, no two alike, not 'ab'"),
    ],
)
def test_impossible_variables_are_refused_in_one_sentence(make, sentence):
    with pytest.raises(UsageError) as error:
        make()
    assert str(error.value).startswith(sentence)


@law
@given(variables())
def test_variables_are_immutable_and_hashable(variable):
    assert {variable: 1}[replace(variable)] == 1
    with pytest.raises(FrozenInstanceError):
        variable.size = 7


def test_arguments_are_normalised():
    assert Categorical(2, probs=np.array([0.5, 0.5])) == Categorical(2, probs=[0.5, 0.5])
    assert repr(Uniform(np.int64(2), low=0, high=2)) == repr(Uniform(2, low=0.0, high=2.0))
    assert hash(Categorical(2, names=["a", "b"])) == hash(Categorical(2, names=("a", "b")))


def test_a_head_is_as_wide_as_its_posterior_needs():
    assert [v.head_width for v in (Normal(3), Normal(3, sigma=1), Bernoulli(3), Categorical(3))] == [
        6,
        3,
        3,
        3,
    ]
    assert [v.draws for v in (Normal(3), Uniform(3), Bernoulli(3), Categorical(3))] == [3, 3, 3, 1]
    assert {kind.__name__.lower() for kind in KINDS.values()} == set(KINDS)
