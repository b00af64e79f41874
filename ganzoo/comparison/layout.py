"""Which samples of a latent space a page holds, so that it can show every combination of its controls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ganzoo.comparison.figures import LARGEST_SIDE
from ganzoo.core.data import DataSpec
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.core.variable import Variable
from ganzoo.core.variables import Categorical
from ganzoo.sampling.traversal import MOST_CLASSES, Order

__all__ = ["DIE", "MOST_DRAWS", "SPRITES", "Axis", "Layout", "lay_out"]

SPRITES = 3_000
PIXELS = 4_000_000
"""Of so many sprites together."""
MOST_DRAWS = 100
DIE = "noise-draw"
"""Key of the axis that moves all the noise; no variable can have a name with a hyphen."""

# Steps of a continuous component and draws of the noise, as they are tried: many steps first, and at least four
# draws, then fewer of both.
_MANY = (MOST_DRAWS, 48, 24, 12, 6, 5, 4)
_LADDER = (
    *product((9, 7, 5), _MANY),
    *product((7, 5), (3, 2)),
    *product((3,), (*_MANY, 3, 2, 1)),
)


@dataclass(frozen=True, eq=False)
class Axis:
    """A control, and the values that it goes through.

    Attributes:
        key: unique; a variable's name, ``style.0`` for a component, or ``DIE``.
        name: what it moves, for people.
        kind: how it is shown.
        labels: a text for each position.
        values: (positions, columns), what the latents' columns become.
        columns: which columns of the latents these are.
        given: what ``--given`` takes for each position; none for the noise.
        start: the position that it starts from.
    """

    key: str
    name: str
    kind: Literal["choice", "slider", "die"]
    labels: tuple[str, ...]
    values: Tensor
    columns: tuple[int, ...]
    given: tuple[str, ...] = ()
    start: int = 0

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Layout:
    """What the pictures are: every combination of the positions of the axes.

    Attributes:
        latent: the latent space.
        axes: in the order in which sprites are numbered, the last moving fastest.
        pinned: what the other variables are, as ``--given`` takes it, by the keys that their axes would have.
        notes: what the reader has to know about what is left out, a sentence each.
    """

    latent: LatentSpec
    axes: tuple[Axis, ...]
    pinned: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return prod(len(axis) for axis in self.axes)

    def index(self, positions: Mapping[str, int]) -> int:
        """The number of the sprite at these positions, by key; other axes stand where they start."""
        index = 0
        for axis in self.axes:
            index = index * len(axis) + positions.get(axis.key, axis.start)
        return index

    def latents(self) -> Latents:
        """The latents of all sprites, in order."""
        count = len(self)
        flat = _middle(self.latent).repeat(count, 1)
        positions = torch.arange(count)
        for axis in reversed(self.axes):
            flat[:, list(axis.columns)] = axis.values[positions % len(axis)]
            positions = positions // len(axis)
        return Latents(self.latent, flat)

    def command(self) -> list[dict[str, Any]]:
        """The parts of ``--given`` by variable: for each component its axis's index, or its fixed text."""
        indices = {axis.key: index for index, axis in enumerate(self.axes)}
        return [
            {
                "name": name,
                "parts": [indices[key] if key in indices else self.pinned[key] for key in _keys(name, variable)],
            }
            for name, variable in _steered(self.latent)
        ]


def lay_out(
    latent: LatentSpec,
    data: DataSpec,
    sprites: int = SPRITES,
    draws: int = MOST_DRAWS,
    seed: int = 0,
    order: Order = MappingProxyType({}),
) -> Layout:
    """Choose what can be moved, and how finely.

    All codes and conditions move, and the noise by whole draws. Where the product of all positions is too
    large there are fewer draws of the noise, then fewer steps; if that is not enough the last variables stay
    at their medians.

    Args:
        latent: the latent space.
        data: what the samples are.
        sprites: how many pictures there may be; fewer if they are large.
        draws: of the noise, at most; at least 1.
        seed: of the noise's draws, which are the seed's first rows.
        order: by categorical variable its classes in the order of their buttons; that of their indices unless given.
    """
    side = max(data.shape[-2:]) if data.is_image else LARGEST_SIDE
    pixels = prod(data.shape[-2:]) * min(1.0, LARGEST_SIDE / side) ** 2 if data.is_image else LARGEST_SIDE**2
    budget = max(1, min(sprites, int(PIXELS / pixels * sprites / SPRITES)))
    keys = [key for name, variable in _steered(latent) for key in _keys(name, variable)]
    # Discrete ones are the last to go: between their values the pictures differ most.
    by_worth = sorted(keys, key=lambda key: not latent[key.partition(".")[0]].discrete)
    moved, steps, number = next(
        (set(by_worth[:count]), steps, number)
        for count in range(len(by_worth), -1, -1)
        for steps, number in _LADDER
        if number <= draws and number * prod(_positions(latent, key, steps) for key in by_worth[:count]) <= budget
    )
    axes = [_axis(latent, key, steps, order) for key in keys if key in moved]
    return _laid_out(latent, axes + _die(latent, number, seed), keys)


