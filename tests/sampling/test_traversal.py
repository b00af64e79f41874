import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import latent_specs

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical
from ganzoo.sampling.traversal import MOST_CLASSES, NOISE_COMPONENTS, Traversal, row_classes

CODES = LatentSpec.parse("z: normal(3), category: categorical(4) code, style: uniform(2) code, on: bernoulli(1) code")
PLAIN = LatentSpec.parse("z: normal(6), style: uniform(1) code")
QUANTILES = torch.linspace(0.01, 0.99, 5) * 2 - 1
relaxed = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def names(traversals: list[Traversal]) -> list[tuple[str, int]]:
    return [(each.variable, each.component) for each in traversals]


def test_every_code_is_traversed_unless_one_is_named(echo):
    sampler = echo(CODES)
    assert names(sampler.traverse()) == [("category", 0), ("style", 0), ("style", 1), ("on", 0)]
    assert names(sampler.traverse("style")) == [("style", 0), ("style", 1)]
    assert names(sampler.traverse("style", 1)) == [("style", 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z: normal(9), label: categorical(3) condition", [("label", 0)]),
        ("z: normal(9)", [("z", i) for i in range(NOISE_COMPONENTS)]),
        ("z: normal(2), u: uniform(1)", [("z", 0), ("z", 1), ("u", 0)]),
    ],
)
def test_without_codes_conditions_are_traversed_and_without_those_the_noise(echo, text, expected):
    assert names(echo(LatentSpec.parse(text)).traverse()) == expected


def test_any_component_of_the_noise_can_be_named(echo):
    assert names(echo(PLAIN).traverse("z", 5)) == [("z", 5)]


def test_a_category_has_its_classes_as_rows_and_one_noise_a_column(echo):
    (made,) = echo(CODES).traverse("category", steps=7, seed=3)
    base = CODES.sample(7, 3).flat
    columns = CODES.columns("category")
    assert made.samples.shape == (4, 7, CODES.width) and made.along == "columns"
    assert made.row_labels == ("0", "1", "2", "3") and made.column_labels == ()
    for row in range(4):
        base[:, columns] = torch.eye(4)[row]
        assert torch.equal(made.samples[row], base)


def test_a_continuous_code_has_classes_as_rows_and_quantiles_as_columns(echo):
    _, made = echo(CODES).traverse("style", steps=5, seed=3)
    base = CODES.sample(4, 3, given={"category": [0, 1, 2, 3]}).flat
    moved = CODES.columns("style").start + 1
    assert made.samples.shape == (4, 5, CODES.width) and made.along == "rows"
    assert made.row_labels == ("0", "1", "2", "3")
    assert made.column_labels == ("-0.98", "-0.49", "0.00", "0.49", "0.98")
    torch.testing.assert_close(made.samples[:, :, moved], QUANTILES.expand(4, 5))
    for column in range(5):
        base[:, moved] = made.samples[:, column, moved]
        assert torch.equal(made.samples[:, column], base)


def test_without_classes_rows_are_different_noise(echo):
    (made,) = echo(PLAIN).traverse(rows=3, steps=5)
    noise = made.samples[:, :, PLAIN.columns("z")]
    assert made.samples.shape == (3, 5, PLAIN.width) and made.row_labels == ()
    assert torch.equal(noise, noise[:, :1].expand(-1, 5, -1))
    assert len(noise[:, 0, 0].unique()) == 3


def test_a_given_class_leaves_the_rows_to_the_noise(echo):
    (made,) = echo(CODES).traverse("style", 0, rows=2, steps=3, given={"category": 1, "z": [[0, 0, 0], [1, 1, 1]]})
    assert made.samples.shape[:2] == (2, 3) and made.row_labels == ()
    assert (made.samples[:, :, CODES.columns("category")].argmax(-1) == 1).all()
    assert torch.equal(made.samples[:, 0, CODES.columns("z")], torch.tensor([[0.0] * 3, [1.0] * 3]))


def test_a_bernoulli_code_takes_its_two_values(echo):
    (made,) = echo(CODES).traverse("on", steps=9)
    assert made.column_labels == ("0", "1")
    assert torch.equal(made.samples[:, :, CODES.columns("on")][..., 0], torch.tensor([[0.0, 1.0]] * 4))


