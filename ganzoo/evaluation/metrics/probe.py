"""How linearly the classes lie in what the critic makes of real samples."""

import warnings
from collections.abc import Iterable, Iterator
from statistics import fmean, stdev
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.representation import (
    STANDARD,
    Classes,
    Pair,
    read_by,
    representations,
    supervision,
    true_classes,
)
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["Probe", "balanced"]

FEW = (100, 1_000)
"""Numbers of labels for which a probe is fitted besides all of them."""

_FAST, _FULL = 5, 20  # choices of the few labelled samples

STEPS = 100
"""Iterations of L-BFGS; more change no error by a percent."""


class Probe(Metric):
    """The test error of a linear classifier on the critic's trunk, on the values themselves and on the codes.

    Logistic regression (L2, C = 1) on features that were standardised by the training samples, for which no
    label is needed. With few labels they are balanced over the classes, and the error is the mean over draws,
    whose standard deviation is in the details.

    Source: Radford, Metz & Chintala 2016, arXiv 1511.06434, sections 5.1 and 5.2 (all layers of the critic,
    pooled to 4×4; a linear classifier; 1,000 balanced labels), with a linear SVM and maxima there.
    """

    name: ClassVar[str] = "probe"
    summary: ClassVar[str] = "error of a linear classifier on the critic's features, also with few labels"
    group: ClassVar[Group] = "representation"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``probe_error/critic``, ``/pixels`` (``/values`` of what is no picture) and ``/codes``; also with few labels.

        Raises:
            Unavailable: there are too few labelled samples, or the critic has no features of a sample alone.
        """
        classes = true_classes(subject)
        for name, pair in representations(subject):
            yield from self._errors(subject, name, pair, classes)

    def _errors(self, subject: Subject, name: str, pair: Pair, classes: Classes) -> Iterator[Score]:
        from sklearn.preprocessing import StandardScaler  # takes long to import

        scaler = StandardScaler().fit(pair.train.numpy())
        train, test = (scaler.transform(part.numpy()) for part in (pair.train, pair.test))
        more: dict[str, Any] = {"unit": "share", "better": "lower", "real": len(test), "split": "test"}
        more["note"] = supervision(subject) if name == "critic" else ""
        count, details = self._count(subject), {"features": pair.what}
        protocol = (
            f"logistic regression on {STANDARD}, {len(train):,} training labels, or as many balanced ones as the name "
            f"says (mean of {count} draws); {len(test):,} test samples{read_by(subject, name)}"
        )
        error = _error(train, classes.train, test, classes.test)
        yield subject.score(f"probe_error/{name}", error, protocol, **more, details=details)
        for few in FEW:
            draws = self._draws(subject, few, classes)
            if not draws:
                continue
            errors = [_error(train[rows], classes.train[rows], test, classes.test) for rows in draws]
            yield subject.score(
                f"probe_error/{name}-{few}",
                fmean(errors),
                protocol,
                **more,
                details={"draws": errors, "standard_deviation": stdev(errors), **details},
            )

    def _draws(self, subject: Subject, few: int, classes: Classes) -> list[NDArray[np.int64]]:
        """Rows of each draw; none where the samples do not allow it, or are no more than these few."""
        if few >= len(classes.train):
            return []
        random = subject.generator("probe", few)
        labels, size = torch.from_numpy(classes.train), len(classes.names)
        draws = [balanced(labels, few, size, random) for _ in range(self._count(subject))]
        return [rows.numpy() for rows in draws if rows is not None]

    def _count(self, subject: Subject) -> int:
        return _FULL if subject.setting.name == "full" else _FAST


def balanced(classes: Tensor, n: int, size: int, random: torch.Generator) -> Tensor | None:
    """Random rows, as many of each class as of any other, or one more where ``n`` cannot be divided so.

    Args:
        classes: (N,), from 0 to ``size`` - 1.
        n: how many rows.
        size: number of classes.
        random: decides which; advanced.

    Returns:
        (n,) distinct rows, or None where there are fewer than one a class or some class has too few.
    """
    if n < size:
        return None
    each, odd = divmod(n, size)
    shuffled = torch.randperm(size, generator=random)
    extra = shuffled[classes.bincount(minlength=size)[shuffled] > each][:odd]
    wanted = torch.full((size,), each).index_add_(0, extra, torch.ones(len(extra), dtype=torch.int64))
    order = torch.randperm(len(classes), generator=random)
    rows = [order[classes[order] == index][:count] for index, count in enumerate(wanted.tolist())]
    found = torch.cat(rows)
    return found if len(found) == n else None


def _error(
    train: NDArray[np.float32], classes: NDArray[np.int64], test: NDArray[np.float32], truth: NDArray[np.int64]
) -> float:
    """Test error of a linear classifier that is fitted to the training rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # STEPS is part of the protocol
        probe = LogisticRegression(max_iter=STEPS).fit(train, classes)
    return float(np.mean(probe.predict(test) != truth))
