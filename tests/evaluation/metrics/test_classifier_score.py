import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from subjects import by_name, subject, uniform
from torch import Tensor
from torchmetrics.image.inception import InceptionScore

from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.metrics.classifier_score import ClassifierScore, split_scores
from ganzoo.evaluation.score import Unavailable

CERTAIN = 1000.0
"""A logit that leaves nothing to the other classes."""


class Read(Extractor):
    """Samples are the logits."""

    name = "read"
    summary = "for tests"

    def __call__(self, samples: Tensor) -> Features:
        return Features(samples, samples)


def answers(n: int, classes: int) -> Tensor:
    """Logits (n, classes) that are certain of each class in turn."""
    return torch.nn.functional.one_hot(torch.arange(n) % classes, classes) * CERTAIN


def normal(n: int, classes: int, seed: int = 0) -> Tensor:
    return torch.randn(n, classes, generator=torch.Generator().manual_seed(seed)) * 2


def test_certain_answers_score_the_number_of_classes() -> None:
    assert split_scores(answers(1000, 10)).tolist() == pytest.approx([10] * 10)
    assert split_scores(answers(1000, 4)).tolist() == pytest.approx([4] * 10)


def test_constant_and_undecided_answers_score_one() -> None:
    assert split_scores(normal(1, 7).expand(200, 7)).tolist() == pytest.approx([1] * 10)
    assert split_scores(torch.zeros(200, 7)).tolist() == pytest.approx([1] * 10)


def test_classes_of_unequal_frequency_score_the_exponential_of_their_entropy() -> None:
    chosen = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    logits = torch.nn.functional.one_hot(chosen, 5) * CERTAIN
    entropy = -sum(share * math.log(share) for share in (0.6, 0.3, 0.1))
    assert float(split_scores(logits, splits=1)) == pytest.approx(math.exp(entropy))


def test_scores_are_torchmetrics_own() -> None:
    logits = normal(1000, 6).double()
    with pytest.warns(UserWarning, match="save all extracted features"):
        theirs = InceptionScore(torch.nn.Identity(), splits=10)
    theirs.update(logits)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        mean, spread = theirs.compute()
        torch.manual_seed(5)
        ours = split_scores(logits[torch.randperm(1000)])
    assert (float(ours.mean()), float(ours.std())) == pytest.approx((float(mean), float(spread)), rel=1e-9)


def test_scores_are_torch_fidelitys_own() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_isc")
    logits = normal(1003, 6)
    theirs = fidelity.isc_features_to_metric(logits, splits=1, shuffle=False)
    assert float(split_scores(logits, splits=1)) == pytest.approx(theirs["inception_score_mean"], rel=1e-9)


def test_order_inside_a_split_and_copies_change_nothing() -> None:
    logits = normal(500, 6)
    score = float(split_scores(logits, splits=1))
    assert float(split_scores(logits.flip(0), splits=1)) == pytest.approx(score, rel=1e-9)
    assert float(split_scores(logits.repeat(2, 1), splits=1)) == pytest.approx(score, rel=1e-9)


@settings(max_examples=30)
@given(n=st.integers(10, 60), classes=st.integers(1, 12), scale=st.floats(0, 500), seed=st.integers(0, 1000))
def test_scores_lie_between_one_and_the_number_of_classes(n: int, classes: int, scale: float, seed: int) -> None:
    scores = split_scores(normal(n, classes, seed) * scale)
    assert scores.shape == (10,)
    assert (scores >= 1 - 1e-9).all() and (scores <= classes + 1e-9).all()


def test_score_says_what_it_rests_on() -> None:
    fakes, test = normal(1200, 4, seed=1), answers(1500, 4)
    measured = subject(answers(1500, 4), test, fakes, extractor=Read, range=(0, CERTAIN))
    score = by_name(ClassifierScore().scores(measured))["classifier_score"]
    assert score.value == pytest.approx(float(split_scores(fakes).mean()))
    assert score.floor == pytest.approx(4, rel=0.05)
    assert score.ceiling == pytest.approx(4, rel=0.1)  # a thousandfold logit is certain of noise too
    assert score.details["split_spread"] == pytest.approx(float(split_scores(fakes).std(correction=0)))
    assert (score.samples, score.better, score.extractor) == (1200, "higher", "read")
    assert score.protocol == (
        "read features, the inception score's formula, mean of 10 splits of 1,200 generated samples, "
        "floor from 1,200 test samples"
    )
    assert score.note == "between 1 and 4, the number of the extractor's classes"


def test_floor_is_left_out_where_there_are_too_few_test_samples() -> None:
    measured = subject(answers(1500, 4), answers(900, 4), normal(1200, 4), extractor=Read)
    assert by_name(ClassifierScore().scores(measured))["classifier_score"].floor is None


def test_extractor_without_classes_has_no_score() -> None:
    with pytest.raises(Unavailable, match="the extractor values knows no classes"):
        list(ClassifierScore().scores(subject(fakes=uniform(1000, 2))))


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(Unavailable, match="needs at least 1,000 generated samples, and got 999"):
        list(ClassifierScore().scores(subject(answers(20, 4), fakes=normal(999, 4), extractor=Read)))
