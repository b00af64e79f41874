"""The kinds of random variable that a latent space is made of."""

from ganzoo.core.continuous import SIGMA_MAX, SIGMA_MIN, Normal, Uniform
from ganzoo.core.discrete import Bernoulli, Categorical
from ganzoo.core.variable import Role, Value, Variable

__all__ = [
    "KINDS",
    "SIGMA_MAX",
    "SIGMA_MIN",
    "Bernoulli",
    "Categorical",
    "Normal",
    "Role",
    "Uniform",
    "Value",
    "Variable",
]

KINDS: dict[str, type[Variable]] = {kind.kind: kind for kind in (Normal, Uniform, Bernoulli, Categorical)}
"""Every kind by the name that it has in text."""
