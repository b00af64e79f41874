import json

import pytest
from pydantic import ValidationError

from ganzoo.runs.config import RunConfig, default_schedule

SCHEDULE = {"schedule": 300, "half_life": 10, "tick": 20, "save_every": 30}


def config(**values):
    return RunConfig(**{"model": "infogan", "data": "mnist", **SCHEDULE, **values})


def test_is_equal_to_itself_after_a_trip_through_json():
    one = config(options={"categories": (10, 10), "weight": 0.5}, data_options={"size": (32, 32)})
    again = RunConfig.model_validate_json(json.dumps(one.model_dump(mode="json")))
    assert again == one
    assert again.options["categories"] == [10, 10]


def test_flat_names_every_setting_and_can_be_inverted():
    one = config(options={"noise": 62, "weights": {"style": 0.1}}, data_options={"size": 32}, seed=7)
    flat = one.flat()
    assert flat["options.noise"] == 62
    assert flat["options.weights"] == {"style": 0.1}
    assert flat["data_options.size"] == 32
    assert flat["seed"] == 7
    assert "options" not in flat
    assert RunConfig.from_flat(flat) == one


def test_difference_names_what_changed_in_both_directions():
    one = config(options={"noise": 62, "styles": 2}, images=1000)
    other = config(options={"noise": 64, "latent": "z: normal(1)"}, images=2000)
    assert one.difference(one) == {}
    assert one.difference(other) == {
        "images": (1000, 2000),
        "options.noise": (62, 64),
        "options.styles": (2, None),
        "options.latent": (None, "z: normal(1)"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"images": 0},
        {"batch": -1},
        {"seed": -1},
        {"precision": "fp8"},
        {"tick": 0},
        {"model": ""},
        {"typo": 1},
    ],
)
def test_refuses_impossible_settings(wrong):
    with pytest.raises(ValidationError):
        config(**wrong)


def test_is_immutable():
    with pytest.raises(ValidationError):
        config().images = 5


@pytest.mark.parametrize(
    ("images", "batch", "half_life", "tick", "save_every"),
    [
        (640_000, 128, 10_000, 6_400, 64_000),
        (200_000, 64, 10_000, 2_000, 20_000),
        (10_000_000, 64, 10_000, 10_000, 1_000_000),
        (2_000, 128, 100, 128, 1_280),
        (3, 2, 1, 2, 20),
    ],
)
def test_the_schedule_follows_from_the_budget(images, batch, half_life, tick, save_every):
    expected = {"schedule": images, "half_life": half_life, "tick": tick, "save_every": save_every}
    assert default_schedule(images, batch) == expected
