"""Continuous variables: normal and uniform."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch import distributions as td

from ganzoo.core.distributions import ClosedUniform, gaussian
from ganzoo.core.variable import Device, Variable, is_finite, is_whole

__all__ = ["SIGMA_MAX", "SIGMA_MIN", "Normal", "Uniform"]

SIGMA_MIN = 0.01
"""Smallest learned standard deviation of a posterior; without one its likelihood has no upper bound."""

SIGMA_MAX = 100.0
"""Largest learned one. The two are symmetric about 1: a head that says 0 means the paper's sigma of 1."""

_TRAVERSED = (0.01, 0.99)
_LARGEST = torch.finfo(torch.float32).max


@dataclass(frozen=True)
class _Continuous(Variable):
    """A continuous variable, recognised by a Gaussian posterior (Chen et al. 2016, arXiv:1606.03657).

    Attributes:
        sigma: standard deviation of the posterior: a number, which stays fixed, or ``"learned"`` between
            ``SIGMA_MIN`` and ``SIGMA_MAX``.
    """

    discrete: ClassVar[bool] = False

    sigma: float | Literal["learned"] = field(default="learned", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma != "learned":
            possible = is_finite(self.sigma) and self.sigma > 0
            self._require(possible, 'a sigma above 0 or "learned"', self.sigma)
            self._set(sigma=float(self.sigma))

    @property
    def information_bound(self) -> float:
        """h(c) − log(sigma·√(2π)) a component, in nats: the density of the narrowest Gaussian at its mean."""
        sigma = SIGMA_MIN if self.sigma == "learned" else self.sigma
        return self.entropy - self.size * math.log(sigma * math.sqrt(2 * math.pi))

    @property
    def head_width(self) -> int:
        """The means, and where sigma is learned as many unconstrained log sigmas after them."""
        return 2 * self.size if self.sigma == "learned" else self.size

    def posterior(self, parameters: Tensor) -> td.Distribution:
        """Independent Gaussians; a sigmoid keeps each learned log sigma within its bounds."""
        if self.sigma == "learned":
            mean, raw = parameters.float().reshape(*parameters.shape[:-1], 2, self.size).unbind(-2)
            low, high = math.log(SIGMA_MIN), math.log(SIGMA_MAX)
            return gaussian(mean, (low + (high - low) * raw.sigmoid()).exp())
        mean = parameters.float()
        # torch would copy a Python number to the device at every call; a filled tensor is made there.
        return gaussian(mean, torch.full_like(mean, self.sigma))

    def traverse(self, component: int = 0, steps: int = 10) -> tuple[slice, Tensor]:
        """Move one component along equally spaced quantiles of the prior."""
        columns = self._column(component)
        self._require(is_whole(steps) and steps >= 1, "at least 1 step", steps)
        levels = torch.linspace(*_TRAVERSED, steps, dtype=torch.float64)
        return columns, self.quantile(levels[:, None])


@dataclass(frozen=True)
class Normal(_Continuous):
    """Standard normal components."""

    kind: ClassVar[str] = "normal"

    @property
    def entropy(self) -> float:
        """½·log(2πe) a component, in nats."""
        return self.size * 0.5 * math.log(2 * math.pi * math.e)

    def prior(self, device: Device = "cpu") -> td.Distribution:
        """Independent standard normals."""
        mean = torch.zeros(self.size, dtype=torch.float32, device=device)
        return gaussian(mean, torch.ones_like(mean))

    def quantile(self, uniform: Tensor) -> Tensor:
        """The probit function."""
        values: Tensor = torch.special.ndtri(uniform)
        return values.float()

    def draw(self, n: int, generator: torch.Generator | None = None, device: Device = "cpu") -> Tensor:
        """Draw standard normals."""
        return torch.randn(n, self.size, generator=generator, dtype=torch.float32, device=device)

    @property
    def _domain(self) -> str:
        return "finite numbers"

    def _supports(self, number: float) -> bool:
        return abs(number) <= _LARGEST


@dataclass(frozen=True)
class Uniform(_Continuous):
    """Components uniform on [low, high].

    Attributes:
        low: smallest value.
        high: largest value.
    """

    kind: ClassVar[str] = "uniform"

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for bound in (self.low, self.high):
            self._require(is_finite(bound) and abs(bound) <= _LARGEST, "finite bounds", bound)
        self._set(low=float(self.low), high=float(self.high))
        low, high = torch.tensor([self.low, self.high], dtype=torch.float32, device="cpu").tolist()
        self._require(low < high, "a high above its low", self.high)

    @property
    def entropy(self) -> float:
        """log(high − low) a component, in nats."""
        return self.size * math.log(self.high - self.low)

    def prior(self, device: Device = "cpu") -> td.Distribution:
        """Independent uniforms, both ends included."""
        low = torch.full((self.size,), self.low, dtype=torch.float32, device=device)
        uniform = ClosedUniform(low, torch.full_like(low, self.high), validate_args=False)
        return td.Independent(uniform, 1, validate_args=False)

    def quantile(self, uniform: Tensor) -> Tensor:
        """The straight line from low to high."""
        return (self.low + (self.high - self.low) * uniform).float().clamp_(self.low, self.high)

    def draw(self, n: int, generator: torch.Generator | None = None, device: Device = "cpu") -> Tensor:
        """Draw uniforms."""
        values = torch.empty(n, self.size, dtype=torch.float32, device=device)
        # Rounding in float32 may step over the upper end.
        return values.uniform_(self.low, self.high, generator=generator).clamp_(self.low, self.high)

    @property
    def _domain(self) -> str:
        return f"numbers from {self.low:g} to {self.high:g}"

    def _supports(self, number: float) -> bool:
        return self.low <= number <= self.high
