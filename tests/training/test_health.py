import math
import re
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from training_helpers import MODELS, pictures, start, trainer

from ganzoo import api
from ganzoo.core.errors import RunError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.training.health import GROWTH, LARGEST_TERM, SMALLEST_LIMIT, Health, size


class Scaled(Objective):
    """A generator's term that ``size`` makes as large as it likes from half-time on."""

    size = 1.0

    def generator_terms(self, round: Round) -> Iterator[Term]:
        late = round.progress >= 0.5
        yield Term("scaled", (0.0 * round.fakes.mean() + 1.0) * (self.size if late else 1.0))


class Overflowing(Scaled):
    """A number that float32 holds, and that bf16 rounds to infinity."""

    size = 3.40e38

    def generator_terms(self, round: Round) -> Iterator[Term]:
        for term in super().generator_terms(round):
            one = torch.ones(1, 1)
            yield Term("scaled", nn.functional.linear(term.value.reshape(1, 1), one).mean() / self.size)


def model_with(objective: Objective, called: str) -> type[Model]:
    class Watched(Model):
        """Has a term beside the adversarial one."""

        name = called

        def latent(self, data):
            return LatentSpec(z=Normal(4))

        def objective(self, latent, data):
            return self.adversarial() + objective

    return Watched


FLAGS = {"images": 128, "save_every": 32, "tick": 16}
LAST = r"; the last good checkpoint is \S*000000064$"


@pytest.mark.parametrize(
    "bad", [math.nan, *(pytest.param(bad, marks=pytest.mark.slow) for bad in (math.inf, -math.inf))]
)
def test_a_value_that_is_not_finite_stops_with_step_term_and_checkpoint(tmp_path, bad):
    term = Scaled()
    term.size = bad
    with pytest.raises(RunError, match=rf"^generator/scaled was not a finite number in round 5 \(80 images\){LAST}"):
        start(tmp_path, model_with(term, "unbounded"), flags=FLAGS)


def test_a_term_that_grows_beyond_all_measure_stops_too(tmp_path):
    term = Scaled()
    term.size = 2 * LARGEST_TERM
    sentence = rf"^generator/scaled has diverged, to 3\.36e\+07, by round 5 \(80 images\): lower .*{LAST}"
    with pytest.raises(RunError, match=sentence):
        start(tmp_path, model_with(term, "growing"), flags=FLAGS)
    assert api.open(1, tmp_path).record.status == "failed"


def test_an_overflow_of_bf16_alone_is_found(tmp_path):
    watched, flags = model_with(Overflowing(), "overflowing"), {**FLAGS, "images": 96}
    run = start(tmp_path / "fp32", watched, flags=flags)
    assert run.record.status == "finished"
    assert run.stats()[-1]["generator/scaled"] == pytest.approx(1.0)
    sentence = r"^generator/scaled was not a finite number in round 4 \(64 images\); .* is \S*000000032$"
    with pytest.raises(RunError, match=sentence):
        start(tmp_path / "bf16", watched, flags={**flags, "precision": "bf16"})


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=[] if name == "infogan" else pytest.mark.slow) for name in MODELS]
)
@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_a_rate_of_ten_ends_in_the_sentence_and_not_in_a_black_picture(tmp_path, model, precision):
    flags = {**FLAGS, "save_every": 64, "precision": precision}
    with pytest.raises(RunError) as caught:
        start(tmp_path, model, flags=flags, generator_lr=10.0, critic_lr=10.0)
    sentence = str(caught.value)
    assert re.match(r"\S+ (has diverged, (with weights|to) |was not (a finite number in|finite by) round )", sentence)
    assert re.search(
        r"round \d+( \(\d+ images\))?(: lower the rates of learning)?; there is no checkpoint yet$", sentence
    )
    run = api.open(1, tmp_path)
    assert run.record.message == str(caught.value)
    assert pictures(run) == {}


@pytest.mark.parametrize(
    "options", [{"generator_lr": 10.0}, pytest.param({"critic_lr": 10.0}, marks=pytest.mark.slow)], ids=str
)
def test_either_side_is_found_though_the_losses_may_look_well(tmp_path, options):
    with pytest.raises(RunError, match=rf"^{next(iter(options)).removesuffix('_lr')} has diverged, with weights "):
        start(tmp_path, "gan", flags=FLAGS, **options)


def test_networks_that_learn_are_far_from_the_limit():
    playing = trainer("infogan")
    for _ in range(5):
        playing.play_round()
    playing.check_finite()
    assert max(size(network) for network in playing.game.networks.values()) < SMALLEST_LIMIT / 10


def test_large_weights_from_the_start_are_no_divergence():
    large = nn.Linear(4, 4)
    nn.init.constant_(large.weight, 50.0)
    health = Health({"large": large, "none": nn.ReLU()})
    assert health.diverged({"critic/adversarial": 1.0}) is None
    nn.init.constant_(large.weight, 2 * GROWTH * 50.0)
    assert str(health.diverged({})).startswith("large has diverged, with weights 200 times those at the start")


@pytest.mark.parametrize("place", ["weight", "running_mean"])
def test_a_weight_or_buffer_that_is_not_finite_is_named(place):
    network = nn.BatchNorm1d(3)
    health = Health({"critic": network})
    assert health.not_finite() is None
    getattr(network, place).data[1] = math.nan
    assert health.not_finite() == f"critic.{place}"


def test_finite_values_whose_squares_overflow_are_finite():
    network = nn.Linear(3, 3)
    nn.init.constant_(network.weight, 1e30)
    health = Health({"critic": network})
    assert health.not_finite() is None
    network.register_buffer("small", torch.ones(2).to(torch.float8_e4m3fn))
    assert health.not_finite() is None
    network.bias.data[2] = math.inf
    assert health.not_finite() == "critic.bias"
