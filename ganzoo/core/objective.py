"""Objectives: what each player wants, as sums of named, weighted terms."""

from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from torch import Tensor

from ganzoo.core.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.core.round import Round

__all__ = ["Objective", "Scaled", "Sum", "Term"]


@dataclass(frozen=True)
class Term:
    """One named part of a player's loss.

    Attributes:
        name: shown in the statistics as ``player/name``.
        value: scalar to be minimised, a mean over the batch, float32.
        weight: factor of the value in the loss; where ``Round.scheduled`` gave it, it may be a scalar tensor.
        only: module paths (``critic.recognition``) whose parameters alone receive this term's gradient;
            empty for everything that the player owns.
        reports: further scalars worth showing, by name, that are not minimised.
    """

    name: str
    value: Tensor
    weight: float | Tensor = 1.0
    only: tuple[str, ...] = ()
    reports: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(ABC):  # noqa: B024 - which method to override is up to the subclass, and is checked
    """What the players minimise.

    Override ``critic_terms`` and ``generator_terms``, or ``terms`` where there are other players. An
    objective calls no optimiser and no ``backward``. Objectives add up with ``+`` and scale with ``*``.
    """

    per_sample: bool = False
    """Whether the critic must judge each sample alone, as penalties on its gradient assume; a critic with
    batch statistics is then refused."""
    recovers: frozenset[str] = frozenset()
    """Names of the latent variables that some term reads back from samples; every code must be among them."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = (Objective.terms, Objective.critic_terms, Objective.generator_terms)
        if (cls.terms, cls.critic_terms, cls.generator_terms) == own:
            raise TypeError(f"{cls.__name__} must override critic_terms, generator_terms or terms")

    def terms(self, player: str, round: "Round") -> Iterator[Term]:
        """The terms of one player's loss in this round.

        Args:
            player: the player's name, ``critic`` or ``generator`` in the default game.
            round: what the turn may use.
        """
        if player == "critic":
            yield from self.critic_terms(round)
        elif player == "generator":
            yield from self.generator_terms(round)

    def critic_terms(self, round: "Round") -> Iterator[Term]:
        """The critic's terms; none unless overridden."""
        yield from ()

    def generator_terms(self, round: "Round") -> Iterator[Term]:
        """The generator's terms; none unless overridden."""
        yield from ()

    def __add__(self, other: "Objective") -> "Objective":
        return Sum((*parts(self), *parts(other))) if isinstance(other, Objective) else NotImplemented

    def __mul__(self, factor: float) -> "Objective":
        return Scaled(self, float(factor))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def parts(objective: Objective) -> tuple[Objective, ...]:
    """The summands of a sum, or the objective itself."""
    return objective.parts if isinstance(objective, Sum) else (objective,)


class Sum(Objective):
    """Several objectives, all of whose terms are minimised together."""

    def __init__(self, parts: tuple[Objective, ...]) -> None:
        self.parts = parts
        self.per_sample = any(part.per_sample for part in parts)
        self.recovers = frozenset().union(*(part.recovers for part in parts))

    def terms(self, player: str, round: "Round") -> Iterator[Term]:
        """The terms of every part, in order.

        Raises:
            UsageError: two parts give terms of one name, which could not be told apart in the statistics.
        """
        seen: set[str] = set()
        for part in self.parts:
            for term in part.terms(player, round):
                if term.name in seen:
                    raise UsageError(f"the objective {self!r} has two terms called {term.name!r}; keep one")
                seen.add(term.name)
                yield term

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


class Scaled(Objective):
    """An objective with the weight of each term multiplied by a factor."""

    def __init__(self, objective: Objective, factor: float) -> None:
        self.objective, self.factor = objective, factor
        self.per_sample, self.recovers = objective.per_sample, objective.recovers

    def terms(self, player: str, round: "Round") -> Iterator[Term]:
        """The terms of the scaled objective; values stay, weights are multiplied."""
        for term in self.objective.terms(player, round):
            yield replace(term, weight=self.factor * term.weight)

    def __mul__(self, factor: float) -> Self:
        return type(self)(self.objective, self.factor * factor)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        inner = f"({self.objective!r})" if isinstance(self.objective, Sum) else repr(self.objective)
        return f"{self.factor:g} * {inner}"
