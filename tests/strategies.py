"""Hypothesis strategies for latent spaces: any number of variables, of any kind, size and role."""

from typing import Any, get_args

from hypothesis import strategies as st

from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Role, Uniform, Value, Variable

__all__ = ["identifiers", "latent_specs", "seeds", "values", "variables"]

seeds = st.integers(-(2**70), 2**70)
identifiers = st.sampled_from(["z", "self", "class", "given", "_", "größe", "℘"]) | st.from_regex(
    r"[a-zA-Z_][a-zA-Z0-9_]{0,7}", fullmatch=True
)

_sizes = st.integers(1, 5)
_roles = st.sampled_from(get_args(Role))
_weights = st.just(1.0) | st.floats(0, 1e6)
_sigmas = st.just("learned") | st.floats(0.01, 10.0)


def variables(sizes: st.SearchStrategy[int] = _sizes) -> st.SearchStrategy[Variable]:
    """Variables of every kind, all their arguments arbitrary."""
    shared = {"size": sizes, "role": _roles, "weight": _weights}
    return st.one_of(
        st.builds(Normal, **shared, sigma=_sigmas),
        st.builds(_uniform, **shared, sigma=_sigmas, low=st.floats(-100, 100), length=st.floats(0.5, 100)),
        st.builds(Bernoulli, **shared, p=st.floats(1e-3, 1 - 1e-3)),
        sizes.flatmap(_categoricals),
    )


def latent_specs(min_variables: int = 1, max_variables: int = 5) -> st.SearchStrategy[LatentSpec]:
    """Latent spaces of any number of variables."""
    named = st.dictionaries(identifiers, variables(), min_size=min_variables, max_size=max_variables)
    return named.map(lambda items: LatentSpec(**items))


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


def _categoricals(size: int) -> st.SearchStrategy[Categorical]:
    shares = st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any)
    probs = shares.map(lambda counts: tuple(count / sum(counts) for count in counts))
    names = st.lists(st.text(max_size=6), min_size=size, max_size=size, unique=True).map(tuple)
    return st.builds(
        Categorical,
        size=st.just(size),
        role=_roles,
        weight=_weights,
        probs=st.none() | probs,
        names=st.none() | names,
    )
