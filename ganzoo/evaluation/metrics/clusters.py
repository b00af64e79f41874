"""Whether clusters of the critic's features are the data's classes."""

import warnings
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzoo.evaluation.matching import contingency, error, one_to_one
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.metrics.codes import categorical_codes, counted, read_code
from ganzoo.evaluation.representation import (
    COMPACT,
    Classes,
    Pair,
    compact,
    fit_seed,
    read_by,
    supervision,
    true_classes,
)
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Clusters"]

_FAST, _FULL = 10, 30  # starts of k-means++, of which the best is kept


class Clusters(Metric):
    """The error of k-means on the critic's trunk and on the values themselves, beside that of a code.

    As many clusters as classes are found among training samples without their labels, by k-means++; test
    samples go to the nearest. Clusters and classes are matched one to one on the test samples.

    Source: Premachandran & Yuille 2016, "Unsupervised learning using generative adversarial training and
    clustering" (k-means++ on the critic's features); Arthur & Vassilvitskii 2007, "k-means++".
    """

    name: ClassVar[str] = "clusters"
    summary: ClassVar[str] = "error of k-means on the critic's features, without labels"
    group: ClassVar[Group] = "representation"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``clusters_error/critic``, ``/pixels`` (``/values`` of what is no picture), and ``/codes``.

        Raises:
            Unavailable: there are too few labelled samples, or the critic has no features of a sample alone.
        """
        classes = true_classes(subject)
        starts = _FULL if subject.setting.name == "full" else _FAST
        for name, pair in compact(subject):
            found = _clusters(pair, len(classes.names), starts, subject)
            how = f"k-means++, {starts} starts, on {COMPACT} of {len(pair.train):,} training samples"
            note = supervision(subject) if name == "critic" else ""
            yield _score(subject, name, found, len(classes.names), classes, how, note, features=pair.what)
        try:
            codes = categorical_codes(subject)
        except Unavailable:
            return
        # Chosen without a look at the labels: the code that could be the class, the first of several.
        code = min(codes, key=lambda name: abs(codes[name].size - len(classes.names)))
        found = read_code(subject, subject.labelled("test", subject.setting.real)[0], code)
        size, how = codes[code].size, f"argmax of Q({code}|x), {codes[code].size} codes"
        yield _score(subject, "codes", found, size, classes, how, counted(size, len(classes.names)))


def _clusters(pair: Pair, count: int, starts: int, subject: Subject) -> Tensor:
    """The cluster of each test sample, (M,)."""
    from sklearn.cluster import KMeans  # takes long to import
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        found = KMeans(count, n_init=starts, random_state=fit_seed(subject, "clusters")).fit(pair.train.numpy())
    return torch.from_numpy(found.predict(pair.test.numpy())).long()


def _score(
    subject: Subject, name: str, found: Tensor, size: int, classes: Classes, how: str, note: str, **more: Any
) -> Score:
    table = contingency(found, torch.from_numpy(classes.test), size, len(classes.names))
    matching = one_to_one(table)
    return subject.score(
        f"clusters_error/{name}",
        error(table, matching),
        f"{how}; one-to-one (Hungarian) matching on {len(found):,} test samples{read_by(subject, name)}",
        unit="share",
        better="lower",
        real=len(found),
        split="test",
        note=note,
        details={"matching": matching, "classes": list(classes.names), "confusion": table.tolist(), **more},
    )
