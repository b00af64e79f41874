import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from strategies import identifiers, latent_specs, seeds, variables

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform

law = settings(max_examples=40)
counts = st.integers(1, 20)

PAPER = LatentSpec(z=Normal(62), category=Categorical(10, role="code"), style=Uniform(2, role="code"))
MIXED = LatentSpec(
    z=Normal(3),
    z2=Normal(1),
    class_=Categorical(4, probs=(0.1, 0.2, 0.3, 0.4)),
    other_class=Categorical(4),
    style=Uniform(2),
    switch=Bernoulli(2, p=0.3),
)


# The specification


@law
@given(latent_specs(min_variables=0))
def test_variables_lie_side_by_side_in_their_order(spec):
    ends = [spec.columns(name) for name in spec.names]
    assert [columns.start for columns in ends] == [0, *(columns.stop for columns in ends)][: len(ends)]
    assert spec.width == sum(variable.width for _, variable in spec.items())
    assert list(spec) == list(spec.names) == [name for name, _ in spec.items()]
    assert len(spec) == len(spec.names)
    assert all(name in spec for name in spec)


@law
@given(latent_specs(min_variables=0))
def test_each_variable_has_exactly_one_role(spec):
    parts = {"noise": spec.noise, "condition": spec.conditions, "code": spec.codes}
    assert sorted(name for part in parts.values() for name in part) == sorted(spec)
    assert all(spec[name] == part[name] for part in parts.values() for name in part)
    assert all(part[name].role == role for role, part in parts.items() for name in part)
    assert all(list(part) == [name for name in spec if name in part] for part in parts.values())


@law
@given(latent_specs())
def test_a_space_knows_what_its_variables_know(spec):
    for name, variable in spec.items():
        assert spec.entropy(name) == variable.entropy
        assert spec.head_width(name) == variable.head_width
        parameters = torch.zeros(2, variable.head_width)
        torch.testing.assert_close(
            spec.posterior(name, parameters).mean, variable.posterior(parameters).mean, rtol=0, atol=0
        )


@law
@given(latent_specs())
def test_spaces_are_immutable_and_compare_by_value(spec):
    same = LatentSpec(**spec)
    assert (same, hash(same), {same}) == (spec, hash(spec), {spec})
    assert copy.deepcopy(spec) == pickle.loads(pickle.dumps(spec)) == spec
    assert LatentSpec(**spec, another_name=Normal(1)) != spec
    with pytest.raises(FrozenInstanceError):
        spec.width = 3
    if len(spec) > 1:
        assert LatentSpec(**dict(reversed(spec.items()))) != spec


def test_a_name_must_be_an_identifier():
    with pytest.raises(UsageError, match="'a b' cannot name a variable"):
        LatentSpec(**{"a b": Normal(1)})
    with pytest.raises(TypeError, match="z must be a Variable, not int"):
        LatentSpec(z=62)


def test_an_unknown_variable_gets_a_suggestion():
    latents = PAPER.sample(1, 0)
    parameters = torch.zeros(1, 10)
    for ask in (
        lambda: PAPER["categry"],
        lambda: PAPER.columns("categry"),
        lambda: PAPER.entropy("categry"),
        lambda: PAPER.head_width("categry"),
        lambda: PAPER.posterior("categry", parameters),
        lambda: PAPER.sample(1, 0, given={"categry": 1}),
        lambda: PAPER.draw(1, given={"categry": parameters}),
        lambda: PAPER.log_prob(latents, "categry"),
        lambda: PAPER.traverse(latents, "categry"),
        lambda: latents["categry"],
    ):
        with pytest.raises(UsageError, match="no latent variable 'categry'; did you mean 'category'"):
            ask()


def test_the_representation_is_documentation():
    assert repr(PAPER).splitlines() == [
        "LatentSpec of width 74",
        "          columns  variable              entropy  head",
        "z         0:62     normal(62)            87.974",
        "category  62:72    categorical(10) code  2.303    10",
        "style     72:74    uniform(2) code       1.386    4",
    ]
    assert repr(LatentSpec()).startswith("LatentSpec of width 0\n")


# Densities


@law
@given(latent_specs(), seeds, counts)
def test_log_prob_sums_over_the_variables_named(spec, seed, n):
    latents = spec.sample(n, seed)
    each = {name: spec.log_prob(latents, name) for name in spec}
    for name, variable in spec.items():
        torch.testing.assert_close(each[name], variable.prior().log_prob(latents[name]))
    torch.testing.assert_close(spec.log_prob(latents), torch.stack(list(each.values())).sum(0))
    torch.testing.assert_close(spec.log_prob(latents, *spec.names), spec.log_prob(latents))


def test_log_prob_equals_scipy():
    latents = MIXED.sample(50, 0)
    flat = {name: latents[name].double().numpy() for name in MIXED}
    expected = (
        stats.norm.logpdf(flat["z"]).sum(1)
        + stats.norm.logpdf(flat["z2"]).sum(1)
        + stats.multinomial.logpmf(flat["class_"], 1, [0.1, 0.2, 0.3, 0.4])
        + np.log(1 / 4)
        + stats.uniform.logpdf(flat["style"], -1, 2).sum(1)
        + stats.bernoulli.logpmf(flat["switch"], 0.3).sum(1)
    )
    np.testing.assert_allclose(MIXED.log_prob(latents).numpy(), expected, rtol=1e-5)


def test_log_prob_of_no_variable_is_0():
    assert LatentSpec().log_prob(LatentSpec().sample(2, 0)).tolist() == [0.0, 0.0]


# Latents


@law
@given(latent_specs(), seeds, counts, st.data())
def test_rows_and_variables_are_views(spec, seed, n, data):
    latents = spec.sample(n, seed)
    start = data.draw(st.integers(0, n))
    some = latents.rows(slice(start, None))
    assert torch.equal(some.flat, latents.flat[start:])
    assert some.spec == spec
    latents.flat.zero_()
    assert not some.flat.any()
    assert not any(latents[name].any() for name in spec)


def test_latents_are_immutable_and_short_to_print():
    latents = LatentSpec(z=Normal(2)).sample(3, 0)
    assert repr(latents) == "Latents('z: normal(2)', (3, 2) on cpu)"
    assert latents.to("cpu").flat is latents.flat
    with pytest.raises(FrozenInstanceError):
        latents.flat = torch.zeros(3, 2)


def test_gradients_flow_through_the_flat_latents():
    flat = PAPER.sample(2, 0).flat.requires_grad_()
    PAPER.split(flat)["style"].sum().backward()
    assert flat.grad[:, PAPER.columns("style")].eq(1).all()
    assert flat.grad.sum() == 4


@law
@given(st.dictionaries(identifiers, variables(), max_size=3))
def test_any_identifiers_name_variables(items):
    assert LatentSpec(**items).names == tuple(items)
    assert isinstance(LatentSpec(**items).sample(1, 0), Latents)
