"""What every random variable of a latent space knows of itself."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from reprlib import repr as brief
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor
from torch import distributions as td

from ganzoo.core.errors import UsageError, unknown

__all__ = ["Device", "Role", "Value", "Variable", "is_finite", "is_sequence", "is_whole", "plain"]

Device = torch.device | str
Role = Literal["noise", "condition", "code"]
Value = float | str | Sequence[float] | Tensor
"""What pins a variable: a class index or name, a number, or one number a component."""


_LARGEST = 1 << 16
"""Components or classes of a variable; a file that asks for more would have memory taken before it is found wrong."""


@dataclass(frozen=True)
class Variable(ABC):
    """A random variable: its prior, and the family of posteriors by which a critic may recognise it.

    Attributes:
        size: number of independent components; of classes, for a categorical variable.
        role: ``noise`` (nobody recovers it), ``condition`` (the data's own label) or ``code`` (unlabelled;
            a recognition head must recover it).
        weight: factor of the variable in information and recognition terms, at least 0.

    Raises:
        UsageError: an argument is impossible.
    """

    kind: ClassVar[str]
    discrete: ClassVar[bool]

    size: int
    role: Role = "noise"
    weight: float = 1.0

    def __post_init__(self) -> None:
        self._require(is_whole(self.size) and self.size >= 1, "a size of at least 1", self.size)
        self._require(self.size <= _LARGEST, f"a size of at most {_LARGEST:,}", self.size)
        if self.role not in get_args(Role):
            raise unknown("role", str(self.role), get_args(Role))
        self._require(is_finite(self.weight) and self.weight >= 0, "a weight of at least 0", self.weight)
        self._set(size=int(self.size), weight=float(self.weight))

    @property
    def width(self) -> int:
        """Columns that a value takes."""
        return self.size

    @property
    def draws(self) -> int:
        """Uniform numbers that ``quantile`` turns into one value."""
        return self.size

    @property
    @abstractmethod
    def entropy(self) -> float:
        """Entropy of the prior in nats, all components together; differential if continuous."""

    @property
    def information_bound(self) -> float:
        """The most, in nats, that ``entropy`` + E[log posterior] can reach; H(c) if discrete."""
        return self.entropy

    @property
    def head_width(self) -> int:
        """Parameters of the posterior, which is what a recognition head must return."""
        return self.size

    @abstractmethod
    def prior(self, device: Device = "cpu") -> td.Distribution:
        """The prior, event shape (width,), its parameters on ``device``."""

    @abstractmethod
    def posterior(self, parameters: Tensor) -> td.Distribution:
        """The posterior that a recognition head describes, in float32 and without validation.

        Args:
            parameters: (N, head_width), unconstrained, of any floating-point type.

        Returns:
            Batch shape (N,), event shape (width,).
        """

    @abstractmethod
    def quantile(self, uniform: Tensor) -> Tensor:
        """Turn uniform numbers into values of the prior by its inverse distribution function.

        Args:
            uniform: (N, draws), floating point, in (0, 1); of a sampler float64, on the CPU.

        Returns:
            (N, width), float32, inside the support.
        """

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator | None = None, device: Device = "cpu") -> Tensor:
        """Draw ``n`` values on ``device`` by torch's own sampler: (n, width), float32."""

    def encode(self, value: Value) -> Tensor:
        """The columns of one value: (width,), float32.

        Args:
            value: a number, which every component takes, or a sequence of one number a component.

        Raises:
            UsageError: the variable cannot take this value.
        """
        given = plain(value)
        numbers = list(given) if is_sequence(given) else [given] * self.size
        self._require(len(numbers) == self.size, f"a number or a sequence of {self.size}", given)
        for number in numbers:
            self._require(is_finite(number) and self._supports(float(number)), self._domain, number)
        return torch.tensor([float(number) for number in numbers], dtype=torch.float32)

    def encode_rows(self, value: Value | Sequence[Value], n: int) -> Tensor:
        """The columns of n values, given once for all rows or one a row: (n, width), float32.

        Args:
            value: what ``encode`` takes, or a sequence of that, one a row. Where a number or a class is the
                whole value, every sequence is one a row; elsewhere a flat sequence is one value.
            n: number of rows.

        Raises:
            UsageError: the variable cannot take a value, or there are more or fewer than rows.
        """
        given = plain(value)
        is_flat = is_sequence(given) and not (given and is_sequence(given[0]))
        if not is_sequence(given) or (is_flat and self.draws > 1):
            return self.encode(given).expand(n, -1)
        self._require(len(given) in (1, n), f"one value for all rows or {n}, one a row", given)
        return torch.stack([self.encode(item) for item in given]).expand(n, -1)

    @abstractmethod
    def traverse(self, component: int = 0, steps: int = 10) -> tuple[slice, Tensor]:
        """What moves, and through which values, when one component is traversed.

        Args:
            component: index of the component; a categorical variable has only component 0.
            steps: values of a continuous component: equally spaced quantiles of the prior from 1 % to 99 %.
                A discrete component takes each of its values once, whatever ``steps`` says.

        Returns:
            The columns of the variable that move, and their values, (values, columns).

        Raises:
            UsageError: there is no such component, or fewer than one step.
        """

    def text(self) -> str:
        """The variable as text, such as ``uniform(2, sigma=1.0) code weight=0.1``; defaults are left out."""
        arguments = [str(self.size)]
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in ("size", "role", "weight") and value != item.default:
                arguments.append(f"{item.name}={json.dumps(value, ensure_ascii=False)}")
        words = [f"{self.kind}({', '.join(arguments)})"]
        if self.role != "noise":
            words.append(self.role)
        if self.weight != 1:
            words.append(f"weight={json.dumps(self.weight)}")
        return " ".join(words)

    @property
    @abstractmethod
    def _domain(self) -> str:
        """What a component can be, as words that follow "takes"."""

    @abstractmethod
    def _supports(self, number: float) -> bool:
        """Whether a component can be this finite number."""

    def _column(self, component: int) -> slice:
        possible = is_whole(component) and 0 <= component < self.size
        self._require(possible, f"a component from 0 to {self.size - 1}", component)
        return slice(component, component + 1)

    def _require(self, condition: bool, wanted: str, got: object) -> None:
        if not condition:
            raise UsageError(f"{self.kind} takes {wanted}, not {brief(got)}")

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


def is_whole(value: object) -> bool:
    """Whether the value is an integer; ``True`` and ``2.0`` are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether the value is a real number that a float can hold."""
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:
        return False


def is_sequence(value: object) -> bool:
    """Whether the value is a list, tuple or the like, but not text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def plain(value: Any) -> Any:
    """The value as Python numbers: tensors and arrays become lists, inside lists too."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [plain(item) for item in value] if is_sequence(value) else value
