import math

import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from subjects import Told, by_name, subject, uniform
from torch import Tensor

from ganzoo.core.critic import Verdict
from ganzoo.evaluation.metrics.critic_accuracy import CriticAccuracy, separation
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject


def gaussian(n: int, mean: float = 0.0, seed: int = 0) -> Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(seed)) + mean


def score(told: Subject) -> Score:
    return by_name(CriticAccuracy().scores(told))["critic_accuracy"]


def judged(real: Tensor, fakes: Tensor, train: Tensor | None = None, **more: object) -> Score:
    return score(subject(gaussian(len(real), seed=9) if train is None else train, real, fakes, range=(-9, 9), **more))


def test_a_critic_that_has_won_is_always_right() -> None:
    found = judged(gaussian(400, 8), gaussian(400, -8))
    assert found.value == 1
    assert found.details["auc"] == 1


def test_samples_of_one_distribution_cannot_be_told_apart() -> None:
    found = judged(gaussian(4_000), gaussian(4_000, seed=1), gaussian(4_000, seed=2))
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert found.floor == pytest.approx(0.5, abs=0.03)
    assert found.details["auc"] == pytest.approx(0.5, abs=0.03)
    assert found.details["training_auc"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("offset", [0.0, 5.0])  # where the zero of the realness lies does not matter
def test_two_gaussians_are_told_apart_as_in_theory(offset: float) -> None:
    accuracy, auc = separation(gaussian(20_000, 1 + offset)[:, 0], gaussian(20_000, -1 + offset, seed=1)[:, 0])
    assert accuracy == pytest.approx(norm.cdf(1), abs=0.01)
    assert auc == pytest.approx(norm.cdf(2 / math.sqrt(2)), abs=0.01)


def test_a_critic_that_prefers_fakes_is_no_better_than_chance_and_its_area_says_so() -> None:
    accuracy, auc = separation(gaussian(1_000, -2)[:, 0], gaussian(1_000, 2, seed=1)[:, 0])
    assert accuracy == pytest.approx(0.5, abs=0.02)
    assert auc < 0.05


def test_unequal_numbers_count_alike() -> None:
    many, few = gaussian(9_000, 1)[:, 0], gaussian(900, -1, seed=1)[:, 0]
    accuracy, auc = separation(many, few)
    assert accuracy == pytest.approx(norm.cdf(1), abs=0.03)
    truth = [1] * 9_000 + [0] * 900
    assert auc == pytest.approx(roc_auc_score(truth, torch.cat([many, few]).numpy()))


def test_a_critic_that_remembers_its_training_samples_is_noticed() -> None:
    assert judged(gaussian(400), gaussian(400), gaussian(400, 3)).details["training_auc"] > 0.9


class Patchy(Told):
    """One realness a value."""

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        return super().forward(samples)._replace(realness=samples[:, None, :] - 1)


def test_patches_count_by_their_mean() -> None:
    real, fakes = uniform(300, 4) + 0.5, uniform(300, 4, seed=1)
    whole, patches = (
        score(subject(uniform(300, 4), real, fakes, range=(-9, 9), critic=critic)) for critic in (Told(), Patchy())
    )
    assert patches.value == pytest.approx(whole.value)


class Conditional(Told):
    """Real is what shows the class that it is said to be."""

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        assert condition is not None
        told = condition.argmax(dim=1)
        return super().forward(samples)._replace(realness=-(samples[:, 0] - told).abs() * condition.sum(dim=1))


def test_a_critic_that_sees_conditions_is_shown_labels_of_real_samples_and_what_fakes_were_asked_for() -> None:
    labels = torch.arange(300) % 3
    unknown = torch.where(torch.arange(300) < 200, labels, -1)
    values = labels[:, None].float()
    wrong = torch.where(unknown < 0, 99.0, values[:, 0])[:, None]  # what has no label is not judged
    latent = "z: normal(2), label: categorical(3) condition"
    for shift, accuracy in ((0, 0.5), (1, 1.0)):
        told = subject(
            values, wrong, lambda latents, shift=shift: latents["label"].argmax(1, keepdim=True) + shift,
            labels=labels, test_labels=unknown, latent=latent, critic=Conditional(), range=(-99, 99), samples=300,
        )  # fmt: skip
        found = score(told)
        assert found.value == accuracy
        assert found.real == 200


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(Unavailable, match="at least 100 generated samples, and got 60"):
        judged(gaussian(400), gaussian(60))
    with pytest.raises(Unavailable, match="at least 100 real test samples, and got 60"):
        judged(gaussian(60), gaussian(400), gaussian(400))
    with pytest.raises(Unavailable, match="realness is not finite"):
        separation(torch.tensor([1.0, math.nan]), torch.zeros(2))
    latent = "z: normal(2), label: categorical(3) condition"
    labels = torch.arange(300) % 3
    with pytest.raises(Unavailable, match="has no label label to show the critic"):
        score(subject(uniform(300, 2), labels=labels, latent=latent, critic=Conditional()))
