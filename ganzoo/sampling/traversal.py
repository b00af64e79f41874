"""Paths through a latent space: one component moved and all else kept, or from one sample to another."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.core.variables import Categorical, Normal
from ganzoo.sampling.pictures import grid

__all__ = ["MOST_CLASSES", "NOISE_COMPONENTS", "Order", "Traversal", "between", "row_classes", "traverse"]

Order = Mapping[str, Sequence[int]]
"""By categorical variable its classes in the order in which pictures show them."""

MOST_CLASSES = 50
"""Of a categorical variable with more classes, pictures show the first ones."""
NOISE_COMPONENTS = 4
"""Components of a noise variable that are traversed unless one is named; noise has many and all are alike."""


@dataclass(frozen=True, eq=False)
class Traversal:
    """Samples between which one component of one variable moves.

    Attributes:
        variable: name of the variable.
        component: index of its component; 0 for a categorical variable, which moves as a whole.
        row_labels: what is the same along each row, R texts, or none where it is only the noise.
        column_labels: what is the same along each column, C texts, or none where it is only the noise.
        samples: (R, C, *shape), float32 on the CPU, in the data's range.
        data: what the samples are.
        along: whether the component moves along the ``rows``, each having its noise, or along the
            ``columns``.
    """

    variable: str
    component: int
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    samples: Tensor
    data: DataSpec
    along: Literal["rows", "columns"]

    def picture(self) -> Image.Image:
        """The samples as a labelled grid of R rows and C columns."""
        samples = self.samples.flatten(0, 1)
        return grid(samples, self.data, self.samples.shape[1], self.row_labels, self.column_labels)

    def frames(self) -> list[Image.Image]:
        """A picture for each value of the component, in order, for a film: a grid of all that have it."""
        by_value = self.samples.transpose(0, 1) if self.along == "rows" else self.samples
        return [grid(samples, self.data) for samples in by_value]


class _Table(NamedTuple):
    """The latents of a traversal, row after row."""

    latents: Latents
    size: tuple[int, int]
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    along: Literal["rows", "columns"]


def traverse(
    generate: Callable[[Latents], Tensor],
    latent: LatentSpec,
    data: DataSpec,
    name: str | None = None,
    component: int | None = None,
    *,
    rows: int = 10,
    steps: int = 10,
    seed: int = 0,
    given: Mapping[str, Any] | None = None,
    order: Order = MappingProxyType({}),
) -> list[Traversal]:
    """Traverse variables, one component at a time; the rest of a latent stays as it is.

    A continuous component moves along its rows through equally spaced quantiles of its prior, from 1 % to
    99 %, so never outside what the generator was trained on; a Bernoulli one through 0 and 1. The rows are
    the classes of the first categorical code or condition that is not given, or else rows of different
    noise. A categorical variable moves along the columns, through its classes, one noise a column.

    Args:
        generate: makes (N, *shape) samples of N latents.
        latent: the latent space.
        data: what the samples are.
        name: the variable; None for every code, where there is none every condition, then the noise.
        component: index of its component; None for all (of noise, the first few).
        rows: rows where these are not classes.
        steps: values of a continuous component; columns for a categorical variable.
        seed: of the base latents, which are the first of the seed's series.
        given: other variables to pin, as in ``LatentSpec.sample``; one value a row where there are several.
        order: by categorical variable its classes in the order of the rows; that of their indices unless given.

    Returns:
        One traversal for each variable and component.

    Raises:
        UsageError: there is no such variable, component or value, or a count is below 1.
    """
    given = dict(given or {})
    traversals = []
    for each, index in _moves(latent, name, component):
        if each in given:
            raise UsageError(f"{each!r} cannot be both given and traversed; leave it out of what is given")
        variable = latent[each]
        if isinstance(variable, Categorical):
            table = _through_classes(latent, each, variable, index, steps, seed, given, order)
        else:
            table = _through_quantiles(latent, each, index, rows, steps, seed, given, order)
        samples = generate(table.latents).view(*table.size, *data.shape)
        labels = table.row_labels, table.column_labels
        traversals.append(Traversal(each, index, *labels, samples, data, table.along))
    return traversals


def between(start: Latents, end: Latents, steps: int) -> Latents:
    """Latents on the way from each row of ``start`` to the same row of ``end``.

    Normal variables turn, a·cos + b·sin: of two independent normal ends every step is standard normal
    again, where a straight line would pass through values nearer zero than samples ever are (White 2016,
    arXiv 1609.04468, has the argument). Other continuous variables move straight, which for a uniform one
    is straight in its quantiles. Discrete variables, and whatever is the same at both ends, stay.

    Args:
        start: N latents.
        end: N latents of the same space.
        steps: latents on each way, S, both ends included.

    Returns:
        N·S latents; row ``i * S + j`` is step j from row i of ``start``.

    Raises:
        UsageError: there are fewer than 2 steps.
    """
    if steps < 2:
        raise UsageError(f"an interpolation takes at least 2 steps, its ends, not {steps}")
    share = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    angle = share * math.pi / 2
    flat = start.flat[:, None].repeat(1, steps, 1)
    for name, variable in start.spec.items():
        a, b = start[name].double()[:, None], end[name].double()[:, None]
        if variable.discrete:
            continue
        path = a * angle.cos() + b * angle.sin() if isinstance(variable, Normal) else a.lerp(b, share)
        flat[:, :, start.spec.columns(name)] = torch.where(a == b, a, path).float()
    return Latents(start.spec, flat.flatten(0, 1))


def row_classes(
    latent: LatentSpec, given: Mapping[str, Any], order: Order = MappingProxyType({})
) -> tuple[str, dict[int, str]] | None:
    """The variable whose classes make the rows of a picture, and those classes.

    That is the first categorical code or condition that is not given; None where there is none.

    Args:
        latent: the latent space.
        given: the variables that are pinned.
        order: by categorical variable its classes in the order of the rows; that of their indices unless given.

    Returns:
        Its name, and the label of each class by its index, in the order of the rows.
    """
    for name, variable in latent.items():
        if isinstance(variable, Categorical) and variable.role != "noise" and name not in given:
            return name, _class_labels(name, variable, order)
    return None


def _class_labels(name: str, variable: Categorical, order: Order) -> dict[int, str]:
    """The names, or else the indices, of the classes that pictures show, by index."""
    names = variable.names or tuple(map(str, range(variable.size)))
    return {index: names[index] for index in order.get(name, range(variable.size))[:MOST_CLASSES]}


def _moves(latent: LatentSpec, name: str | None, component: int | None) -> list[tuple[str, int]]:
    """The variables and components that are asked for."""
    if name is None:
        if component is not None:
            raise UsageError(f"component {component} of which variable? name one of: {', '.join(latent)}")
        chosen: Sequence[str] = (latent.codes or latent.conditions or latent.noise).names
    else:
        chosen = (name,)
    moves = []
    for each in chosen:
        variable = latent[each]
        if component is not None:
            moves.append((each, component))
            continue
        count = 1 if isinstance(variable, Categorical) else variable.size
        if variable.role == "noise":
            count = min(count, NOISE_COMPONENTS)
        moves += [(each, index) for index in range(count)]
    return moves


def _through_classes(
    latent: LatentSpec,
    name: str,
    variable: Categorical,
    component: int,
    columns: int,
    seed: int,
    given: Mapping[str, Any],
    order: Order,
) -> _Table:
    moved = latent.traverse(latent.sample(columns, seed, given=given), name, component)
    labels = _class_labels(name, variable, order)
    # The moved latents come noise after noise; the table has class after class.
    cells = moved.flat.view(columns, variable.size, latent.width)[:, list(labels)].transpose(0, 1)
    table = Latents(latent, cells.flatten(0, 1))
    return _Table(table, (len(labels), columns), tuple(labels.values()), (), "columns")


def _through_quantiles(
    latent: LatentSpec,
    name: str,
    component: int,
    rows: int,
    steps: int,
    seed: int,
    given: Mapping[str, Any],
    order: Order,
) -> _Table:
    row_labels: tuple[str, ...] = ()
    found = row_classes(latent, given, order)
    if found is not None:
        classes, labels = found
        rows, row_labels = len(labels), tuple(labels.values())
        given = {**given, classes: list(labels)}
    moved = latent.traverse(latent.sample(rows, seed, given=given), name, component, steps)
    values = moved[name][: len(moved) // rows, component].tolist()
    form = "g" if latent[name].discrete else ".2f"
    column_labels = tuple(format(value, form) for value in values)
    return _Table(moved, (rows, len(values)), row_labels, column_labels, "rows")
