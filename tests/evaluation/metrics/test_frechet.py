import math

import numpy as np
import pytest
import torch
from degraded import DEGRADATIONS, degraded, features, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from subjects import by_name, subject, uniform
from torch import Tensor
from torchmetrics.image.fid import FrechetInceptionDistance

from ganzoo.evaluation.metrics.frechet import Frechet, frechet_distance
from ganzoo.evaluation.score import Unavailable


def normal(n: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def exactly(mean: Tensor, covariance: Tensor, n: int = 50, seed: int = 0) -> Tensor:
    """Samples whose own mean and unbiased covariance are these."""
    samples = normal(n, len(mean), seed)
    samples -= samples.mean(0)
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(samples.T.cov()), samples.T, upper=False).T
    return white @ torch.linalg.cholesky(covariance).T + mean


def test_diagonal_gaussians_have_the_closed_form() -> None:
    mean, other_mean = torch.tensor([[0.0, 1, -2], [0.5, 1, 3]]).double()
    deviation, other_deviation = torch.tensor([[1.0, 2, 0.5], [3, 2, 0.1]]).double()
    a = exactly(mean, deviation.square().diag(), seed=0)
    b = exactly(other_mean, other_deviation.square().diag(), n=70, seed=1)
    expected = (mean - other_mean).square().sum() + (deviation - other_deviation).square().sum()
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-9)


def test_full_covariances_agree_with_scipys_matrix_root() -> None:
    mixing = normal(6, 6, seed=3)
    a, b = normal(200, 6) @ mixing + 1, normal(300, 6, seed=1) * 2
    first, second = np.cov(a.numpy().T), np.cov(b.numpy().T)
    root = sqrtm(first @ second)
    expected = float((a.mean(0) - b.mean(0)).square().sum()) + np.trace(first + second - 2 * np.real(root))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)


def test_number_is_torchmetrics_own_on_the_same_features() -> None:
    a, b = normal(100, 12).float(), normal(90, 12, seed=1).float() * 1.5 + 0.2
    theirs = FrechetInceptionDistance(torch.nn.Flatten(), input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    theirs.update(a.reshape(-1, 3, 2, 2), real=True)
    theirs.update(b.reshape(-1, 3, 2, 2), real=False)
    assert frechet_distance(a, b) == pytest.approx(float(theirs.compute()), rel=1e-6)


def test_identical_shuffled_and_duplicated_features() -> None:
    a, b = normal(400, 8), normal(400, 8, seed=1) + 1
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a.flip(0)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, b.roll(7, 0)) == pytest.approx(frechet_distance(a, b), rel=1e-9)
    # Copies change a set's covariance by the factor of its unbiasedness alone.
    assert frechet_distance(a, torch.cat([a, a])) == pytest.approx(0, abs=1e-4)


def test_constant_features_differ_by_their_means_and_by_all_of_the_others_variance() -> None:
    constant = torch.ones(50, 4).double()
    spread = exactly(torch.zeros(4).double(), torch.tensor([1.0, 2, 3, 4]).double().diag())
    assert frechet_distance(constant, constant) == 0
    assert frechet_distance(constant, constant * 3) == pytest.approx(16)
    assert frechet_distance(constant, spread) == pytest.approx(4 + 10)


def test_features_that_are_not_finite_have_no_distance() -> None:
    broken = normal(20, 3)
    broken[4, 1] = math.nan
    assert math.isnan(frechet_distance(broken, normal(20, 3)))


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_distance_is_symmetric_keeps_under_rigid_motion_and_scales(seed: int, scale: float, shift: float) -> None:
    a, b = normal(60, 4, seed), normal(60, 4, seed + 1) * 2 + 1
    turn = torch.linalg.qr(normal(4, 4, seed + 2)).Q
    distance = frechet_distance(a, b)
    assert distance >= 0
    assert frechet_distance(b, a) == pytest.approx(distance, rel=1e-7)
    assert frechet_distance((a @ turn + shift) * scale, (b @ turn + shift) * scale) == pytest.approx(
        distance * scale**2, rel=1e-6
    )


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_distance_rises_the_worse_the_digits(kind: str) -> None:
    real = features(reference())
    distances = [frechet_distance(real, features(worse)) for worse in degraded(kind)]
    assert distances == sorted(distances)
    assert distances[1] > 1.5 * distances[0]


def test_score_says_what_it_rests_on() -> None:
    train, test, fakes = uniform(300, 3, 4), uniform(250, 3, 4, seed=1), uniform(280, 3, 4, seed=2) * 0.5
    measured = subject(train, test, fakes)
    score = by_name(Frechet().scores(measured))["frechet_distance"]
    flat = [each.flatten(1) for each in (measured.real("test", 250).values, fakes, measured.real("train", 280).values)]
    assert score.value == pytest.approx(frechet_distance(flat[0], flat[1]))
    assert score.floor == pytest.approx(frechet_distance(flat[0], flat[2]))
    assert score.floor is not None and score.value is not None and score.floor < score.value
    assert score.ceiling == pytest.approx(frechet_distance(flat[0], measured.noise(280).flatten(1)))
    assert (score.samples, score.real, score.split, score.better) == (280, 250, "test", "lower")
    assert score.protocol == "values features, 280 generated samples to 250 of the test split"
    assert (score.extractor, score.note) == ("values", "not an FID")


def test_noise_that_fills_the_range_is_its_own_ceiling() -> None:
    score = by_name(Frechet().scores(subject(torch.zeros(100, 2), torch.zeros(100, 2), uniform(100, 2))))
    found = score["frechet_distance"]
    assert found.floor == 0
    assert found.value == pytest.approx(found.ceiling, rel=0.5)


@pytest.mark.parametrize(
    ("test", "fakes", "message"),
    [
        (40, 9, "needs at least 10 generated samples for features of width 8, and got 9"),
        (9, 40, "needs at least 10 test samples for features of width 8, and got 9"),
    ],
)
def test_fewer_samples_than_a_covariance_needs_are_refused(test: int, fakes: int, message: str) -> None:
    few = subject(uniform(40, 8), uniform(test, 8), uniform(fakes, 8))
    with pytest.raises(Unavailable, match=message):
        list(Frechet().scores(few))


def test_floor_of_fewer_samples_than_are_generated_says_so() -> None:
    score = by_name(Frechet().scores(subject(uniform(30, 8), uniform(40, 8), uniform(40, 8))))["frechet_distance"]
    assert score.floor is not None
    assert score.note == "not an FID; real data is of 30 training samples, all there are, and too high for so few"


def test_floor_is_left_out_where_the_training_split_is_too_small_for_it() -> None:
    score = by_name(Frechet().scores(subject(uniform(9, 8), uniform(40, 8), uniform(40, 8))))["frechet_distance"]
    assert score.value is not None
    assert score.floor is None
