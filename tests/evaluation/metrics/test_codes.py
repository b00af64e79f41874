import math

import pytest
import torch
from helpers import Reader
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from subjects import by_name, subject
from torch import Tensor

from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation.metrics.codes import Codes
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

LABELLED = torch.arange(300) % 3


def spoken(codes: Tensor, n: int) -> Tensor:
    """Samples (N, 1 + n) of which the critic reads these codes."""
    return torch.cat([torch.zeros(len(codes), 1), torch.eye(n)[codes] * 2 - 1], dim=1)


def judged(codes: Tensor, classes: Tensor | None = LABELLED, n: int = 3, names: str = "") -> Subject:
    """A subject whose critic reads these codes in the test split."""
    latent = LatentSpec.parse(f"z: normal(2), category: categorical({n}{names}) code")
    train = torch.arange(3).repeat(100)
    values = spoken(codes, n)
    return subject(
        train=values, test=values, labels=train, test_labels=classes, latent=latent, critic=Reader(latent.codes)
    )


def found(*arguments: object, **more: object) -> dict[str, Score]:
    return by_name(Codes().scores(judged(*arguments, **more)))


def test_codes_that_are_the_classes_in_another_order_make_no_error() -> None:
    scores = found((LABELLED + 1) % 3)
    assert scores["code_error/category"].value == 0
    assert scores["code_error/category"].details["matching"] == [2, 0, 1]
    assert scores["code_error/category"].details["confusion"] == [[0, 0, 100], [100, 0, 0], [0, 100, 0]]
    assert scores["code_error/category"].details["classes"] == ["class 0", "class 1", "class 2"]
    for name in ("code_purity", "code_nmi", "code_ari"):
        assert scores[f"{name}/category"].value == pytest.approx(1)
    assert scores["code_entropy/category"].value == pytest.approx(math.log(3))
    assert "many_to_one_error/category" not in scores


def test_a_code_that_is_always_the_same_says_nothing() -> None:
    scores = found(torch.ones(300, dtype=torch.int64))
    assert scores["code_error/category"].value == pytest.approx(2 / 3)
    assert scores["code_purity/category"].value == pytest.approx(1 / 3)
    assert scores["code_nmi/category"].value == scores["code_ari/category"].value == 0
    assert scores["code_entropy/category"].value == 0
    assert scores["code_entropy/category"].details["counts"] == [0, 300, 0]


def test_nmi_and_ari_are_those_of_scikit_learn() -> None:
    codes = torch.randint(3, (300,), generator=torch.Generator().manual_seed(1))
    codes[:150] = LABELLED[:150]
    scores = found(codes)
    # The measures do not say which clustering is the truth.
    assert scores["code_nmi/category"].value == pytest.approx(normalized_mutual_info_score(codes, LABELLED))
    assert scores["code_ari/category"].value == pytest.approx(adjusted_rand_score(codes, LABELLED))


def test_a_fifth_of_wrong_codes_is_an_error_of_a_fifth() -> None:
    codes = LABELLED.clone()
    codes[:60] = (codes[:60] + 1) % 3
    assert found(codes)["code_error/category"].value == pytest.approx(0.2)


def test_more_codes_than_classes_are_errors_one_to_one_and_none_many_to_one() -> None:
    codes = LABELLED.clone()
    codes[0::6] = 3  # half of the first class
    scores = found(codes, n=4)
    assert scores["code_error/category"].value == pytest.approx(50 / 300)
    assert "4 codes for 3 classes" in scores["code_error/category"].note
    assert scores["many_to_one_error/category"].value == 0
    assert scores["many_to_one_error/category"].details["matching"] == [0, 1, 2, 0]
    assert scores["code_error/category"].details["matching"].count(None) == 1


def test_fewer_codes_than_classes_cannot_be_right_about_all() -> None:
    scores = found(LABELLED.clamp(max=1), n=2)
    assert scores["code_error/category"].value == pytest.approx(1 / 3)
    assert scores["many_to_one_error/category"].value == pytest.approx(1 / 3)


def test_the_protocol_names_split_matching_and_count() -> None:
    score = found(LABELLED)["code_error/category"]
    assert score.split == "test" and score.real == 300 and score.unit == "share" and score.better == "lower"
    for word in ("test", "one-to-one (Hungarian)", "300", "label"):
        assert word in score.protocol


def test_names_that_the_code_has_go_with_the_table() -> None:
    scores = found(LABELLED, names=', names=["x", "y", "z"]')
    assert scores["code_error/category"].details["names"] == ["x", "y", "z"]


def test_unknown_labels_count_for_nothing_but_the_use() -> None:
    classes = LABELLED.clone()
    classes[:30] = -1
    codes = LABELLED.clone()
    codes[:30] = (codes[:30] + 1) % 3
    scores = found(codes, classes)
    assert scores["code_error/category"].value == 0 and scores["code_error/category"].real == 270
    assert scores["code_entropy/category"].real == 300


def test_without_labels_only_the_use_of_codes_is_known() -> None:
    scores = found(LABELLED, classes=None)
    assert list(scores) == ["code_entropy/category"]
    assert "labelled test samples" in scores["code_entropy/category"].note


def test_each_categorical_code_has_scores_and_no_other_variable_has() -> None:
    latent = LatentSpec.parse(
        "k: categorical(3) condition, a: categorical(3) code, s: uniform(1) code, b: categorical(2) code"
    )
    values = torch.cat([spoken(LABELLED, 3), torch.zeros(300, 2), spoken(LABELLED % 2, 2)[:, 1:]], dim=1)
    made = subject(
        train=values, test=values, labels=LABELLED, test_labels=LABELLED, latent=latent, critic=Reader(latent.codes)
    )
    scores = by_name(Codes().scores(made))
    assert {name.partition("/")[2] for name in scores} == {"a", "b"}
    assert scores["code_error/a"].value == 0 and scores["code_purity/b"].value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("latent", "n", "reason"),
    [
        ("z: normal(2), style: uniform(1) code", 300, "no categorical code"),
        ("z: normal(2), label: categorical(3) condition", 300, "no categorical code"),
        ("z: normal(2), category: categorical(3) code", 29, "at least 30 real test samples, and got 29"),
    ],
)
def test_where_there_is_nothing_to_measure_it_says_why(latent: str, n: int, reason: str) -> None:
    values = spoken(LABELLED[:n], 3)
    made = subject(
        train=values, test=values, labels=LABELLED[:n], test_labels=LABELLED[:n], latent=latent,
        critic=Reader(LatentSpec.parse(latent).codes),
    )  # fmt: skip
    with pytest.raises(Unavailable, match=reason):
        list(Codes().scores(made))


class Conditioned(Reader):
    """A critic that must be told the condition."""

    def forward(self, samples, condition=None):
        if condition is None:
            raise ValueError("the critic sees conditions of shape (N, 3), it got none")
        return super().forward(samples, condition)


@pytest.mark.parametrize(
    ("critic", "reason"), [(Reader(), "no head that recognises category"), (Conditioned(), "from a sample alone")]
)
def test_a_critic_that_cannot_read_the_code_is_no_judge_of_it(critic: Reader, reason: str) -> None:
    values = spoken(LABELLED, 3)
    made = subject(
        train=values, test=values, labels=LABELLED, test_labels=LABELLED,
        latent="z: normal(2), category: categorical(3) code", critic=critic,
    )  # fmt: skip
    with pytest.raises(Unavailable, match=reason):
        list(Codes().scores(made))
