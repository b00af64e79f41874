from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from subjects import Told, by_name, subject, uniform
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo.evaluation.metrics.probe import Probe, balanced
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

CLASSES = torch.arange(400) % 4


class Knowing(Told):
    """Features in which the classes of ``known`` are plain; the samples themselves say nothing."""

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {"features": one_hot(samples[:, 0].round().long(), 4).float()}


def told(values: Tensor, critic: Told | None = None, labels: Tensor = CLASSES, **more: object) -> Subject:
    test = values.clone()
    return subject(values, test, labels=labels, test_labels=labels, critic=critic, range=(-9, 9), **more)


def found(*arguments: object, **more: object) -> dict[str, Score]:
    return by_name(Probe().scores(told(*arguments, **more)))


def test_features_that_determine_the_class_make_no_error_with_few_labels_either() -> None:
    values = torch.stack([CLASSES.float(), uniform(400)], dim=1)
    scores = found(values, Knowing())
    assert scores["probe_error/critic"].value == 0
    assert scores["probe_error/critic-100"].value == 0
    assert scores["probe_error/critic-100"].details["draws"] == [0] * 5
    # A threshold a class is no linear classifier's way to tell the middle two of four apart.
    assert scores["probe_error/values"].value is not None
    assert scores["probe_error/values"].value >= 0


def test_features_that_say_nothing_leave_chance() -> None:
    values = uniform(2_000, 3)
    train, test = torch.arange(2_000) % 4, torch.arange(2_000) // 4 % 4
    scores = by_name(
        Probe().scores(subject(values, uniform(2_000, 3, seed=5), labels=train, test_labels=test, range=(-9, 9)))
    )
    for name, score in scores.items():
        assert score.value == pytest.approx(0.75, abs=0.05), name
    assert set(scores) == {f"probe_error/{what}{few}" for what in ("critic", "values") for few in ("", "-100", "-1000")}


def test_the_error_is_that_of_scikit_learns_own_pipeline() -> None:
    values = uniform(400, 2) + 0.4 * one_hot(CLASSES % 2, 2)
    labels = CLASSES % 2
    subject = told(values, labels=labels)
    score = by_name(Probe().scores(subject))["probe_error/values"]
    (train, classes), (test, truth) = subject.labelled("train"), subject.labelled("test")
    probe = make_pipeline(StandardScaler(), LogisticRegression()).fit(train.numpy(), classes.numpy())
    assert 0 < score.value == pytest.approx(1 - probe.score(test.numpy(), truth.numpy()))  # type: ignore[operator]
    assert score.better == "lower"
    assert score.unit == "share"
    assert score.split == "test"
    assert "400 training labels" in score.protocol


def test_the_scale_of_a_feature_does_not_matter() -> None:
    plain = uniform(400, 2) + 0.4 * one_hot(CLASSES % 2, 2)
    scaled = plain * torch.tensor([1.0, 1e-3])
    one, other = (found(each, labels=CLASSES % 2)["probe_error/values"].value for each in (plain, scaled))
    assert one == pytest.approx(other, abs=0.01)


def test_numbers_of_labels_that_are_not_there_are_left_out() -> None:
    names = set(found(uniform(400, 2)))
    assert "probe_error/critic-100" in names
    assert "probe_error/critic-1000" not in names
    rare = torch.where(torch.arange(400) < 390, 0, 1)
    assert "probe_error/critic-100" not in found(uniform(400, 2), labels=rare)


def test_more_draws_in_the_full_setting_and_the_same_ones_for_a_seed() -> None:
    values = uniform(400, 2)
    full = found(values, setting="full")["probe_error/values-100"]
    assert len(full.details["draws"]) == 20
    assert full == found(values, setting="full")["probe_error/values-100"]
    assert full != found(values, setting="full", seed=1)["probe_error/values-100"]


def test_a_critic_that_was_given_the_labels_is_said_to_have_been() -> None:
    latent = "z: normal(2), label: categorical(4) condition"
    assert (
        found(uniform(400, 2), latent=latent)["probe_error/critic"].note == "the critic was trained with these labels"
    )
    assert found(uniform(400, 2), latent=latent)["probe_error/values"].note == ""
    assert found(uniform(400, 2))["probe_error/critic"].note == ""


@given(
    classes=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    n=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_balanced_draws_are_balanced(classes: list[int], n: int, seed: int) -> None:
    rows = balanced(torch.tensor(classes), n, 5, torch.Generator().manual_seed(seed))
    if rows is None:
        each, odd = divmod(n, 5)
        there = [Counter(classes)[index] for index in range(5)]
        assert n < 5 or min(there) < each or sum(count > each for count in there) < odd
        return
    assert len(set(rows.tolist())) == n
    counts = Counter(classes[row] for row in rows.tolist())
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == 5