def test_class_names_are_the_labels(echo):
    latent = LatentSpec(kind=Categorical(2, role="condition", names=("cat", "dog")))
    assert echo(latent).traverse()[0].row_labels == ("cat", "dog")


def test_of_many_classes_the_first_are_shown(echo):
    latent = LatentSpec.parse("c: categorical(60) code, style: uniform(1) code")
    by_class, by_style = echo(latent).traverse(steps=2)
    assert by_class.samples.shape[0] == by_style.samples.shape[0] == MOST_CLASSES
    assert torch.equal(by_class.samples[:, 0, :60].argmax(1), torch.arange(MOST_CLASSES))


@relaxed
@given(latent_specs(), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_any_variable_of_any_space_can_be_traversed(echo, latent, rows, steps, seed):
    sampler = echo(latent)
    for name, variable in latent.items():
        for made in sampler.traverse(name, rows=rows, steps=steps, seed=seed):
            height, width = made.samples.shape[:2]
            assert len(made.row_labels) in (0, height) and len(made.column_labels) in (0, width)
            fixed = torch.ones(latent.width, dtype=torch.bool)
            start = latent.columns(name).start
            moved = (
                slice(start, start + variable.width) if isinstance(variable, Categorical) else start + made.component
            )
            fixed[moved] = False
            line = made.samples if made.along == "rows" else made.samples.transpose(0, 1)
            assert torch.equal(line[:, :, fixed], line[:, :1, fixed].expand(-1, line.shape[1], -1))


def test_samples_of_a_traversal_are_those_of_a_trained_generator(sampler):
    made = sampler.traverse("style", 0, steps=3)[0]
    assert made.samples.shape == (3, 3, 1, 16, 16)  # three labels
    latents = sampler.latent.traverse(sampler.latent.sample(3, 0, given={"label": [0, 1, 2]}), "style", 0, 3)
    assert torch.equal(made.samples.flatten(0, 1), sampler.generate(latents))


def test_the_picture_is_a_labelled_grid_and_the_film_has_a_frame_a_value(sampler):
    (by_class,) = sampler.traverse("category", steps=6)
    (by_style,) = sampler.traverse("style", 1, steps=5)
    assert by_class.picture().width > 6 * 16 and by_style.picture().height > 3 * 16
    assert len(by_class.frames()) == 4 and len(by_style.frames()) == 5
    assert len({frame.size for frame in by_style.frames()}) == 1
    assert by_style.frames()[0].tobytes() != by_style.frames()[4].tobytes()


def test_points_are_traversed_too(echo):
    sampler = echo(LatentSpec.parse("c: categorical(2) code"))
    sampler.data = DataSpec(name="points", shape=(2,), size=1, drawn_as="points")
    (made,) = sampler.traverse()
    assert made.picture().size == made.frames()[0].size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "stile"}, "no latent variable 'stile'; did you mean 'style'?"),
        ({"name": "style", "component": 2}, "0 to 1, not 2"),
        ({"name": "category", "component": 1}, "component 0.*1"),
        ({"component": 1}, "which variable"),
        ({"name": "style", "steps": 0}, "at least 1 step"),
        ({"name": "category", "steps": 0}, "0"),
        ({"name": "style", "rows": -1, "given": {"category": 0}}, "-1"),
        ({"name": "style", "given": {"style": 0.1}}, "both given and traversed"),
        ({"name": "style", "given": {"categry": 1}}, "did you mean 'category'"),
        ({"name": "style", "given": {"category": 4}}, "from 0 to 3, not 4"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(echo, arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        echo(CODES).traverse(**arguments)
    assert "\n" not in str(caught.value)


def test_rows_come_from_the_first_categorical_code_or_condition_that_is_free():
    latent = LatentSpec.parse("n: categorical(2), a: categorical(3) code, b: categorical(4) condition")
    assert row_classes(latent, {}) == ("a", {0: "0", 1: "1", 2: "2"})
    assert row_classes(latent, {"a": 0}) == ("b", {0: "0", 1: "1", 2: "2", 3: "3"})
    assert row_classes(latent, {"a": 0, "b": 0}) is None
