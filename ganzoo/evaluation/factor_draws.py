"""Batches of codes in which one factor keeps its value, for scores that look at what else moves."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from ganzoo.evaluation.factor_scores import Array, Indices

__all__ = ["Draws", "FreshDraws", "PooledDraws"]


class Draws(ABC):
    """Where batches of codes come from; D codes, k factors."""

    @abstractmethod
    def fixed(self, factors: Indices, size: int) -> Array:
        """For each of V factors a batch in which it keeps one value: (V, size, D)."""

    @abstractmethod
    def pairs(self, factors: Indices, size: int) -> tuple[Array, Array]:
        """For each of V factors a batch of pairs that share its value: twice (V, size, D)."""


class FreshDraws(Draws):
    """Combinations drawn for the purpose, each encoded: as published.

    Args:
        encode: combinations (N, k) to codes (N, D).
        sizes: how many values each factor takes.
        random: draws them.
    """

    def __init__(self, encode: Callable[[Indices], Array], sizes: Sequence[int], random: np.random.Generator) -> None:
        self._encode, self._sizes, self._random = encode, np.array(sizes), random

    def fixed(self, factors: Indices, size: int) -> Array:
        """As in ``Draws``."""
        drawn = self._drawn(len(factors), size)
        at = factors[:, None, None]
        np.put_along_axis(drawn, at, np.take_along_axis(drawn[:, :1], at, 2), 2)
        return self._codes(drawn)

    def pairs(self, factors: Indices, size: int) -> tuple[Array, Array]:
        """As in ``Draws``."""
        first, second = self._drawn(len(factors), size), self._drawn(len(factors), size)
        at = factors[:, None, None]
        np.put_along_axis(second, at, np.take_along_axis(first, at, 2), 2)
        return self._codes(first), self._codes(second)

    def _drawn(self, batches: int, size: int) -> Indices:
        return self._random.integers(0, self._sizes, (batches, size, len(self._sizes)))

    def _codes(self, drawn: Indices) -> Array:
        return self._encode(drawn.reshape(-1, drawn.shape[2])).reshape(*drawn.shape[:2], -1)


class PooledDraws(Draws):
    """Samples chosen, with replacement, among those that have been encoded already: much faster.

    Args:
        codes: (N, D).
        factors: (N, k), theirs.
        random: chooses.
    """

    def __init__(self, codes: Array, factors: Indices, random: np.random.Generator) -> None:
        self._codes, self._factors, self._random = codes, factors, random
        self._order = factors.argsort(axis=0, kind="stable")

    def fixed(self, factors: Indices, size: int) -> Array:
        """As in ``Draws``."""
        # The value of some sample, so that there is at least one that has it.
        first = self._random.integers(0, len(self._codes), (len(factors), 1))
        return self._codes[self._sharing(np.repeat(first, size, axis=1), factors)]

    def pairs(self, factors: Indices, size: int) -> tuple[Array, Array]:
        """As in ``Draws``."""
        first = self._random.integers(0, len(self._codes), (len(factors), size))
        return self._codes[first], self._codes[self._sharing(first, factors)]

    def _sharing(self, rows: Indices, factors: Indices) -> Indices:
        """For each of (V, size) samples one that has the same value of the factor (V,)."""
        found = np.empty_like(rows)
        for factor in np.unique(factors):
            order = self._order[:, factor]
            values = self._factors[rows[factors == factor], factor]
            ordered = self._factors[order, factor]
            low, high = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
            found[factors == factor] = order[self._random.integers(low, high)]
        return found
