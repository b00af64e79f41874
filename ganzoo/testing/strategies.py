"""Hypothesis strategies: latent spaces of any variables, and data of any kind."""

from typing import Any, get_args

from hypothesis import strategies as st

from ganzoo.core.data import DataSpec, LabelSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variable import Role, Value, Variable
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform

__all__ = ["data_specs", "identifiers", "latent_specs", "seeds", "values", "variables"]

seeds = st.integers(-(2**70), 2**70)
identifiers = st.sampled_from(["z", "self", "class", "given", "_", "größe", "℘"]) | st.from_regex(
    r"[a-zA-Z_][a-zA-Z0-9_]{0,7}", fullmatch=True
)

_sizes = st.integers(1, 5)
_roles = st.sampled_from(get_args(Role))
_weights = st.just(1.0) | st.floats(0, 1e6)
_sigmas = st.just("learned") | st.floats(0.01, 10.0)
_labels = st.from_regex(r"[a-y][a-z0-9_]{0,7}", fullmatch=True)


def variables(sizes: st.SearchStrategy[int] = _sizes) -> st.SearchStrategy[Variable]:
    """Variables of every kind, all their arguments arbitrary.

    Args:
        sizes: their sizes.
    """
    shared: dict[str, Any] = {"size": sizes, "role": _roles, "weight": _weights}
    return st.one_of(
        st.builds(Normal, **shared, sigma=_sigmas),
        st.builds(_uniform, **shared, sigma=_sigmas, low=st.floats(-100, 100), length=st.floats(0.5, 100)),
        st.builds(Bernoulli, **shared, p=st.floats(1e-3, 1 - 1e-3)),
        sizes.flatmap(_categoricals),
    )


def latent_specs(min_variables: int = 1, max_variables: int = 5) -> st.SearchStrategy[LatentSpec]:
    """Latent spaces of any number of variables, of any kind, size and role.

    Args:
        min_variables: the fewest variables.
        max_variables: the most variables.
    """
    named = st.dictionaries(identifiers, variables(), min_size=min_variables, max_size=max_variables)
    return named.map(lambda items: LatentSpec(**items))


def data_specs(max_side: int = 32, *, labelled: bool | None = None) -> st.SearchStrategy[DataSpec]:
    """Specifications of images (grey or colour, square or not), of points and of arrays, in any range.

    Args:
        max_side: the longest side of a sample.
        labelled: whether there are labels; None for either.
    """
    sides = st.integers(1, max_side)
    images = st.tuples(st.sampled_from((1, 3)), sides, sides) | sides.map(lambda side: (1, side, side))
    arrays = st.lists(sides, min_size=1, max_size=3).map(tuple)
    kinds: st.SearchStrategy[dict[str, Any]] = st.one_of(
        images.map(lambda shape: {"shape": shape, "drawn_as": "image"}),
        st.just({"shape": (2,), "drawn_as": "points"}),
        arrays.map(lambda shape: {"shape": shape, "drawn_as": "heatmap"}),
    )
    spans = st.just((-1.0, 1.0)) | st.tuples(st.floats(-100, 100), st.floats(0.5, 100)).map(
        lambda span: (span[0], span[0] + span[1])
    )
    fewest, most = (1, 2) if labelled else (0, 0 if labelled is False else 2)
    labels = st.dictionaries(_labels, st.integers(1, 6).flatmap(_label_specs), min_size=fewest, max_size=most)
    sources = st.sampled_from((("data",), ("data",), ("summer", "winter")))
    return st.builds(
        _data_spec, kind=kinds, name=_labels, range=spans, size=st.integers(1, 200), labels=labels, sources=sources
    )


def values(variable: Variable) -> st.SearchStrategy[Value]:
    """Values that the variable can take, in every form in which one may be given."""
    match variable:
        case Categorical():
            index = st.integers(0, variable.size - 1)
            return index | (st.sampled_from(variable.names) if variable.names else index.map(str))
        case Bernoulli():
            number: st.SearchStrategy[Any] = st.sampled_from([0, 1, 0.0, 1.0, True, False])
        case Uniform():
            number = st.floats(variable.low, variable.high)
        case _:
            number = st.floats(-1e6, 1e6) | st.integers(-5, 5)
    return number | st.lists(number, min_size=variable.size, max_size=variable.size)


def _uniform(low: float, length: float, **others: Any) -> Uniform:
    return Uniform(low=low, high=low + length, **others)


def _shares(size: int) -> st.SearchStrategy[tuple[float, ...]]:
    counts = st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any)
    return counts.map(lambda counts: tuple(count / sum(counts) for count in counts))


def _names(size: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.text(max_size=6), min_size=size, max_size=size, unique=True).map(tuple)


def _categoricals(size: int) -> st.SearchStrategy[Categorical]:
    return st.builds(
        Categorical,
        size=st.just(size),
        role=_roles,
        weight=_weights,
        probs=st.none() | _shares(size),
        names=st.none() | _names(size),
    )


def _label_specs(classes: int) -> st.SearchStrategy[LabelSpec]:
    return st.builds(LabelSpec, classes=_names(classes), frequencies=_shares(classes))


def _data_spec(kind: dict[str, Any], **others: Any) -> DataSpec:
    return DataSpec(**kind, **others)
