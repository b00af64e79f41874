"""Discrete variables: Bernoulli and categorical."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import ClassVar

import torch
from torch import Tensor
from torch import distributions as td

from ganzoo.core.distributions import OneHot, bernoulli
from ganzoo.core.errors import unknown
from ganzoo.core.variable import Device, Value, Variable, is_finite, is_sequence, is_whole, plain

__all__ = ["Bernoulli", "Categorical"]


@dataclass(frozen=True)
class Bernoulli(Variable):
    """Components that are 1 with probability ``p`` and 0 otherwise.

    Attributes:
        p: probability of 1, between 0 and 1, neither included.
    """

    kind: ClassVar[str] = "bernoulli"
    discrete: ClassVar[bool] = True

    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(is_finite(self.p) and 0 < self.p < 1, "a p between 0 and 1", self.p)
        self._set(p=float(self.p))

    @property
    def entropy(self) -> float:
        """−p·log p − (1 − p)·log(1 − p) a component, in nats."""
        return -self.size * (self.p * math.log(self.p) + (1 - self.p) * math.log1p(-self.p))

    def prior(self, device: Device = "cpu") -> td.Distribution:
        """Independent Bernoullis."""
        logit = math.log(self.p) - math.log1p(-self.p)
        return bernoulli(torch.full((self.size,), logit, dtype=torch.float32, device=device))

    def posterior(self, parameters: Tensor) -> td.Distribution:
        """Independent Bernoullis; the parameters are logits."""
        return bernoulli(parameters.float())

    def quantile(self, uniform: Tensor) -> Tensor:
        """0 for the first 1 − p, then 1."""
        return (uniform > 1 - self.p).float()

    def draw(self, n: int, generator: torch.Generator | None = None, device: Device = "cpu") -> Tensor:
        """Draw zeros and ones."""
        values = torch.empty(n, self.size, dtype=torch.float32, device=device)
        return values.bernoulli_(self.p, generator=generator)

    def traverse(self, component: int = 0, steps: int = 10) -> tuple[slice, Tensor]:
        """Set one component to 0, then to 1."""
        return self._column(component), torch.tensor([[0.0], [1.0]])

    @property
    def _domain(self) -> str:
        return "0 or 1"

    def _supports(self, number: float) -> bool:
        return number in (0, 1)


@dataclass(frozen=True)
class Categorical(Variable):
    """One of ``size`` classes, one-hot.

    Attributes:
        probs: probability of each class, at least 0, summing to 1; None for equal ones.
        names: name of each class, no two alike; None where classes only have indices.
    """

    kind: ClassVar[str] = "categorical"
    discrete: ClassVar[bool] = True

    probs: tuple[float, ...] | None = None
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.probs is not None:
            probs = plain(self.probs)
            possible = self._one_a_class(probs) and all(is_finite(p) and p >= 0 for p in probs)
            possible = possible and abs(math.fsum(probs) - 1) <= 1e-6
            self._require(possible, f"{self.size} probs of at least 0 that sum to 1", probs)
            self._set(probs=tuple(float(p) for p in probs))
        if self.names is not None:
            possible = self._one_a_class(self.names) and all(isinstance(name, str) for name in self.names)
            possible = possible and len(set(self.names)) == self.size
            self._require(possible, f"{self.size} names, no two alike", self.names)
            self._set(names=tuple(self.names))

    @property
    def draws(self) -> int:
        """One uniform number chooses the class."""
        return 1

    @property
    def entropy(self) -> float:
        """−Σ p·log p, in nats."""
        return -math.fsum(p * math.log(p) for p in self._probabilities if p)

    def prior(self, device: Device = "cpu") -> td.Distribution:
        """A one-hot categorical; a class of probability 0 has log-probability −inf."""
        logits = [math.log(p) if p else -math.inf for p in self._probabilities]
        return OneHot(torch.tensor(logits, dtype=torch.float32, device=device))

    def posterior(self, parameters: Tensor) -> td.Distribution:
        """A one-hot categorical; the parameters are logits."""
        return OneHot(parameters.float())

    def quantile(self, uniform: Tensor) -> Tensor:
        """The first class whose cumulative probability exceeds the number."""
        cumulated = _cumulated(self._probabilities, uniform.device, uniform.dtype)
        return self._one_hot(torch.searchsorted(cumulated, uniform, right=True))

    def draw(self, n: int, generator: torch.Generator | None = None, device: Device = "cpu") -> Tensor:
        """Draw one-hot rows."""
        if self.probs is None:
            index = torch.randint(self.size, (n, 1), generator=generator, device=device)
        else:
            probs = _on_device(self.probs, torch.device(device))
            index = torch.multinomial(probs, n, replacement=True, generator=generator)[:, None]
        return self._one_hot(index)

    def encode(self, value: Value) -> Tensor:
        """The one-hot row of a class: (size,), float32.

        Args:
            value: the class's index, its name, its index as text (unless classes are called by numbers), or its
                one-hot row.

        Raises:
            UsageError: there is no such class.
        """
        given = plain(value)
        if is_sequence(given):
            row = super().encode(given)
            self._require(bool(row.sum() == 1), "one-hot rows", given)
            return row
        index = self._index(given) if isinstance(given, str) else given
        possible = is_whole(index) and 0 <= index < self.size
        self._require(possible, f"class indices from 0 to {self.size - 1}", given)
        return self._one_hot(torch.tensor([[index]]))[0]

    def traverse(self, component: int = 0, steps: int = 10) -> tuple[slice, Tensor]:
        """Set the variable to each of its classes."""
        self._require(component == 0, "component 0 alone", component)
        return slice(0, self.size), torch.eye(self.size)

    @property
    def _domain(self) -> str:
        return "0 or 1"

    def _supports(self, number: float) -> bool:
        return number in (0, 1)

    @property
    def _probabilities(self) -> tuple[float, ...]:
        if self.probs is None:
            return (1 / self.size,) * self.size
        total = math.fsum(self.probs)
        return tuple(p / total for p in self.probs)

    def _one_a_class(self, values: object) -> bool:
        return isinstance(values, Sequence) and is_sequence(values) and len(values) == self.size

    def _index(self, name: str) -> int:
        names = self.names or ()
        if name in names:
            return names.index(name)
        # Where classes are called by numbers, another number must not silently be taken for an index.
        numbered = any(each.isdecimal() for each in names)
        self._require(not (numbered and name.isdecimal()), f"one of the names {', '.join(names)}", name)
        if name.isdecimal():
            return int(name)
        raise unknown("class", name, names or map(str, range(self.size)))

    def _one_hot(self, index: Tensor) -> Tensor:
        rows = torch.zeros(len(index), self.size, dtype=torch.float32, device=index.device)
        return rows.scatter_(1, index, 1.0)


@lru_cache(maxsize=64)
def _on_device(probs: tuple[float, ...], device: torch.device) -> Tensor:
    # Copied once: a copy at every draw would make the training loop wait for the device.
    return torch.tensor(probs, dtype=torch.float32, device=device)


@lru_cache(maxsize=64)
def _cumulated(probs: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    cumulated = torch.tensor(list(accumulate(probs)), dtype=torch.float64)
    # Divided by its last, the sum ends in exactly 1, above every number in (0, 1).
    return (cumulated / cumulated[-1]).to(device, dtype)
