"""Labels that data sets share: the option to keep only a few, and what it does to their frequencies."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from ganzoo.core.data import Dataset, LabelSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.streams import generator

__all__ = ["LABEL", "LabelledOptions", "keep_labels", "kept_counts", "label_spec"]

LABEL = "label"
"""The name of the label of every built-in data set."""


class LabelledOptions(Dataset.Options):
    """Options of a data set whose samples have labels."""

    labels: int | None = Field(
        None, ge=1, description="keep only this many training labels, as many of each class (semi-supervised)"
    )


def kept_counts(counts: Sequence[int], keep: int | None) -> tuple[int, ...]:
    """How many labels of each class stay when ``keep`` of them do.

    Every class keeps as many as any other unless it has fewer; what is left over goes to the first classes.

    Args:
        counts: samples of each class.
        keep: labels to keep in all, or None for every label.

    Returns:
        Labels kept of each class; they sum to ``keep``.

    Raises:
        UsageError: ``keep`` is below the number of classes that occur, or above the number of samples.
    """
    if keep is None:
        return tuple(counts)
    occurring = sum(count > 0 for count in counts)
    if not occurring <= keep <= sum(counts):
        raise UsageError(
            f"labels={keep} is impossible: {occurring} classes with {sum(counts)} labelled samples "
            f"allow {occurring} to {sum(counts)}"
        )
    kept = [0] * len(counts)
    while keep:
        unfilled = [k for k, count in enumerate(counts) if kept[k] < count]
        share = max(1, keep // len(unfilled))
        for k in unfilled:
            more = min(share, counts[k] - kept[k], keep)
            kept[k] += more
            keep -= more
    return tuple(kept)


def keep_labels(labels: Tensor, counts: Sequence[int], keep: int | None, key: str) -> Tensor:
    """Labels with all but ``keep`` of them made unknown.

    Which ones stay is random but fixed by ``key``; a larger ``keep`` keeps all that a smaller one does.

    Args:
        labels: (M,) class indices, -1 where unknown.
        counts: samples of each class in ``labels``.
        keep: labels to keep in all, or None for every label.
        key: what the choice depends on, the data set's name.

    Returns:
        (M,) int64, -1 where unknown.

    Raises:
        UsageError: as ``kept_counts``.
    """
    labels = labels.long()
    if keep is None:
        return labels
    order = torch.randperm(len(labels), generator=generator("labels", key))
    result = torch.full_like(labels, -1)
    for k, count in enumerate(kept_counts(counts, keep)):
        result[order[labels[order] == k][:count]] = k
    return result


def label_spec(classes: Sequence[str], counts: Sequence[int], keep: int | None) -> dict[str, LabelSpec]:
    """The ``labels`` of a DataSpec with one label.

    Args:
        classes: class names in index order.
        counts: training samples of each class.
        keep: the option ``labels``.

    Returns:
        ``{"label": …}`` with each class's share of the labels that are kept.

    Raises:
        UsageError: as ``kept_counts``.
    """
    kept = kept_counts(counts, keep)
    shares = tuple(count / sum(kept) for count in kept)
    return {LABEL: LabelSpec(classes=tuple(classes), frequencies=shares)}
