from typing import Any

import pytest
from helpers import tiny_data
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.core.invariance import Flip
from ganzoo.evaluation.diagnosis import RULES, diagnose
from ganzoo.evaluation.score import Score
from ganzoo.models.options import ModelOptions

SQUARE = {"confusion": [[1, 0], [0, 1]], "classes": ["a", "b"]}
LONG = {"confusion": [[1, 0], [0, 1], [0, 0]], "classes": ["a", "b"]}


def score(name: str, value: float | None, unit: str = "", **more: Any) -> Score:
    return Score(name=name, value=value, unit=unit, protocol="told", **more)  # type: ignore[arg-type]


def said(*scores: Score, **options: Any) -> str:
    return diagnose({each.name: each for each in scores}, options)


# A score, words of the sentence and of the advice; and the same score where nothing is wrong.
CASES = {
    "collapse": (
        score("diversity", 0.3, floor=1.0),
        ("collapsed", "0.300 times", "`-o instance_noise=0.3` or `-o r1=1`"),
        score("diversity", 0.8, floor=1.0),
    ),
    "collapse without a floor": (
        score("diversity", 0.3),
        ("collapsed", "`-o r1=1`"),
        score("diversity", 0.6),
    ),
    "collapse of one class": (
        score("diversity", 0.8, details={"minimum": 0.1, "least": "label bee"}),
        ("label bee", "0.10 times", "`-o instance_noise=0.3`"),
        score("diversity", 0.8, details={"minimum": 0.6, "least": "label bee"}),
    ),
    "missing data": (
        score("coverage", 0.3, "share", floor=0.97),
        ("never generated", "30.0 %", "97.0 %", "`-o r1=1`"),
        score("coverage", 0.8, "share", floor=0.97),
    ),
    "unlike the data": (
        score("precision", 0.2, "share", floor=0.7),
        ("nothing in the data", "20.0 %", "70.0 %"),
        score("precision", 0.4, "share", floor=0.7),
    ),
    "far from the data": (
        score("frechet_distance", 4.0, floor=1.0, ceiling=101.0),
        ("far from the data", "4", "`-o generator_lr=0.001`"),
        score("frechet_distance", 3.5, floor=1.0, ceiling=101.0),
    ),
    "a critic that won": (
        score("critic_accuracy", 0.99, "share"),
        ("critic has won", "99.0 %", "`-o critic_lr=0.0001` or `-o instance_noise=0.3`"),
        score("critic_accuracy", 0.8, "share"),
    ),
    "a critic behind": (
        score("critic_accuracy", 0.5, "share", details={"auc": 0.1}),
        ("critic is behind", "0.10", "`-o critic_lr=0.0004` or `-o critic_turns=2`"),
        score("critic_accuracy", 0.5, "share", details={"auc": 0.5}),
    ),
    "copies": (
        score("memorisation", 0.06, "share", floor=0.012),
        ("copied", "6.0 %", "`-o augmentation=0.5`"),
        score("memorisation", 0.04, "share", floor=0.012),
    ),
    "other classes": (
        score("agreement", 0.6, "share", floor=0.99),
        ("another class", "60.0 %", "99.0 %"),
        score("agreement", 0.95, "share", floor=0.99),
    ),
    "one class": (
        score("worst_agreement", 0.4, "share", floor=0.98, details={"class": "nine"}),
        ("nine", "40.0 %"),
        score("worst_agreement", 0.8, "share", floor=0.98, details={"class": "nine"}),
    ),
    "no information": (
        score("information/category", 0.2, "nats", details={"entropy": 2.302585}),
        ("little of category", "0.200 nats", "2.30 nats", "`-o recognition_lr=0.001`"),
        score("information/category", 2.2, "nats", details={"entropy": 2.302585}),
    ),
    "dead codes": (
        score("dead_codes/category", 2.0, details={"dead": ["3", "7"]}),
        ("of category", "3, 7", "`-o recognition_lr=0.001`"),
        score("dead_codes/category", 0.0, details={"dead": []}),
    ),
    "codes that are no classes": (
        score("code_error/category", 0.42, "share", details=SQUARE),
        ("The code category is not the class", "42.0 %", "`-o augmentation=0.5`"),
        score("code_error/category", 0.05, "share", details=SQUARE),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_with_its_number_and_an_option(case: str) -> None:
    wrong, words, _ = CASES[case]
    text = said(wrong)
    assert all(word in text for word in words), text
    assert "No fault" not in text
    assert text[0].isupper()
    assert text.endswith(".")


@pytest.mark.parametrize("case", CASES)
def test_what_is_in_order_is_named_as_such(case: str) -> None:
    right = CASES[case][2]
    assert said(right).startswith(f"No fault was found in {right.name} (")
    assert " try " not in said(right)


def test_every_rule_has_a_case() -> None:
    sentences = [said(wrong) for wrong, _, _ in CASES.values()]
    sentences.append(said(score("probe_error/critic", 0.2), score("probe_error/pixels", 0.1)))
    for rule in RULES:
        start = rule.says.partition("{")[0]
        start = start[:1].upper() + start[1:]
        assert any(start in text for text in sentences), rule.says


def test_faults_come_first_and_the_rest_after() -> None:
    text = said(CASES["copies"][2], CASES["collapse"][0], CASES["a critic that won"][0])
    assert (
        text.index("collapsed")
        < text.index("critic has won")
        < text.index("No fault was found in memorisation (4.0 %).")
    )


def test_a_class_that_is_bad_among_bad_ones_is_not_told_twice() -> None:
    text = said(CASES["other classes"][0], CASES["one class"][0])
    assert "another class" in text
    assert "is not learnt" not in text


def test_codes_of_another_number_than_classes_are_not_judged_by_matching() -> None:
    assert "is not the class" not in said(score("code_error/category", 0.42, details=LONG))


def test_features_no_better_than_pixels_are_told() -> None:
    pixels = score("probe_error/pixels", 0.1, "share")
    assert "no better" in said(score("probe_error/critic", 0.1, "share"), pixels)
    assert "No fault" in said(score("probe_error/critic", 0.02, "share"), pixels)
    assert "No fault" in said(score("probe_error/critic", 0.1, "share"))


def test_what_is_not_finite_is_told() -> None:
    text = said(score("diversity", None), score("anything", None))
    assert text.startswith("Not a finite number: diversity, anything;")
    assert "No fault" not in text


def test_no_scores_and_unknown_ones_give_no_verdict() -> None:
    assert said() == "Nothing was measured from which a fault could be told."
    assert said(score("taste", 0.1)) == "Nothing was measured from which a fault could be told."


def test_what_the_run_has_already_is_not_advised() -> None:
    wrong = CASES["collapse"][0]
    assert "`-o r1=1`" in said(wrong, instance_noise=0.6)
    assert "instance_noise" not in said(wrong, instance_noise=0.6)
    assert "try train" not in said(wrong, instance_noise=0.6, r1=10.0)
    assert "train longer, with a larger `--images`" in said(wrong, instance_noise=0.3, r1=1.0)
    won = CASES["a critic that won"][0]
    assert "critic_lr" in said(won, critic_lr=4e-4)
    assert "critic_lr" not in said(won, critic_lr=5e-5)
    assert "recognition_lr" in said(CASES["no information"][0], recognition_lr=None)
    assert "recognition_lr" not in said(CASES["no information"][0], recognition_lr=2e-3)
    assert "few" in said(CASES["dead codes"][0], recognition_lr=1e-3, instance_noise=0.6)


def test_nothing_is_advised_that_has_no_effect_on_such_data() -> None:
    wrong = CASES["codes that are no classes"][0]
    points, pictures = tiny_data((2,), drawn_as="points"), tiny_data(invariances=(Flip(),))
    assert "augmentation" in diagnose({wrong.name: wrong}, {}, pictures)
    advice = diagnose({wrong.name: wrong}, {}, points)
    assert "augmentation" not in advice
    assert "`-o instance_noise=0.6`" in advice


def test_every_option_that_is_advised_exists_and_takes_the_value() -> None:
    advised = {(name, value) for rule in RULES for name, value in rule.advice}
    assert advised
    for name, value in advised:
        options = ModelOptions.model_validate({name: value})
        assert getattr(options, name) == value != ModelOptions.model_fields[name].default


@given(
    st.dictionaries(
        st.sampled_from(
            sorted({rule.score.removesuffix("/") + ("/x" if rule.score.endswith("/") else "") for rule in RULES})
        ),
        st.floats(-1e6, 1e6),
    )
)
def test_any_numbers_make_one_paragraph(values: dict[str, float]) -> None:
    details = {"minimum": 0.3, "least": "a", "auc": 0.3, "class": "{odd}", "entropy": 2.0, "dead": ["b"], **SQUARE}
    text = said(*(score(name, value, floor=1.0, ceiling=2.0, details=details) for name, value in values.items()))
    assert text
    assert "\n" not in text
