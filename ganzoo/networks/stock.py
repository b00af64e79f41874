"""The families of stock networks, and which of them fits a data set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.dcgan import SIDES, dcgan_critic, dcgan_generator
from ganzoo.networks.infogan import PAPER, SLIM, rgb_critic, rgb_generator
from ganzoo.networks.mlp import mlp_critic, mlp_generator
from ganzoo.networks.style import NetworkStyle
from ganzoo.networks.upsampling import upsampling_critic, upsampling_generator

__all__ = ["FAMILIES", "Family", "choose"]


@dataclass(frozen=True)
class Family:
    """A generator and a critic made for each other, for samples of certain shapes.

    Attributes:
        name: what options call it.
        shapes: the sample shapes that it takes, in words.
        fits: whether it can be built for a data specification.
        generator: builds the generator from the latent space, the data and the style.
        critic: builds the critic from the data, the style, the variables it sees (its conditions) and the
            variables it recognises; either may be an empty specification.
    """

    name: str
    shapes: str
    fits: Callable[[DataSpec], bool]
    generator: Callable[[LatentSpec, DataSpec, NetworkStyle], Generator]
    critic: Callable[[DataSpec, NetworkStyle, LatentSpec, LatentSpec], StockCritic]


def _digits(data: DataSpec) -> bool:
    return data.shape == (1, 28, 28)


def _small_colour(data: DataSpec) -> bool:
    return data.shape == (3, 32, 32)


def _square(data: DataSpec) -> bool:
    return len(data.shape) == 3 and data.shape[1] == data.shape[2] and data.shape[1] in SIDES


def _quarters(data: DataSpec) -> bool:
    return len(data.shape) == 3 and all(side % 4 == 0 and side >= 16 for side in data.shape[1:])


def _any(data: DataSpec) -> bool:
    return True


_IN_ORDER = (
    Family("infogan-slim", "1×28×28", _digits, SLIM.generator, SLIM.critic),
    Family("infogan-mnist", "1×28×28", _digits, PAPER.generator, PAPER.critic),
    Family("infogan-rgb", "3×32×32", _small_colour, rgb_generator, rgb_critic),
    Family("dcgan", "C×S×S with S = 16, 32, 64, 128 or 256", _square, dcgan_generator, dcgan_critic),
    Family("mlp", "any shape", _any, mlp_generator, mlp_critic),
    Family(
        "upsampling", "C×H×W with sides that 4 divides, from 16 on", _quarters, upsampling_generator, upsampling_critic
    ),
)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _IN_ORDER})
"""The families by name, the one that ``auto`` prefers first."""


def choose(data: DataSpec, name: str = "auto") -> Family:
    """The family of stock networks for a data set.

    Args:
        data: the specification of the samples.
        name: a family's name, or ``auto`` for the first in ``FAMILIES`` that fits.

    Raises:
        UsageError: there is no such family, or it does not take samples of this shape.
    """
    fitting = [family for family in FAMILIES.values() if family.fits(data)]
    if name == "auto":
        return fitting[0]
    if name not in FAMILIES:
        raise unknown("network family", name, ["auto", *FAMILIES])
    family = FAMILIES[name]
    if family not in fitting:
        shape = "×".join(str(side) for side in data.shape)
        others = ", ".join(other.name for other in fitting)
        raise UsageError(
            f"the networks {name!r} take samples of shape {family.shapes}, but those of {data.name} are"
            f" {shape}; networks that fit: {others}"
        )
    return family