def _steered(latent: LatentSpec) -> Iterator[tuple[str, Variable]]:
    """The variables that a reader moves one by one."""
    return ((name, variable) for name, variable in latent.items() if variable.role != "noise")


def _keys(name: str, variable: Variable) -> list[str]:
    """A key for everything that moves by itself."""
    return [name] if isinstance(variable, Categorical) else [f"{name}.{index}" for index in range(variable.size)]


def _positions(latent: LatentSpec, key: str, steps: int) -> int:
    """How many positions the axis of this key has."""
    variable = latent[key.partition(".")[0]]
    if isinstance(variable, Categorical):
        return min(variable.size, MOST_CLASSES)
    return 2 if variable.discrete else steps


def _axis(latent: LatentSpec, key: str, steps: int, order: Order) -> Axis:
    name, _, index = key.partition(".")
    variable = latent[name]
    component = int(index or 0)
    moved, values = variable.traverse(component, steps)
    start = latent.columns(name).start
    columns = tuple(range(start + moved.start, start + moved.stop))
    if isinstance(variable, Categorical):
        names = variable.names or tuple(map(str, range(variable.size)))
        classes = list(order.get(name, range(variable.size)))[:MOST_CLASSES]
        shown = tuple(names[index] for index in classes)
        return Axis(key, name, "choice", shown, values[classes], columns, shown)
    title = f"{name} {component}" if variable.size > 1 else name
    given = tuple(_number(value) for value in values[:, 0])
    if variable.discrete:
        return Axis(key, title, "choice", given, values, columns, given)
    labels = tuple(f"{value:.2f}" for value in values[:, 0].tolist())
    return Axis(key, title, "slider", labels, values, columns, given, len(labels) // 2)


def _die(latent: LatentSpec, draws: int, seed: int) -> list[Axis]:
    """The axis of the noise, if there is any: the rows that ``ganzoo sample --first`` counts."""
    columns = [
        column for name in latent.noise for column in range(latent.columns(name).start, latent.columns(name).stop)
    ]
    if not columns:
        return []
    values = latent.sample(draws, seed).flat[:, columns]
    labels = tuple(f"draw {draw + 1} of {draws}" for draw in range(draws))
    return [Axis(DIE, "noise", "die", labels, values, tuple(columns))]


def _middle(latent: LatentSpec) -> Tensor:
    """The latent of every variable's median, (1, D)."""
    parts = [
        variable.quantile(torch.full((1, variable.draws), 0.5, dtype=torch.float64)) for _, variable in latent.items()
    ]
    return torch.cat(parts, dim=1) if parts else torch.empty(1, 0)


def _laid_out(latent: LatentSpec, axes: list[Axis], keys: list[str]) -> Layout:
    moved = {axis.key for axis in axes}
    middle = Latents(latent, _middle(latent))
    pinned = {}
    for key in keys:
        if key not in moved:
            name, _, index = key.partition(".")
            value, names = middle[name][0], getattr(latent[name], "names", None)
            class_index = int(value.argmax())
            pinned[key] = _number(value[int(index)]) if index else names[class_index] if names else str(class_index)
    notes = [
        f"Of the {latent[axis.key].size} classes of {axis.name} the first {len(axis)} are here."
        for axis in axes
        if axis.key in latent and len(axis) < latent[axis.key].size
    ]
    if pinned:
        listed = ", ".join(f"{key} at {value}" for key, value in pinned.items())
        notes.append(f"All combinations would be too many for one page, so some stay as they are: {listed}.")
    return Layout(latent, tuple(axes), pinned, tuple(notes))


def _number(value: Tensor) -> str:
    """The shortest text that means exactly this float32."""
    return np.format_float_positional(np.float32(value.item()), trim="-")
