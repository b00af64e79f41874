"""Codes against classes: who stands for whom, and what is wrong under it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["Matching", "accuracy", "contingency", "error", "many_to_one", "one_to_one", "purity"]

Matching = list[int | None]
"""The class that each code stands for, by code; None for a code that stands for none."""


def contingency(codes: Tensor, classes: Tensor, n_codes: int, n_classes: int) -> Tensor:
    """How often each code goes with each class.

    Args:
        codes: (N,), integers from 0 to ``n_codes`` - 1.
        classes: (N,), integers from 0 to ``n_classes`` - 1.
        n_codes: number of codes K.
        n_classes: number of classes C.

    Returns:
        (K, C) counts, int64, that sum to N.
    """
    pairs = codes.long() * n_classes + classes.long()
    return torch.bincount(pairs, minlength=n_codes * n_classes).view(n_codes, n_classes)


def one_to_one(table: Tensor) -> Matching:
    """The best matching in which no class has two codes (Hungarian method; scipy).

    Source: Kuhn 1955, "The Hungarian method for the assignment problem"; as the error of a clustering, Xie et
    al. 2016, arXiv 1511.06335, "Evaluation metric".

    Args:
        table: (K, C) counts.

    Returns:
        A class per code, such that as many samples as possible have the class of their code. Codes that are
        left over stand for none, and so does a code that no sample would support.
    """
    from scipy.optimize import linear_sum_assignment  # takes long to import

    counts = table.numpy()
    rows, columns = linear_sum_assignment(counts, maximize=True)
    matching: Matching = [None] * len(counts)
    for code, index in zip(rows.tolist(), columns.tolist(), strict=True):
        matching[code] = index if counts[code, index] else None
    return matching


def many_to_one(table: Tensor) -> Matching:
    """Each code stands for the class that it goes with most often, whatever the others stand for.

    Args:
        table: (K, C) counts.

    Returns:
        A class per code, the first one of a tie; None for a code that never occurs.
    """
    counts = table.numpy()
    best = np.argmax(counts, axis=1)
    return [int(index) if row.any() else None for index, row in zip(best, counts, strict=True)]


def error(table: Tensor, matching: Sequence[int | None]) -> float:
    """Share of the samples whose code does not stand for their class.

    Args:
        table: (K, C) counts, not all 0.
        matching: a class per code.

    Returns:
        Between 0 and 1; all samples of a code that stands for no class are wrong.
    """
    total = int(table.sum())
    return (total - _right(table, matching)) / total


def purity(table: Tensor) -> float:
    """Share of the samples that have the most frequent class of their code; 1 - error under ``many_to_one``.

    Source: Manning, Raghavan & Schütze 2008, "Introduction to information retrieval", equation 16.1. It can
    only grow with the number of codes, so it says nothing without that number.
    """
    return accuracy(table, many_to_one(table))


def accuracy(table: Tensor, matching: Sequence[int | None]) -> float:
    """Share of the samples whose code stands for their class; 1 - ``error``."""
    return _right(table, matching) / int(table.sum())


def _right(table: Tensor, matching: Sequence[int | None]) -> int:
    return sum(int(table[code, index]) for code, index in enumerate(matching) if index is not None)
