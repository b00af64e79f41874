"""Class agreement: whether a sample shows the class that it was asked to show."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Agreement", "class_condition"]

LEAST = 50
"""Samples of a class below which its share would mean little: its standard error can exceed 7 %."""


class Agreement(Metric):
    """The share of samples that the extractor puts into the class that they were asked for.

    As many samples of each class are drawn as of any other, so that a rare class counts as much as a common
    one. A generator that ignores the class reaches 1/K.

    Source: Odena, Olah & Shlens 2017 (arXiv 1610.09585), section 4.1, with Inception and ImageNet there.

    Scores: ``agreement`` in [0, 1], with the share of each class in ``details["classes"]``, and
    ``worst_agreement``, the share of the class that has the least. The floor is what the extractor makes of
    real test samples, over the classes in the same way.
    """

    name: ClassVar[str] = "agreement"
    summary: ClassVar[str] = "share of samples that show the class they were asked for, overall and in the worst class"
    group: ClassVar[Group] = "conditioning"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Both scores.

        Raises:
            Unavailable: the generator is not asked for a class, the extractor knows other classes than the
                data, or there are fewer than 50 samples of each.
        """
        condition = class_condition(subject)
        names = subject.data.labels[condition].classes
        if subject.extractor.classes != names:
            raise Unavailable(
                f"the extractor {subject.extractor.name} does not know the classes of {subject.data.name}"
            )
        each = subject.setting.samples // len(names)
        subject.at_least(LEAST * len(names), each * len(names), "generated samples")
        asked = torch.arange(len(names)).repeat(each)
        fakes = subject.sampler.sample(len(asked), subject.seed, given={condition: asked.tolist()})
        shares = _shares(subject.features(fakes).logits, asked, len(names))
        worst = int(shares.argmin())
        more: dict[str, Any] = {"features": True, "unit": "share", "better": "higher", "samples": len(asked)}
        protocol = f"{each:,} generated samples of each of {len(names)} classes"
        floor, worst_floor = None, None
        classes = subject.real("test").labels.get(condition)
        if classes is not None and (classes >= 0).any():
            found = _shares(subject.real_features("test").logits, classes, len(names))
            counts = classes[classes >= 0].bincount(minlength=len(names))
            found = found[counts > 0]
            floor, worst_floor = found.mean().item(), found.min().item()
            more |= {"real": int(counts.sum()), "split": "test"}
            protocol += f", floor from {int(counts.sum()):,} test samples"
        details: dict[str, Any] = {"condition": condition, "classes": dict(zip(names, shares.tolist(), strict=True))}
        yield subject.score(
            "agreement", shares.mean().item(), protocol, floor=floor, ceiling=1 / len(names), details=details, **more
        )
        details = {"condition": condition, "class": names[worst]}
        yield subject.score(
            "worst_agreement",
            shares[worst].item(),
            protocol,
            floor=worst_floor,
            note=f"the class is {names[worst]}",
            details=details,
            **more,
        )


def class_condition(subject: Subject) -> str:
    """Name of the condition that is the data's own label.

    Raises:
        Unavailable: the data have no labels, or the generator is not asked for them.
    """
    label = subject.label
    if label not in subject.latent.conditions:
        raise Unavailable(f"the generator of {subject.game.model.name} is not asked for a {label}")
    return label


def _shares(logits: Tensor | None, classes: Tensor, size: int) -> Tensor:
    """Per class, the share of its samples whose largest logit is its own; NaN for a class without samples.

    Args:
        logits: (N, size).
        classes: (N,), -1 where unknown.
        size: number of classes.
    """
    assert logits is not None  # an extractor that names classes has them
    counts = classes[classes >= 0].bincount(minlength=size)
    right = classes[logits.argmax(1) == classes].bincount(minlength=size)
    return right.double() / counts
