import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from strategies import latent_specs, seeds, values

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.streams import generator
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


def assert_in_support(latents):
    for name, variable in latents.spec.items():
        assert variable.prior().support.check(latents[name]).all()


# Sampling


@law
@given(latent_specs(min_variables=0), seeds, counts)
def test_shapes_and_supports(spec, seed, n):
    for latents in (spec.sample(n, seed), spec.draw(n, generator(seed))):
        assert (len(latents), latents.flat.shape) == (n, (n, spec.width))
        assert (latents.flat.dtype, latents.flat.device.type) == (torch.float32, "cpu")
        assert all(latents[name].shape == (n, variable.width) for name, variable in spec.items())
        assert_in_support(latents)
        assert spec.log_prob(latents).isfinite().all()


@law
@given(latent_specs(min_variables=0), seeds, counts)
def test_split_inverts_flat(spec, seed, n):
    latents = spec.sample(n, seed)
    again = spec.split(latents.flat)
    assert torch.equal(again.flat, latents.flat)
    assert all(torch.equal(again[name], latents[name]) for name in spec)
    if spec:
        assert torch.equal(torch.cat([latents[name] for name in spec], 1), latents.flat)


def test_split_refuses_another_width():
    for shape in [(3, 73), (74,), (1, 2, 74)]:
        with pytest.raises(UsageError, match="latents of this space are N×74, not"):
            PAPER.split(torch.zeros(shape))


@law
@given(latent_specs(), seeds, counts, st.integers(0, 2**40), st.data())
def test_same_seed_same_draws_whatever_the_batching(spec, seed, n, first, data):
    whole = spec.sample(n, seed, first).flat
    cut = data.draw(st.integers(0, n - 1))
    assert torch.equal(whole[cut:], spec.sample(n - cut, seed, first + cut).flat)
    assert torch.equal(whole[: cut + 1], spec.sample(cut + 1, seed, first).flat)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@law
@given(latent_specs(), seeds, counts)
def test_same_seed_same_draws_whatever_the_device(spec, seed, n):
    moved = spec.sample(n, seed).to("cuda")
    assert moved.flat.is_cuda
    assert torch.equal(moved.flat.cpu(), spec.sample(n, seed).flat)
    drawn = spec.draw(n, generator(seed, device="cuda"), "cuda")
    assert torch.equal(drawn.flat, spec.draw(n, generator(seed, device="cuda"), "cuda").flat)
    assert_in_support(drawn.to("cpu"))
    torch.testing.assert_close(spec.log_prob(drawn).cpu(), spec.log_prob(drawn.to("cpu")))


@law
@given(latent_specs(), seeds, counts)
def test_a_variable_does_not_depend_on_its_company(spec, seed, n):
    latents = spec.sample(n, seed)
    for name, variable in spec.items():
        assert torch.equal(LatentSpec(**{name: variable}).sample(n, seed)[name], latents[name])


def test_samples_are_the_same_in_every_release():
    latents = PAPER.sample(1, seed=0, first=3)
    assert latents["z"][0, :3].tolist() == [-1.2244343757629395, -1.3618075847625732, -0.48482346534729004]
    assert latents["category"].argmax().item() == 2
    assert latents["style"][0].tolist() == [0.3604653477668762, 0.564253568649292]


@law
@given(latent_specs(), seeds)
def test_a_batch_of_one_works(spec, seed):
    latents = spec.sample(1, seed)
    assert latents.flat.shape == spec.draw(1, generator(seed)).flat.shape == (1, spec.width)
    assert spec.log_prob(latents).shape == (1,)
    for name in spec:
        parameters = torch.zeros(1, spec.head_width(name))
        assert spec.posterior(name, parameters).log_prob(latents[name]).shape == (1,)
        assert len(spec.traverse(latents, name, steps=1)) >= 1


@law
@given(latent_specs(), seeds)
def test_drawing_repeats_with_its_generator(spec, seed):
    one, other = generator(seed), generator(seed)
    first = spec.draw(64, one).flat
    assert torch.equal(first, spec.draw(64, other).flat)
    if any(isinstance(variable, Normal | Uniform) for _, variable in spec.items()):
        assert not torch.equal(first, spec.draw(64, one).flat)


