"""Codes as dimensions: a component of a continuous code is one, and so is a categorical code."""

from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical
from ganzoo.evaluation.factor_scores import Array
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Dimension", "code_dimensions", "read_dimensions"]


class Dimension(NamedTuple):
    """One dimension of the codes.

    Attributes:
        name: such as ``category`` or ``style[1]``.
        classes: 0 where it is a number, K where it is one of K classes that have no order.
        columns: where its value lies in a latent.
    """

    name: str
    classes: int
    columns: slice


def code_dimensions(latent: LatentSpec) -> list[Dimension]:
    """The dimensions of every code of a latent space, in order.

    Raises:
        Unavailable: there are fewer than two, so that there is nothing to tell apart.
    """
    found = []
    for name, variable in latent.codes.items():
        columns = latent.columns(name)
        if isinstance(variable, Categorical):
            found.append(Dimension(name, variable.size, columns))
            continue
        for component in range(variable.size):
            place = columns.start + component
            label = name if variable.size == 1 else f"{name}[{component}]"
            found.append(Dimension(label, 0, slice(place, place + 1)))
    if len(found) < 2:
        raise Unavailable(f"needs at least two code dimensions to tell apart, and the latent space has {len(found)}")
    return found


def read_dimensions(subject: Subject, samples: Tensor) -> Array:
    """What the critic reads off samples (N, *shape): the posterior mean of numbers, the likeliest of classes, (N, D).

    Raises:
        Unavailable: the critic sees a condition, or has no head for a code.
    """
    try:
        recognised = subject.judge(samples).recognised
    except ValueError as error:  # it sees a condition
        raise Unavailable(f"the critic reads no codes off a sample alone: {error}") from error
    columns = []
    for name, variable in subject.latent.codes.items():
        if name not in recognised:
            raise Unavailable(f"the critic has no head that recognises {name}")
        if isinstance(variable, Categorical):
            columns.append(recognised[name].argmax(1, keepdim=True).double())
        else:
            columns.append(variable.posterior(recognised[name]).mean.double())
    return torch.cat(columns, dim=1).numpy()
