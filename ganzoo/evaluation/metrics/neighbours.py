"""Whether near neighbours among the critic's features are of one class."""

from collections.abc import Iterable
from typing import ClassVar

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.representation import COMPACT, compact, read_by, supervision, true_classes
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["Neighbours"]

COUNTS = (1, 5)


class Neighbours(Metric):
    """The test error of the majority class among the 1 and the 5 nearest training samples.

    Euclidean distance, exact search, on the critic's trunk and on the values themselves.

    Source: Cover & Hart 1967, "Nearest neighbor pattern classification".
    """

    name: ClassVar[str] = "neighbours"
    summary: ClassVar[str] = "error of the nearest neighbours by the critic's features"
    group: ClassVar[Group] = "representation"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``neighbours_error/critic-1nn`` and ``-5nn``, and the same of pixels (``values`` of what is no picture).

        Raises:
            Unavailable: there are too few labelled samples, or the critic has no features of a sample alone.
        """
        from sklearn.neighbors import KNeighborsClassifier  # takes long to import

        classes = true_classes(subject)
        for name, pair in compact(subject):
            for count in COUNTS:
                search = KNeighborsClassifier(count, algorithm="brute").fit(pair.train.numpy(), classes.train)
                yield subject.score(
                    f"neighbours_error/{name}-{count}nn",
                    1 - search.score(pair.test.numpy(), classes.test),
                    f"nearest of {len(pair.train):,} training samples by {COMPACT}; {len(pair.test):,} test samples"
                    f"{read_by(subject, name)}",
                    unit="share",
                    better="lower",
                    real=len(pair.test),
                    split="test",
                    note=supervision(subject) if name == "critic" else "",
                    details={"features": pair.what},
                )
