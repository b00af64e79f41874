import json

import pytest
from training_helpers import configured

from ganzoo import api
from ganzoo.training.plan import Plan


def plan(*args, **settings) -> Plan:
    return api.prepare(configured(*args, **settings))[0]


@pytest.mark.parametrize(
    ("images", "batch", "turns", "rounds"),
    [(64, 16, 1, 4), (65, 16, 1, 5), (1, 16, 1, 1), (64, 16, 3, 2), (48, 16, 3, 1)],
)
def test_the_last_round_is_played_whole(images, batch, turns, rounds):
    made = plan("gan", flags={"images": images, "batch": batch}, critic_turns=turns)
    assert made.images_per_round == batch * turns
    assert made.rounds == rounds


def test_as_plain_data_it_is_json():
    made = plan("infogan", r1=1.0)
    data = json.loads(json.dumps(made.as_dict()))
    assert data["config"] == made.config.model_dump(mode="json")
    assert data["latent"] == str(made.game.latent)
    assert data["parameters"]["critic"] == sum(p.numel() for p in made.game.networks["critic"].parameters())
    assert (data["rounds"], data["images_per_round"], data["device"], data["precision"]) == (4, 16, "cpu", "fp32")
    assert data["objective"] == "NonSaturating() + 1 * R1() + MutualInformation(category, style)"
    assert data["notes"] == made.notes
    assert set(data["origins"]) == set(made.config.flat())


def test_printed_it_says_all_that_matters():
    text = str(plan("infogan", flags={"images": 70, "seed": 9}, r1=1.0))
    for expected in (
        "infogan on toys (1×16×16)",
        "latent space",
        "MutualInformation(category, style)",
        "budget: 5 rounds of 16 = 80 images",
        "device: cpu (",
        "seed 9;",
        "note: the critic has layer instead of batch normalisation, because of the gradient penalty",
    ):
        assert expected in text, expected


def test_without_anything_to_note_there_is_no_note():
    made = plan("gan")
    assert made.notes == []
    assert "note:" not in str(made)
