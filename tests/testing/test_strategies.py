"""The kit's strategies give every kind of latent space and data, and only what is valid."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from hypothesis import Phase, given, settings
from hypothesis import find as shortest
from hypothesis import strategies as st

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform
from ganzoo.testing import data_specs, latent_specs, variables

few = settings(max_examples=25)
unshortened = settings(max_examples=500, database=None, phases=(Phase.generate,))
T = TypeVar("T")


def find(strategy: st.SearchStrategy[T], wanted: Callable[[T], object]) -> T:
    """Any example of a strategy that is as wanted."""
    return shortest(strategy, lambda value: bool(wanted(value)), settings=unshortened)


@few
@given(data_specs(max_side=9))
def test_data_are_valid_and_within_bounds(data: DataSpec) -> None:
    low, high = data.range
    assert low < high
    assert all(1 <= side <= 9 for side in data.shape)
    assert len(data.labels) <= 2
    for label in data.labels.values():
        assert math.isclose(sum(label.frequencies or (1,)), 1, abs_tol=1e-6)
    assert DataSpec.model_validate_json(data.model_dump_json()) == data


@few
@given(st.sampled_from([True, False]).flatmap(lambda asked: st.tuples(st.just(asked), data_specs(labelled=asked))))
def test_data_have_labels_as_asked(drawn: tuple[bool, DataSpec]) -> None:
    asked, data = drawn
    assert bool(data.labels) == asked


def test_data_are_of_every_kind() -> None:
    for drawn_as in ("image", "points", "heatmap"):
        assert find(data_specs(), lambda data, kind=drawn_as: data.drawn_as == kind).drawn_as == drawn_as
    assert find(data_specs(), lambda data: data.shape[0] == 3 and data.is_image)
    assert find(data_specs(), lambda data: len(data.sources) == 2)
    assert find(data_specs(), lambda data: data.range != (-1.0, 1.0))


@few
@given(latent_specs(2, 3))
def test_latent_spaces_have_as_many_variables_and_can_be_drawn_from(latent: LatentSpec) -> None:
    assert 2 <= len(latent.names) <= 3
    flat = latent.sample(2, seed=0).flat
    assert flat.shape == (2, latent.width)
    assert bool(torch.isfinite(flat).all())


def test_variables_are_of_every_kind_and_of_the_sizes_asked_for() -> None:
    for kind in (Normal, Uniform, Bernoulli, Categorical):
        assert find(variables(st.just(3)), lambda variable, kind=kind: isinstance(variable, kind)).size == 3
    assert find(variables(), lambda variable: variable.role == "code")