@pytest.mark.parametrize(("n", "first"), [(0, 0), (-1, 0), (1, -1)])
def test_impossible_counts_are_refused(n, first):
    with pytest.raises(UsageError, match="cannot sample"):
        PAPER.sample(n, 0, first)


@pytest.mark.parametrize("sampled", [True, False])
def test_variables_are_uncorrelated(sampled):
    n = 10_000
    latents = MIXED.sample(n, 0) if sampled else MIXED.draw(n, generator(0))
    correlation = np.corrcoef(latents.flat.numpy().T)
    for name, variable in MIXED.items():
        if isinstance(variable, Categorical):  # one-hot columns exclude each other
            block = MIXED.columns(name)
            correlation[block, block] = np.eye(4)
    assert np.abs(correlation - np.eye(MIXED.width)).max() < 5 / np.sqrt(n)


def test_categorical_variables_are_independent():
    latents = MIXED.sample(10_000, 0)
    table = (latents["class_"].T @ latents["other_class"]).numpy()
    assert stats.chi2_contingency(table).pvalue > 1e-3


# Pinning


@law
@given(st.data(), latent_specs(), seeds, counts, st.integers(0, 1000))
def test_given_pins_exactly_that_variable(data, spec, seed, n, first):
    name = data.draw(st.sampled_from(spec.names))
    value = data.draw(values(spec[name]))
    free, pinned = spec.sample(n, seed, first), spec.sample(n, seed, first, given={name: value})
    assert_in_support(pinned)
    for other in spec:
        if other == name:
            assert torch.equal(pinned[name], spec[name].encode(value).expand(n, -1))
        else:
            assert torch.equal(pinned[other], free[other])


@law
@given(st.data(), latent_specs(), seeds, counts)
def test_given_takes_one_value_a_row(data, spec, seed, n):
    name = data.draw(st.sampled_from(spec.names))
    variable = spec[name]
    one = values(variable).map(lambda value: variable.encode(value).tolist())
    rows = data.draw(st.lists(one, min_size=n, max_size=n))
    try:
        pinned = spec.sample(n, seed, given={name: rows})
    except UsageError:  # in float32 the end of a uniform variable may lie outside its range
        assume(False)
    assert torch.equal(pinned[name], torch.tensor(rows))
    assert torch.equal(pinned[name], spec.sample(n, seed, given={name: torch.tensor(rows)})[name])
    assert torch.equal(pinned[name], spec.sample(n, seed, given={name: list(torch.tensor(rows))})[name])


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (2, [2, 2, 2]),
        ("c", [2, 2, 2]),
        ([2], [2, 2, 2]),
        ([0, 1, 2], [0, 1, 2]),
        (("c", 1, "a"), [2, 1, 0]),
        (range(3), [0, 1, 2]),
        (np.array([1, 1, 0]), [1, 1, 0]),
        (torch.tensor([1, 1, 0]), [1, 1, 0]),
        (torch.eye(3), [0, 1, 2]),
    ],
)
def test_a_class_can_be_given_in_every_form(value, rows):
    spec = LatentSpec(z=Normal(2), kind=Categorical(3, names=("a", "b", "c")))
    assert spec.sample(3, 0, given={"kind": value})["kind"].argmax(1).tolist() == rows


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (0.5, [[0.5, 0.5]] * 2),
        ([0.5, 1], [[0.5, 1.0]] * 2),
        ([[0.5, 1]], [[0.5, 1.0]] * 2),
        ([[0.5, 1], [0, -1]], [[0.5, 1.0], [0.0, -1.0]]),
        (torch.tensor([0.5, 1]), [[0.5, 1.0]] * 2),
    ],
)
def test_a_flat_sequence_is_one_value_of_several_components(value, rows):
    assert PAPER.sample(2, 0, given={"style": value})["style"].tolist() == rows


