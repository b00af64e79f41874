import math

import pytest
import torch
from helpers import Reader
from subjects import by_name, subject
from torch import Tensor

from ganzoo.core.latent import LatentSpec
from ganzoo.core.latents import Latents
from ganzoo.evaluation.metrics.information import Information
from ganzoo.evaluation.score import Score, Unavailable

N = 400


def measured(latent: str, shown, n: int = N, **more: object) -> dict[str, Score]:
    """The scores where the critic's heads say what ``shown`` makes of the latents, (N, all head widths)."""
    space = LatentSpec.parse(latent)

    def fakes(latents: Latents) -> Tensor:
        return torch.cat([torch.zeros(len(latents), 1), shown(latents)], dim=1)

    width = 1 + sum(space.head_width(name) for name in space.codes)
    made = subject(
        train=torch.zeros(8, width), fakes=fakes, latent=space, critic=Reader(space.codes), samples=n, **more
    )
    return by_name(Information().scores(made))


def test_a_perfect_head_finds_all_that_the_code_says() -> None:
    (score,) = measured("z: normal(1), c: categorical(5) code", lambda x: 1e4 * x["c"]).values()
    assert score.name == "information/c" and score.unit == "nats"
    assert score.value == pytest.approx(math.log(5))
    assert score.details["entropy"] == pytest.approx(math.log(5)) and score.details["standard_error"] == 0
    assert "1.609" in score.note and str(N) in score.protocol


def test_a_head_that_says_the_prior_finds_nothing() -> None:
    (score,) = measured("c: categorical(5) code", lambda x: torch.zeros(len(x), 5)).values()
    assert score.value == pytest.approx(0, abs=1e-6)


def test_a_head_that_is_half_sure_finds_what_the_closed_form_says() -> None:
    # Q gives the true class the probability e / (e + 2).
    (score,) = measured("c: categorical(3) code", lambda x: x["c"]).values()
    assert score.value == pytest.approx(math.log(3) + math.log(math.e / (math.e + 2)))


def test_a_wrong_head_finds_less_than_nothing() -> None:
    (score,) = measured("c: categorical(3) code", lambda x: 5 * x["c"].roll(1, dims=1)).values()
    assert score.value < -2


def test_the_entropy_is_that_of_the_true_prior() -> None:
    latent = "c: categorical(2, probs=[0.9, 0.1]) code"
    (score,) = measured(latent, lambda x: 1e4 * x["c"]).values()
    assert score.details["entropy"] == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))
    assert score.value == pytest.approx(score.details["entropy"])


def test_a_continuous_code_with_fixed_noise_has_its_closed_form_and_no_ceiling() -> None:
    (score,) = measured("s: uniform(2, sigma=0.5) code", lambda x: x["s"]).values()
    density = -2 * (math.log(0.5) + 0.5 * math.log(2 * math.pi))
    assert score.value == pytest.approx(2 * math.log(2) + density, rel=1e-5)
    assert "entropy" not in score.details and "no ceiling" in score.note


def test_the_standard_error_is_that_of_the_mean() -> None:
    latent = "s: normal(1, sigma=1.0) code"
    (score,) = measured(latent, lambda x: torch.zeros(len(x), 1)).values()
    log_q = -0.5 * math.log(2 * math.pi) - LatentSpec.parse(latent).sample(N, 0)["s"].double() ** 2 / 2
    assert score.details["standard_error"] == pytest.approx(float(log_q.std()) / math.sqrt(N))
    assert abs(score.value) < 5 * score.details["standard_error"]


def test_every_recognised_variable_has_a_score() -> None:
    latent = "z: normal(1), a: categorical(2) code, b: bernoulli(2) code"
    scores = measured(latent, lambda x: torch.cat([1e4 * x["a"], torch.zeros(len(x), 2)], dim=1))
    assert scores["information/a"].value == pytest.approx(math.log(2))
    assert scores["information/b"].value == pytest.approx(0, abs=1e-6)


def test_a_critic_that_sees_the_condition_is_told_the_one_behind_each_sample() -> None:
    space = LatentSpec.parse("k: categorical(3) condition, c: categorical(2) code")
    critic = Reader(space.codes)
    made = subject(
        train=torch.zeros(8, 3), fakes=lambda x: torch.zeros(len(x), 3), latent=space, critic=critic, samples=N
    )
    list(Information().scores(made))
    assert torch.equal(torch.cat(critic.conditions), made.latents()["k"])


def test_a_critic_without_heads_has_nothing_to_measure() -> None:
    with pytest.raises(Unavailable, match="recognises no variable"):
        measured("z: normal(2)", lambda x: torch.zeros(len(x), 1))


def test_a_few_samples_are_refused() -> None:
    with pytest.raises(Unavailable, match="at least 100 generated samples, and got 20"):
        measured("c: categorical(2) code", lambda x: x["c"], n=20)
