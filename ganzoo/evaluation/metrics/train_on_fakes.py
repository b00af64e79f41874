"""GAN-train and GAN-test: what a classifier learns from fakes, and what one of real samples makes of them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from torch import Tensor

from ganzoo.evaluation.classifier import Classifier, accuracy, fit
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.metrics.agreement import class_condition
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["TrainOnFakes"]

LEAST = 50
"""Fakes for each class below which a classifier learns next to nothing."""
IMAGES, EPOCHS = 30_000, 3
"""Samples that a classifier is trained on, counted each time: as many passes, and at least this many."""


class TrainOnFakes(Metric):
    """Two classifiers of the same kind, one trained on fakes and the classes they were asked for, one on real samples.

    - ``train_on_fakes`` (GAN-train): accuracy on the real test split of the one trained on fakes. It falls where
      fakes show another class than they should, where they are not sharp, and where they vary less than the data.
      The floor is the accuracy of the other one, trained on as many real samples.
    - ``test_on_fakes`` (GAN-test): accuracy on fakes of the one trained on real samples. Its shortfall is in what
      fakes look like alone; a generator that knows one good sample of each class has none. The floor is the same
      as above.

    Source: Shmelkov, Schmid & Alahari 2018 (arXiv 1807.09499), section 3. The classifier is
    ``ganzoo.evaluation.classifier.Classifier`` with 16 channels at first, where they had a residual network.
    """

    name: ClassVar[str] = "train-on-fakes"
    summary: ClassVar[str] = "GAN-train and GAN-test: a classifier trained on fakes, tested on real samples, and back"
    group: ClassVar[Group] = "conditioning"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Both scores.

        Raises:
            Unavailable: the generator is not asked for a class, the samples are no images, or there are too
                few of them, fakes or real ones.
        """
        condition = class_condition(subject)
        if not subject.data.is_image:
            raise Unavailable(f"the classifier takes images, which the samples of {subject.data.name} are not")
        names = subject.data.labels[condition].classes
        n = min(subject.setting.samples, subject.setting.train)
        subject.at_least(LEAST * len(names), n, "generated samples")
        values, classes = subject.labelled("train", n)
        if len(values) < 2:
            raise Unavailable(f"a single sample of the training split of {subject.data.name} has a known label")
        test = subject.labelled("test")
        fakes, asked = subject.fakes(n), subject.latents(n)[condition].argmax(1)

        def trained(values: Tensor, classes: Tensor) -> Classifier:
            network = Classifier(subject.data.shape, len(names), width=16, seed=subject.seed).to(subject.device)
            fit(network, values, classes, images=max(IMAGES, EPOCHS * n), batch=64, seed=subject.seed)
            return network

        on_real = trained(values, classes)
        floor = accuracy(on_real, *test)
        more: dict[str, Any] = {"unit": "share", "better": "higher", "samples": n, "floor": floor}
        yield subject.score(
            "train_on_fakes",
            accuracy(trained(fakes, asked), *test),
            f"trained on {n:,} fakes, tested on {len(test[0]):,} of test, floor from {len(values):,} of train",
            real=len(test[0]),
            split="test",
            **more,
        )
        yield subject.score(
            "test_on_fakes",
            accuracy(on_real, fakes, asked),
            f"trained on {len(values):,} of train, tested on {n:,} fakes, floor from {len(test[0]):,} of test",
            real=len(values),
            split="train",
            **more,
        )
