import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import latent_specs, seeds

from ganzoo.cli.drawing import pinned
from ganzoo.comparison.layout import DIE, lay_out
from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical

DIGITS = DataSpec(name="digits", shape=(1, 28, 28), size=10)
INFOGAN = LatentSpec.parse("z: normal(62), category: categorical(10) code, style: uniform(2) code")


def sizes(text: str, data: DataSpec = DIGITS, **settings) -> dict[str, int]:
    return {axis.key: len(axis) for axis in lay_out(LatentSpec.parse(text), data, **settings).axes}


def typed(layout, positions: dict[str, int]) -> list[str]:
    """What the page's command pins, as its script puts it together."""
    items = []
    for variable in layout.command():
        texts = [
            layout.axes[part].given[positions[layout.axes[part].key]] if isinstance(part, int) else part
            for part in variable["parts"]
        ]
        items.append(f"{variable['name']}={','.join(texts)}")
    return items


@pytest.mark.parametrize(
    ("latent", "expected"),
    [
        ("z: normal(62)", {DIE: 100}),
        ("z: normal(62), label: categorical(10) condition", {"label": 10, DIE: 100}),
        (str(INFOGAN), {"category": 10, "style.0": 7, "style.1": 7, DIE: 6}),
        ("z: normal(9), on: bernoulli(2) code", {"on.0": 2, "on.1": 2, DIE: 100}),
        ("style: uniform(1) code", {"style.0": 9}),
        ("z: normal(9), kind: categorical(60) code", {"kind": 50, DIE: 48}),
        ("a: normal(9), b: categorical(3)", {DIE: 100}),
    ],
)
def test_there_is_a_control_for_every_code_and_condition_and_a_die_for_the_noise(latent, expected):
    assert sizes(latent) == expected


def test_fewer_sprites_mean_fewer_draws_then_fewer_steps():
    assert sizes(str(INFOGAN), sprites=2_000) == {"category": 10, "style.0": 7, "style.1": 7, DIE: 4}
    assert sizes(str(INFOGAN), sprites=1_500) == {"category": 10, "style.0": 5, "style.1": 5, DIE: 6}
    assert sizes(str(INFOGAN), sprites=500) == {"category": 10, "style.0": 5, "style.1": 5, DIE: 2}
    assert sizes(str(INFOGAN), sprites=100) == {"category": 10, "style.0": 3, "style.1": 3, DIE: 1}
    assert sizes(str(INFOGAN), draws=5) == {"category": 10, "style.0": 7, "style.1": 7, DIE: 5}


def test_large_pictures_mean_fewer_sprites():
    large = DataSpec(name="large", shape=(3, 64, 64), size=10)
    assert sizes(str(INFOGAN), large) == {"category": 10, "style.0": 5, "style.1": 5, DIE: 3}
    # They are shrunk, so that even larger ones take no more.
    assert sizes(str(INFOGAN), large.model_copy(update={"shape": (3, 256, 256)})) == sizes(str(INFOGAN), large)


def test_what_does_not_fit_stays_at_its_median_and_the_page_says_so():
    layout = lay_out(LatentSpec.parse("z: normal(3), category: categorical(10) code, style: uniform(9) code"), DIGITS)
    moved = [axis.key for axis in layout.axes]
    assert moved == ["category", *(f"style.{index}" for index in range(5)), DIE]
    assert layout.pinned == {f"style.{index}": "0" for index in range(5, 9)}
    assert "style.5 at 0, style.6 at 0" in layout.notes[0]
    assert (layout.latents()["style"][:, 5:] == 0).all()


def test_left_out_classes_are_told():
    (note,) = lay_out(LatentSpec.parse("z: normal(3), kind: categorical(60) code"), DIGITS).notes
    assert note == "Of the 60 classes of kind the first 50 are here."


def test_classes_are_called_by_their_names():
    latent = LatentSpec(kind=Categorical(3, "code", names=("one", "two", "three, or so")))
    (axis,) = lay_out(latent, DIGITS).axes
    assert axis.labels == ("one", "two", "three, or so")


def test_sliders_start_in_the_middle_and_stay_within_the_prior():
    axis = next(axis for axis in lay_out(INFOGAN, DIGITS).axes if axis.key == "style.1")
    assert axis.name == "style 1"
    assert axis.labels == ("-0.98", "-0.65", "-0.33", "0.00", "0.33", "0.65", "0.98")
    assert axis.start == 3


@settings(max_examples=60)
@given(latent=latent_specs(), sprites=st.integers(1, 300), seed=seeds, data=st.data())
def test_a_sprite_is_the_sample_that_the_command_beside_it_draws(latent, sprites, seed, data):
    # Names that a command line cannot tell apart are no matter of the page.
    latent = LatentSpec(
        **{
            name: Categorical(each.size, each.role, probs=each.probs) if isinstance(each, Categorical) else each
            for name, each in latent.items()
        }
    )
    layout = lay_out(latent, DIGITS, sprites, seed=seed)
    assert 1 <= len(layout) <= sprites
    positions = {axis.key: data.draw(st.integers(0, len(axis) - 1)) for axis in layout.axes}
    sprite = layout.latents().flat[layout.index(positions)]
    expected = latent.sample(1, seed, positions.get(DIE, 0), pinned(typed(layout, positions), latent))
    assert torch.equal(sprite, expected.flat[0])


@settings(max_examples=30)
@given(latent=latent_specs(), data=st.data())
def test_moving_one_control_changes_nothing_else(latent, data):
    layout = lay_out(latent, DIGITS, 300)
    if not layout.axes:
        return
    flat = layout.latents().flat
    axis = data.draw(st.sampled_from(layout.axes))
    base = {each.key: data.draw(st.integers(0, len(each) - 1)) for each in layout.axes}
    moved = base | {axis.key: data.draw(st.integers(0, len(axis) - 1))}
    here, there = flat[layout.index(base)], flat[layout.index(moved)]
    others = [column for column in range(latent.width) if column not in axis.columns]
    assert torch.equal(here[others], there[others])
    assert torch.equal(there[list(axis.columns)], axis.values[moved[axis.key]])
