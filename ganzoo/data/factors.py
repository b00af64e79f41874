"""Data sets that are a whole grid of factor values: which samples are held out, and how both parts are read."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, FactorDataset, LabelSpec, Split
from ganzoo.core.errors import UsageError
from ganzoo.core.streams import uniforms
from ganzoo.data.splits import SingleSource, combined_checksum

__all__ = ["FactorGrid", "GridSplit"]

_SHARE = 10
"""One sample of this many is held out to test."""


class GridSplit(Split):
    """Some combinations of factor values, each made into a sample when it is asked for.

    Args:
        combinations: (M,) int64, where each stands in the grid.
        render: makes samples (N, *shape), as stored, of places (N,) in the grid.
        labels: per factor (M,) int64, the index of its value.
        checksum: SHA-256 (hex) that identifies the content.
    """

    computed = True

    def __init__(
        self,
        combinations: Tensor,
        render: Callable[[Tensor], Tensor],
        labels: Mapping[str, Tensor],
        checksum: str,
    ) -> None:
        self._combinations = combinations
        self._render = render
        self.labels = labels
        self.checksum = checksum

    def __len__(self) -> int:
        """Number of combinations M."""
        return len(self._combinations)

    def __getitem__(self, index: int) -> Tensor:
        """Sample ``index`` as stored, (*shape)."""
        return self._render(self._combinations[index].reshape(1))[0]

    def rows(self, indices: Tensor) -> Tensor:
        """Samples (N, *shape) as stored, of indices (N,), all made at once."""
        return self._render(self._combinations[indices])


class FactorGrid(SingleSource, FactorDataset):
    """A set of 64×64 grey pictures, one of each combination of the factors' values.

    The combinations are in row-major order: the last factor changes fastest. A tenth of them is the test part.
    Which ones does not depend on the machine, and those that may look alike stay together: a combination is
    held out or not together with all whose ``turning`` factor differs by ten steps.

    Subclasses say what the factors are, make the pictures and identify their content.
    """

    classes: ClassVar[Mapping[str, tuple[str, ...]]]
    """The factors in order, each with the names of its values."""
    turning: ClassVar[str]
    """The factor that turns a shape, which may look as it did before it has come all the way round."""
    turn: ClassVar[int]
    """Steps of that factor which make a whole turn."""

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self._spec = DataSpec(
            name=self.name,
            shape=(1, 64, 64),
            size=int((~self._held_out).sum()),
            labels={
                name: LabelSpec(classes=names, frequencies=(1 / len(names),) * len(names))
                for name, names in self.classes.items()
            },
        )

    @property
    def spec(self) -> DataSpec:
        """Shape (1, 64, 64), range (-1, 1), a label for each factor; nothing is read."""
        return self._spec

    @property
    def factors(self) -> Mapping[str, int]:
        """The factors by name, and how many values each takes."""
        return {name: len(names) for name, names in self.classes.items()}

    def observe(self, indices: Tensor) -> Tensor:
        """The pictures (N, 1, 64, 64) uint8 of combinations (N, number of factors).

        Raises:
            UsageError: there is no such value.
            RunError: the files are missing or damaged.
        """
        sizes = torch.tensor(tuple(self.factors.values()))
        if indices.ndim != 2 or indices.shape[1] != len(sizes) or ((indices < 0) | (indices >= sizes)).any():
            wanted = ", ".join(f"{name} 0 to {size - 1}" for name, size in self.factors.items())
            raise UsageError(f"no sample of {self.name} has such factors; each row is one index a factor: {wanted}")
        return self.render((indices * self._strides).sum(1))

    def load(self, part: Literal["train", "test"]) -> Split:
        """One part; its pictures are made when they are asked for.

        Raises:
            RunError: the files are missing or damaged.
        """
        combinations = (self._held_out == (part == "test")).nonzero().squeeze(1)
        labels = {
            name: combinations // stride % size
            for (name, size), stride in zip(self.factors.items(), self._strides, strict=True)
        }
        return GridSplit(combinations, self.render, labels, combined_checksum(self.content(), part))

    @abstractmethod
    def render(self, combinations: Tensor) -> Tensor:
        """Pictures (N, 1, 64, 64) uint8 of places (N,) int64 in the grid.

        Raises:
            RunError: the files are missing or damaged.
        """

    @abstractmethod
    def content(self) -> str:
        """SHA-256 (hex) that identifies the pictures.

        Raises:
            RunError: the files are missing or damaged.
        """

    @cached_property
    def _strides(self) -> Tensor:
        """How far apart in the grid two neighbouring values of each factor are, (number of factors,)."""
        sizes = tuple(self.factors.values())
        return torch.tensor([prod(sizes[place + 1 :]) for place in range(len(sizes))])

    @cached_property
    def _held_out(self) -> Tensor:
        """Whether each combination is in the test part, (M,)."""
        sizes = list(self.factors.values())
        turning = list(self.factors).index(self.turning)
        others = [1 if place == turning else size for place, size in enumerate(sizes)]
        # Dealt out in a random order, so that each residue is held out as often as any other.
        order = np.argsort(uniforms(0, f"test part of {self.name}", 0, prod(others), 1)[:, 0], kind="stable")
        residue = np.empty(prod(others), np.int64)
        residue[order] = np.arange(prod(others)) % _SHARE
        steps = np.arange(sizes[turning]) % self.turn
        steps = steps.reshape([-1 if place == turning else 1 for place in range(len(sizes))])
        return torch.from_numpy((steps % _SHARE == residue.reshape(others)).reshape(-1))
