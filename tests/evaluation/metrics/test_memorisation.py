import math

import pytest
import torch
from scipy.spatial.distance import cdist
from subjects import by_name, subject, uniform
from torch import Tensor

from ganzoo.evaluation.metrics.memorisation import Memorisation, copying_z, nearness
from ganzoo.evaluation.score import Score, Unavailable

N = 2_000


def gaussian(n: int, seed: int, width: int = 6) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


TRAIN, TEST, FRESH = (gaussian(N, seed) for seed in range(3))


def found(fakes: Tensor, train: Tensor = TRAIN, test: Tensor = TEST, **more: object) -> Score:
    return by_name(Memorisation().scores(subject(train, test, fakes, range=(-99, 99), **more)))["memorisation"]


def test_copies_of_training_samples_are_flagged() -> None:
    score = found(TRAIN.clone())
    assert score.value == 1
    assert score.details["z"] < -30
    assert score.details["median"] == 0


def test_noisy_copies_are_flagged() -> None:
    assert found(TRAIN + 0.02 * FRESH).value > 0.95  # type: ignore[operator]


def test_fresh_samples_are_not() -> None:
    score = found(FRESH)
    assert score.value == pytest.approx(0.01, abs=0.007)
    assert score.floor == pytest.approx(0.01, abs=0.007)
    assert abs(score.details["z"]) < 3


def test_a_tenth_of_copies_is_a_tenth_that_the_mean_rank_hardly_shows() -> None:
    score = found(torch.cat([TRAIN[: N // 10], FRESH[N // 10 :]]))
    assert score.value == pytest.approx(0.11, abs=0.01)
    assert score.details["z"] > -6


def test_samples_that_are_merely_typical_are_no_copies() -> None:
    score = found(0.5 * FRESH)  # nearer to the middle, where training samples are dense
    assert score.details["z"] < -10
    assert score.value < 0.02  # type: ignore[operator]


def test_copies_are_found_among_many_values_too() -> None:
    basis = gaussian(6, 7, 150)
    train, test, fresh = (each @ basis + 0.1 * gaussian(N, 8 + i, 150) for i, each in enumerate((TRAIN, TEST, FRESH)))
    assert found(train.clone(), train, test).value == 1
    assert found(fresh, train, test).value < 0.03  # type: ignore[operator]
    assert "64 principal components" in found(fresh, train, test).protocol


def test_nearness_is_the_distance_over_the_mean_of_those_that_follow() -> None:
    samples, data = uniform(20, 3), uniform(200, 3, seed=1)
    ratio, distance = nearness(samples, data)
    sorted_distances = torch.from_numpy(cdist(samples.numpy(), data.numpy())).sort(1).values
    assert torch.allclose(distance.double(), sorted_distances[:, 0], atol=1e-5)
    assert torch.allclose(ratio.double(), sorted_distances[:, 0] / sorted_distances[:, 1:51].mean(1), atol=1e-5)


def test_where_all_training_samples_are_alike_none_is_copied() -> None:
    ratio, distance = nearness(torch.ones(2, 3) * 1e3, torch.ones(60, 3) * 1e3)
    assert ratio.tolist() == [1, 1]
    assert distance.tolist() == [0, 0]


def test_z_is_the_standard_score_of_u() -> None:
    low, high = torch.arange(30.0), torch.arange(30.0) + 30
    expected = 450 / math.sqrt(900 * 61 / 12)
    assert copying_z(low, high) == pytest.approx(-expected)
    assert copying_z(high, low) == pytest.approx(expected)
    assert copying_z(low, low) == 0


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(Unavailable, match="200 generated samples, and got 100; raise --samples"):
        found(FRESH[:100])
    with pytest.raises(Unavailable, match="200 real training samples, and got 100"):
        found(FRESH, TRAIN[:100])
    with pytest.raises(Unavailable, match="200 real test samples, and got 100"):
        found(FRESH, TRAIN, TEST[:100])
