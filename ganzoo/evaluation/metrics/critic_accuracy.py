"""How well the critic tells real samples that it has not seen from generated ones."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["CriticAccuracy", "separation"]

NEEDED = 100
"""Samples of either kind; the standard error of an accuracy of a half is then 5 %."""


class CriticAccuracy(Metric):
    """The balanced accuracy of the critic's realness as a test of real against generated samples.

    A sample counts as real above a threshold. Only some adversarial losses give the realness 0 a meaning, so
    the threshold is the one that is best (Youden's J) for every other sample of each kind, and the accuracy is
    that of the rest. A half: the critic cannot tell; 1: it has won, and the generator has little to learn
    from it. Of a critic that sees conditions, real samples come with their labels, generated ones with what
    they were asked for.

    The floor is the same of training samples in place of generated ones. The area under the ROC curve is in
    the details; ``training_auc`` there is that of training against test samples, above a half where the
    critic remembers what it was trained on (Karras et al. 2020, arXiv 2006.06676, section 3).

    Source: Youden 1950, "Index for rating diagnostic tests"; Lopez-Paz & Oquab 2017, arXiv 1610.06545, for
    two-sample tests by classifiers.
    """

    name: ClassVar[str] = "critic-accuracy"
    summary: ClassVar[str] = "how well the critic tells unseen real samples from generated ones"
    group: ClassVar[Group] = "health"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``critic_accuracy``.

        Raises:
            Unavailable: there are too few samples, labels that the critic must see are missing, it wants
                something else beside a sample, or its realness is not finite.
        """
        test, train = (_realness(subject, *subject.conditioned(part)) for part in ("test", "train"))
        fakes = _realness(subject, subject.fakes(), subject.asked())
        subject.at_least(NEEDED, len(fakes), "generated samples")
        for part, found in (("test", test), ("training", train)):
            subject.at_least(NEEDED, len(found), f"real {part} samples")
        accuracy, auc = separation(test, fakes)
        floor, towards_test = separation(test, train)
        yield subject.score(
            "critic_accuracy",
            accuracy,
            f"{len(test):,} test samples and {len(fakes):,} of the averaged generator; balanced, threshold from one "
            f"half of them, accuracy of the other; {subject.critic_protocol}",
            unit="share",
            floor=floor,
            samples=len(fakes),
            real=len(test),
            split="test",
            note="50 %: the critic cannot tell; 100 %: it has won",
            details={"auc": auc, "training_auc": 1 - towards_test},
        )


def separation(real: Tensor, fakes: Tensor) -> tuple[float, float]:
    """How well scores tell two sets apart.

    Args:
        real: (N,), scores that ought to be high.
        fakes: (M,), scores that ought to be low.

    Returns:
        The balanced accuracy at the threshold that is best for every other score, on the rest; and the area
        under the ROC curve of all.

    Raises:
        Unavailable: a score is not finite.
    """
    from sklearn.metrics import roc_auc_score, roc_curve  # takes long to import

    scores = torch.cat([real, fakes]).double()
    if not scores.isfinite().all():
        raise Unavailable("the critic's realness is not finite; train again with a smaller critic_lr")
    truth = torch.cat([torch.ones(len(real)), torch.zeros(len(fakes))])
    wrong, right, thresholds = roc_curve(truth[::2].numpy(), scores[::2].numpy())
    threshold = float(thresholds[(right - wrong).argmax()])
    above, is_real = scores[1::2] >= threshold, truth[1::2] == 1
    accuracy = (above[is_real].double().mean() + (~above[~is_real]).double().mean()) / 2
    return float(accuracy), float(roc_auc_score(truth.numpy(), scores.numpy()))


def _realness(subject: Subject, values: Tensor, condition: Tensor | None) -> Tensor:
    """One score a sample, (N,): the mean over patches where there are several."""
    subject.at_least(1, len(values), "samples with known labels")
    try:
        realness = subject.judge(values, condition).realness
    except ValueError as error:  # it wants something else beside the sample
        raise Unavailable(f"the critic judges no sample alone: {error}") from error
    return realness.reshape(len(values), -1).mean(dim=1)
