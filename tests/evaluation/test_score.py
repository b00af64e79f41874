import json
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from ganzoo.evaluation.metric import GROUPS, Metric
from ganzoo.evaluation.score import Score, Skipped, amount


def test_a_score_is_plain_data_and_comes_back_from_json():
    score = Score(name="code_error/category", value=0.25, protocol="test split", unit="share", details={"a": [1, "b"]})
    assert Score.model_validate_json(score.model_dump_json()) == score
    assert json.loads(score.model_dump_json())["value"] == 0.25


def test_what_is_not_finite_is_null_in_json():
    score = Score(name="d", value=math.nan, floor=math.inf, protocol="p", details={"rows": [math.nan, 1.0]})
    values = json.loads(score.model_dump_json(), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert (values["value"], values["floor"], values["details"]) == (None, None, {"rows": [None, 1.0]})
    assert (score.value, score.floor) == (None, None)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "nats", "–"),
        (0.0412, "share", "4.1 %"),
        (2.2934, "nats", "2.29 nats"),
        (3.0, "", "3"),
        (-0.002, "", "-0.00200"),
    ],
)
def test_an_amount_has_the_digits_that_count_and_its_unit(value, unit, text):
    assert amount(value, unit) == text


@pytest.mark.parametrize("value", [np.float32(0.5), torch.tensor(0.5)])
def test_a_number_of_numpy_or_torch_is_a_number(value):
    score = Score(name="d", value=value, floor=value, protocol="p")
    assert type(score.value) is float and score.value == score.floor == 0.5


def test_a_score_cannot_be_changed_or_misspelt():
    score = Score(name="d", value=1, protocol="p")
    with pytest.raises(ValidationError):
        score.value = 2
    for wrong in ({"unit": "percent"}, {"better": "more"}, {"samples": -1}, {"name": ""}, {"flor": 1}):
        with pytest.raises(ValidationError):
            Score(**{"name": "d", "value": 1, "protocol": "p", **wrong})


def test_a_skipped_metric_says_why():
    said = {"metric": "codes", "reason": "no codes", "lacks": ""}
    assert Skipped(metric="codes", reason="no codes").model_dump() == said


def test_a_metric_of_an_unknown_group_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match=r"Wrong\.group is 'fidelty'; choose one of fidelity, "):

        class Wrong(Metric):
            group = "fidelty"

    assert Metric.group in GROUPS
