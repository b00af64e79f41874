"""Latent spaces: named random variables side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Self

import torch
from torch import Tensor
from torch import distributions as td

from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.latent_text import describe_variables, format_variables, parse_variables
from ganzoo.core.latents import Latents
from ganzoo.core.streams import uniforms
from ganzoo.core.variable import Device, Role, Value, Variable

__all__ = ["LatentSpec", "Latents"]


_MOST = 1000
"""Variables of a latent space; a file that asks for more would keep the machine busy for nothing."""


@dataclass(frozen=True, init=False, repr=False)
class LatentSpec:
    """An immutable, ordered product of named, independent random variables.

    ``LatentSpec(z=Normal(62), category=Categorical(10, role="code"), style=Uniform(2, role="code"))`` is
    also ``LatentSpec.parse("z: normal(62), category: categorical(10) code, style: uniform(2) code")``.

    Shapes: N rows, D columns (``width``). The variables lie side by side in the order given, categorical
    ones as one-hot columns. Information is in nats.

    Args:
        **variables: the variables by name.

    Raises:
        UsageError: a name is not an identifier.
    """

    _items: tuple[tuple[str, Variable], ...]

    def __init__(self, /, **variables: Variable) -> None:
        if len(variables) > _MOST:
            raise UsageError(f"a latent space has at most {_MOST:,} variables, not {len(variables):,}")
        for name, variable in variables.items():
            if not name.isidentifier():
                raise UsageError(f"{name!r} cannot name a variable; use letters, digits and underscores")
            if not isinstance(variable, Variable):
                raise TypeError(f"{name} must be a Variable, not {type(variable).__name__}")
        object.__setattr__(self, "_items", tuple(variables.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The latent space that a text describes; ``str`` gives the text back.

        Raises:
            UsageError: the text is not understood; the message says at which column.
        """
        return cls(**parse_variables(text))

    def __str__(self) -> str:
        return format_variables(self._variables)

    def __repr__(self) -> str:
        """A line per variable: its columns, text, entropy in nats and width of recognition head."""
        return f"LatentSpec of width {self.width}\n{describe_variables(self._variables)}"

    def __getitem__(self, name: str) -> Variable:
        """The variable of that name.

        Raises:
            UsageError: there is none.
        """
        try:
            return self._variables[name]
        except KeyError:
            raise unknown("latent variable", name, self.names) from None

    def __contains__(self, name: object) -> bool:
        return name in self._variables

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._items)

    def keys(self) -> tuple[str, ...]:
        """The names; with ``spec[name]`` this makes ``LatentSpec(**spec, extra=Normal(2))`` work."""
        return self.names

    def items(self) -> tuple[tuple[str, Variable], ...]:
        """The names and variables, in order."""
        return self._items

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(self._variables)

    @cached_property
    def width(self) -> int:
        """Columns of all variables together, D."""
        return sum(variable.width for _, variable in self._items)

    @cached_property
    def noise(self) -> "LatentSpec":
        """The variables that nobody recovers, as a latent space of their own."""
        return self._of("noise")

    @cached_property
    def conditions(self) -> "LatentSpec":
        """The variables that are the data's own labels."""
        return self._of("condition")

    @cached_property
    def codes(self) -> "LatentSpec":
        """The variables that a recognition head must recover."""
        return self._of("code")

    def columns(self, name: str) -> slice:
        """Where the variable lies among the D columns.

        Raises:
            UsageError: there is no such variable.
        """
        if name not in self:
            raise unknown("latent variable", name, self.names)
        return self._columns[name]

    def entropy(self, name: str) -> float:
        """Entropy of the variable's prior in nats; differential if it is continuous."""
        return self[name].entropy

    def head_width(self, name: str) -> int:
        """Parameters of the variable's posterior."""
        return self[name].head_width

    def posterior(self, name: str, parameters: Tensor) -> td.Distribution:
        """The posterior over the variable that a recognition head describes.

        Args:
            name: the variable.
            parameters: (N, head width), unconstrained.

        Returns:
            A float32 distribution of batch shape (N,) and event shape (width,), without validation.
        """
        return self[name].posterior(parameters)

    def sample(
        self, n: int, seed: int, first: int = 0, given: Mapping[str, Value | Sequence[Value]] | None = None
    ) -> Latents:
        """Rows ``first`` to ``first + n`` of the endless table of latents that belongs to a seed.

        A row depends on the seed and its index alone: not on ``n``, on the batches it is asked for in or
        on the device it is moved to. Each variable has its own stream, so pinning one changes no other.

        Args:
            n: number of rows.
            seed: any integer.
            first: index of the first row.
            given: variables to pin, by name: a class index, a class name, a number, one number a
                component, or a sequence of these, one a row. For a variable of several components a
                sequence of plain numbers is one value; one a row is a sequence of sequences.

        Returns:
            n latents, float32, on the CPU.

        Raises:
            UsageError: there is no such variable, it cannot take such a value, or a count is impossible.
        """
        if n < 1 or first < 0:
            raise UsageError(f"cannot sample {n} latents from {first} on; take at least 1, from 0 or later")
        parts = {name: self._pinned(name, value, n) for name, value in (given or {}).items()}
        for name, variable in self._items:
            if name not in parts:
                table = uniforms(seed, name, first, n, variable.draws)
                parts[name] = variable.quantile(torch.from_numpy(table))
        return Latents(self, _beside([parts[name] for name in self.names], n))

    def draw(
        self,
        n: int,
        generator: torch.Generator | None = None,
        device: Device = "cpu",
        given: Mapping[str, Tensor] | None = None,
    ) -> Latents:
        """Draw latents for training, fast: torch's own samplers, on the device.

        Args:
            n: number of rows.
            generator: torch's generator on ``device``, which is advanced; torch's global one if None.
            device: where the latents are made.
            given: values to use as they are, by name, each (n, width of the variable) on ``device``. Nothing
                is drawn for them.

        Returns:
            n latents, float32.

        Raises:
            UsageError: there is no such variable.
        """
        given = given or {}
        for name in given:
            self.columns(name)  # a misspelt name must not go unnoticed
        parts = [
            given[name] if name in given else variable.draw(n, generator, device) for name, variable in self._items
        ]
        return Latents(self, _beside(parts, n, device))

    def split(self, flat: Tensor) -> Latents:
        """The latents whose ``flat`` this is.

        Args:
            flat: (N, D).

        Raises:
            UsageError: the shape is another.
        """
        if flat.ndim != 2 or flat.shape[1] != self.width:
            raise UsageError(f"latents of this space are N×{self.width}, not {tuple(flat.shape)}")
        return Latents(self, flat)

    def log_prob(self, latents: Latents, *names: str) -> Tensor:
        """Log-density of the prior, in nats.

        Args:
            latents: N latents of this space.
            *names: the variables to sum over; all of them if none is named.

        Returns:
            (N,), float32; −inf outside the support.

        Raises:
            UsageError: there is no such variable.
        """
        total = torch.zeros(len(latents), dtype=torch.float32, device=latents.flat.device)
        for name in names or self.names:
            total = total + self[name].prior(latents.flat.device).log_prob(latents[name])
        return total

    def traverse(self, latents: Latents, name: str, component: int = 0, steps: int = 10) -> Latents:
        """Copies of each row in which one component takes one value after the other.

        Args:
            latents: N latents of this space.
            name: the variable.
            component: index of its component; a categorical variable has only component 0.
            steps: values S of a continuous component: the prior's quantiles, equally spaced from 1 % to
                99 %. A discrete component takes each of its values once, whatever ``steps`` says.

        Returns:
            N·S latents; row ``i * S + j`` is row i with the component at its value j and nothing else moved.

        Raises:
            UsageError: there is no such variable or component, or fewer than one step.
        """
        moved, values = self[name].traverse(component, steps)
        start = self.columns(name).start
        flat = latents.flat.repeat_interleave(len(values), dim=0)
        flat[:, start + moved.start : start + moved.stop] = values.to(flat).repeat(len(latents), 1)
        return Latents(self, flat)

    @cached_property
    def _variables(self) -> dict[str, Variable]:
        return dict(self._items)

    @cached_property
    def _columns(self) -> dict[str, slice]:
        ends = accumulate(variable.width for _, variable in self._items)
        return {name: slice(end - variable.width, end) for (name, variable), end in zip(self._items, ends, strict=True)}

    def _of(self, role: Role) -> "LatentSpec":
        return LatentSpec(**{name: variable for name, variable in self._items if variable.role == role})

    def _pinned(self, name: str, value: Value | Sequence[Value], n: int) -> Tensor:
        try:
            return self[name].encode_rows(value, n)
        except UsageError as error:
            raise UsageError(f"cannot set {name!r}: {error}") from error


def _beside(parts: list[Tensor], n: int, device: Device = "cpu") -> Tensor:
    return torch.cat(parts, dim=1) if parts else torch.empty(n, 0, device=device)
