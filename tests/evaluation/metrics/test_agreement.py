import pytest
import torch
from subjects import Elsewhere, Read, by_name, subject
from torch import Tensor

from ganzoo.core.latents import Latents
from ganzoo.data.mnist import MNIST
from ganzoo.evaluation.extractor import Extractor
from ganzoo.evaluation.extractors.digits import Digits
from ganzoo.evaluation.extractors.values import Values
from ganzoo.evaluation.metrics.agreement import Agreement
from ganzoo.evaluation.score import Unavailable

LATENT = "z: normal(2), label: categorical(3) condition"


def told(fakes, extractor: type[Extractor] | None = Read, test_labels: Tensor | None = None, **more):
    """A subject whose real samples are one-hot classes, rare ones included."""
    classes = torch.tensor([0] * 6 + [1] * 3 + [2])
    real = torch.eye(3)[classes]
    labels = classes if test_labels is None else test_labels
    given = {"labels": classes, "test_labels": labels, "latent": LATENT, "samples": 600, **more}
    return subject(real, real, fakes, extractor=extractor, **given)


def obedient(latents: Latents) -> Tensor:
    return latents["label"]


def test_an_obedient_generator_agrees_always() -> None:
    scores = by_name(Agreement().scores(told(obedient)))
    assert set(scores) == {"agreement", "worst_agreement"}
    assert {score.value for score in scores.values()} == {1.0}
    assert {score.floor for score in scores.values()} == {1.0}
    score = scores["agreement"]
    assert score.ceiling == pytest.approx(1 / 3)
    assert score.details["classes"] == {"class 0": 1.0, "class 1": 1.0, "class 2": 1.0}
    assert (score.samples, score.real, score.split, score.extractor) == (600, 10, "test", "read")
    assert score.protocol == "read features, 200 generated samples of each of 3 classes, floor from 10 test samples"


def test_a_generator_that_ignores_the_class_agrees_by_chance() -> None:
    def constant(latents: Latents) -> Tensor:
        return torch.eye(3)[[1]].repeat(len(latents), 1)

    scores = by_name(Agreement().scores(told(constant)))
    assert scores["agreement"].value == pytest.approx(1 / 3)
    assert scores["worst_agreement"].value == 0


def test_every_class_counts_the_same_and_the_worst_is_named() -> None:
    def confused(latents: Latents) -> Tensor:
        """Half of the rarest class look like class 0."""
        asked = latents["label"].clone()
        third = asked[:, 2].bool() & (asked[:, 2].cumsum(0) % 2 == 0)
        asked[third] = torch.tensor([1.0, 0.0, 0.0])
        return asked

    scores = by_name(Agreement().scores(told(confused)))
    assert scores["agreement"].value == pytest.approx((1 + 1 + 0.5) / 3)
    assert scores["worst_agreement"].value == pytest.approx(0.5)
    assert scores["worst_agreement"].details["class"] == "class 2"


def test_floor_is_that_of_real_test_samples_with_a_known_class_each_class_counting_the_same() -> None:
    # Of ten, the first is unknown and the last, which is of class 2, is called class 1: 5 of 5 and 3 of 4 are right.
    test_labels = torch.tensor([-1] + [0] * 5 + [1] * 4)
    scores = by_name(Agreement().scores(told(obedient, test_labels=test_labels)))
    assert scores["agreement"].floor == pytest.approx((1 + 3 / 4) / 2)
    assert scores["agreement"].real == 9
    assert scores["worst_agreement"].floor == pytest.approx(3 / 4)


def test_there_is_no_floor_where_no_class_is_known() -> None:
    score = by_name(Agreement().scores(told(obedient, test_labels=torch.full((10,), -1))))["agreement"]
    assert (score.value, score.floor, score.split) == (1.0, None, None)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: told(obedient, latent="z: normal(2)"), "the generator of told is not asked for a label"),
        (lambda: told(obedient, labels=None), "data set told has no labels"),
        (lambda: told(obedient, Elsewhere), "the extractor read does not know the classes of told"),
        (lambda: told(obedient, Values), "the extractor values does not know the classes of told"),
        (lambda: told(obedient, None), "no extractor is the default for told samples"),
        (lambda: told(obedient, samples=149), "needs at least 150 generated samples, and got 147"),
    ],
)
def test_where_it_does_not_apply_it_says_why(made, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        list(Agreement().scores(made()))


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor]:
    split = MNIST().split("test")
    return split.tensor()[:4000], split.labels["label"][:4000]


@pytest.mark.parametrize(("shift", "low", "high"), [(0, 0.98, 1.0), (1, 0.0, 0.02)])
def test_real_digits_under_their_own_and_under_other_classes(digits, shift: int, low: float, high: float) -> None:
    values, classes = digits
    of_class = [values[classes == k].float() / 127.5 - 1 for k in range(10)]

    def drawn(latents: Latents) -> Tensor:
        asked = latents["label"].argmax(1).tolist()
        return torch.stack([of_class[(k + shift) % 10][row % 300] for row, k in enumerate(asked)])

    names = tuple("0123456789")
    given = {"classes": names, "latent": "label: categorical(10) condition", "extractor": Digits, "samples": 2000}
    scores = by_name(Agreement().scores(subject(values, values, drawn, labels=classes, test_labels=classes, **given)))
    assert low <= scores["agreement"].value <= high
    assert scores["agreement"].floor > 0.98
    assert scores["worst_agreement"].value <= scores["agreement"].value


def test_shuffled_classes_agree_one_time_in_ten(digits) -> None:
    values, classes = digits
    fakes = values[torch.randperm(4000, generator=torch.Generator().manual_seed(0))].float() / 127.5 - 1

    names = tuple("0123456789")
    given = {"classes": names, "latent": "label: categorical(10) condition", "extractor": Digits, "samples": 4000}
    told = subject(values[:50], values[:50], fakes, labels=classes[:50], test_labels=classes[:50], **given)
    assert by_name(Agreement().scores(told))["agreement"].value == pytest.approx(0.1, abs=0.03)