def test_a_flat_sequence_is_one_value_a_row_of_a_single_component():
    spec = LatentSpec(style=Uniform(1))
    assert spec.sample(2, 0, given={"style": [0.5, 1]})["style"].tolist() == [[0.5], [1.0]]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("category", 10, "cannot set 'category': categorical takes class indices from 0 to 9, not 10"),
        (
            "category",
            [1, 2],
            "cannot set 'category': categorical takes one value for all rows or 3, one a row",
        ),
        ("category", [], "cannot set 'category': categorical takes one value for all rows or 3, one a row"),
        ("style", [0, 0, 0], "cannot set 'style': uniform takes a number or a sequence of 2, not [0, 0, 0]"),
        ("style", [[0, 0], [0, 0]], "cannot set 'style': uniform takes one value for all rows or 3"),
        (
            "style",
            [[0, 0], [0, 0], 0.5, [7, 7]],
            "cannot set 'style': uniform takes one value for all rows or 3",
        ),
        ("style", "left", "cannot set 'style': uniform takes numbers from -1 to 1, not 'left'"),
    ],
)
def test_impossible_pins_are_refused_in_one_sentence(name, value, sentence):
    with pytest.raises(UsageError) as error:
        PAPER.sample(3, 0, given={name: value})
    assert str(error.value).startswith(sentence)


@law
@given(st.data(), latent_specs(), seeds, counts)
def test_given_values_are_drawn_as_they_are(data, spec, seed, n):
    name = data.draw(st.sampled_from(spec.names))
    rows = spec.sample(n, seed)[name]
    latents = spec.draw(n, generator(seed), given={name: rows})
    assert torch.equal(latents[name], rows)
    assert_in_support(latents)


# Traversals


@law
@given(st.data(), latent_specs(), seeds, st.integers(1, 4), st.integers(1, 12))
def test_traversal_changes_one_component_and_stays_in_the_support(data, spec, seed, n, steps):
    name = data.draw(st.sampled_from(spec.names))
    variable = spec[name]
    component = data.draw(st.integers(0, variable.draws - 1))
    latents = spec.sample(n, seed)
    before = latents.flat.clone()
    traversed = spec.traverse(latents, name, component, steps)
    if variable.discrete:
        steps = variable.size if isinstance(variable, Categorical) else 2
    assert len(traversed) == n * steps
    assert torch.equal(latents.flat, before)
    assert_in_support(traversed)

    columns = spec.columns(name)
    moved = torch.arange(columns.start, columns.stop)
    if not isinstance(variable, Categorical):
        moved = moved[component, None]
    held = torch.ones(spec.width, dtype=torch.bool).index_fill(0, moved, False)
    rows = traversed.flat.view(n, steps, spec.width)
    assert torch.equal(rows[..., held], before[:, None, held].expand(-1, steps, -1))
    assert torch.equal(rows[:, :, moved], rows[:1, :, moved].expand(n, -1, -1))

    values = rows[0][:, moved]
    if isinstance(variable, Categorical):
        assert torch.equal(values, torch.eye(steps))
    else:
        assert torch.equal(values, values.sort(0).values)
        assert len(values.unique()) == steps


def test_a_traversal_runs_along_the_quantiles_of_the_prior():
    spec = LatentSpec(z=Normal(2), style=Uniform(2, low=2, high=5), switch=Bernoulli(2))
    latents, levels = spec.sample(1, 0), np.linspace(0.01, 0.99, 7)
    z = spec.traverse(latents, "z", 1, steps=7)["z"][:, 1]
    style = spec.traverse(latents, "style", 0, steps=7)["style"][:, 0]
    np.testing.assert_allclose(z, stats.norm.ppf(levels), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(style, 2 + 3 * levels, rtol=1e-5)
    assert spec.traverse(latents, "switch", 1)["switch"][:, 1].tolist() == [0.0, 1.0]
    assert len(spec.traverse(latents, "z")) == 10


@pytest.mark.parametrize(
    ("name", "component", "steps", "sentence"),
    [
        ("z", 62, 10, "normal takes a component from 0 to 61, not 62"),
        ("style", -1, 10, "uniform takes a component from 0 to 1, not -1"),
        ("style", 0, 0, "uniform takes at least 1 step, not 0"),
        ("category", 1, 10, "categorical takes component 0 alone, not 1"),
    ],
)
def test_impossible_traversals_are_refused_in_one_sentence(name, component, steps, sentence):
    with pytest.raises(UsageError) as error:
        PAPER.traverse(PAPER.sample(1, 0), name, component, steps)
    assert str(error.value) == sentence
