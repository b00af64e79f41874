import pytest
import torch
from helpers import Reader
from subjects import Told, by_name, subject, uniform
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation.metrics.clusters import Clusters
from ganzoo.evaluation.score import Score

CLASSES = torch.arange(300) % 3


class Sorting(Told):
    """Features that lie in a direction a class."""

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {"features": one_hot(samples[:, 0].round().long(), 3) + 0.01 * samples[:, 1:4]}


def found(values: Tensor, **more: object) -> dict[str, Score]:
    labels = {"labels": CLASSES, "test_labels": CLASSES}
    return by_name(Clusters().scores(subject(values, values.clone(), range=(-9, 9), **{**labels, **more})))


def test_clusters_that_are_the_classes_make_no_error() -> None:
    values = torch.cat([CLASSES[:, None].float(), uniform(300, 3)], dim=1)
    score = found(values, critic=Sorting())["clusters_error/critic"]
    assert score.value == 0
    assert sorted(score.details["matching"]) == [0, 1, 2]
    assert score.unit == "share"
    assert score.better == "lower"


def test_clusters_of_noise_are_chance_or_little_better() -> None:
    shuffled = CLASSES[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    error = found(uniform(300, 3), labels=shuffled, test_labels=shuffled)["clusters_error/values"].value
    assert error == pytest.approx(2 / 3, abs=0.08)


def test_a_constant_is_one_cluster() -> None:
    assert found(torch.ones(300, 2))["clusters_error/values"].value == pytest.approx(2 / 3)


def test_the_length_of_features_does_not_matter_but_that_of_values_does() -> None:
    angle = CLASSES / 2 + 0.05 * uniform(300)
    length = torch.rand(300, generator=torch.Generator().manual_seed(1)) * 8 + 0.1
    values = length[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    scores = found(values)
    assert scores["clusters_error/critic"].value == 0
    assert scores["clusters_error/values"].value > 0.1  # type: ignore[operator]


def test_the_codes_own_error_stands_beside() -> None:
    latent = LatentSpec.parse("z: normal(2), many: categorical(5) code, category: categorical(3) code")
    critic = Reader(latent.codes)
    critic.layers = lambda samples, condition=None: {"all": samples}  # type: ignore[method-assign]
    wrong = CLASSES.clone()
    wrong[:30] = (wrong[:30] + 1) % 3
    values = torch.cat([torch.zeros(300, 6), one_hot(wrong, 3)], dim=1)
    score = found(values, critic=critic, latent=latent)["clusters_error/codes"]
    assert score.value == pytest.approx(0.1)
    assert "Q(category|x)" in score.protocol  # of as many categories as there are classes
    assert score.note == ""


def test_the_error_of_more_codes_than_classes_says_so() -> None:
    latent = LatentSpec.parse("z: normal(2), many: categorical(5) code")
    critic = Reader(latent.codes)
    critic.layers = lambda samples, condition=None: {"all": samples}  # type: ignore[method-assign]
    score = found(uniform(300, 6), critic=critic, latent=latent)["clusters_error/codes"]
    assert "5 codes for 3 classes" in score.note


def test_the_same_seed_gives_the_same_clusters() -> None:
    values = uniform(300, 3)
    assert found(values) == found(values)
