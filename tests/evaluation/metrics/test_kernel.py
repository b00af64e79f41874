import math

import numpy as np
import pytest
import torch
from degraded import DEGRADATIONS, degraded, features, reference
from subjects import by_name, subject, uniform
from torch import Tensor
from torchmetrics.image.kid import KernelInceptionDistance

from ganzoo.evaluation.metrics import kernel
from ganzoo.evaluation.metrics.kernel import Kernel, kernel_distance
from ganzoo.evaluation.score import Unavailable


def normal(n: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(a: Tensor, b: Tensor) -> float:
    """The distance with everything in one subset, so that nothing is left to chance."""
    return kernel_distance(a, b, subsets=1, size=len(a)).mean


def discrepancy(a: Tensor, b: Tensor) -> float:
    """The unbiased estimator, pair after pair."""
    x, y = a.numpy(), b.numpy()
    n, width = x.shape

    def cubic(first: np.ndarray, second: np.ndarray) -> float:
        return (first @ second / width + 1) ** 3

    within = sum(cubic(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j)
    across = sum(cubic(x[i], y[j]) for i in range(n) for j in range(n))
    return within / (n * (n - 1)) - 2 * across / n**2


def test_one_subset_of_everything_is_the_unbiased_discrepancy() -> None:
    a, b = normal(12, 5), normal(12, 5, seed=1) * 2 + 1
    assert whole(a, b) == pytest.approx(discrepancy(a, b), rel=1e-12)


def test_points_have_the_closed_form() -> None:
    # Two sets of copies of 0 and of (2, 2): kernels 1, (8 / 2 + 1)³ = 125 and, across, 1.
    zeros, twos = torch.zeros(20, 2), torch.full((20, 2), 2.0)
    assert whole(zeros, twos) == pytest.approx(1 + 125 - 2)
    assert whole(twos, twos) == pytest.approx(0)
    assert kernel_distance(zeros, twos, subsets=3, size=5).spread == pytest.approx(0)


def test_number_is_torchmetrics_own_under_the_same_random_state() -> None:
    a, b = normal(60, 5), normal(50, 5, seed=1) * 1.5
    with pytest.warns(UserWarning, match="save all extracted features"):
        theirs = KernelInceptionDistance(torch.nn.Identity(), subsets=7, subset_size=20)
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        mean, spread = theirs.compute()
    ours = kernel_distance(a, b, seed=11, subsets=7, size=20)
    assert ours == (pytest.approx(float(mean)), pytest.approx(float(spread)))


def test_same_seed_gives_the_same_number_and_the_global_random_state_stays() -> None:
    a, b = normal(60, 5), normal(60, 5, seed=1)
    before = torch.get_rng_state()
    first = kernel_distance(a, b, seed=1, subsets=5, size=20)
    assert torch.get_rng_state().equal(before)
    torch.rand(3)
    assert kernel_distance(a, b, seed=1, subsets=5, size=20) == first
    assert kernel_distance(a, b, seed=2, subsets=5, size=20) != first


def test_equal_sets_shuffled_rows_and_halves_of_one_distribution() -> None:
    a, b = normal(300, 6), normal(300, 6, seed=1)
    assert whole(a, b[torch.arange(299, -1, -1)]) == pytest.approx(whole(a, b), rel=1e-9)
    # Unbiased, so below zero where the sets are the same: the pairs of a point with its copy count across alone.
    assert -0.1 < whole(a, a) < 0
    assert abs(whole(a, b)) < 0.1 < whole(a, b + 1)


def test_features_that_are_not_finite_have_no_distance() -> None:
    broken = normal(30, 3)
    broken[4, 1] = math.nan
    assert math.isnan(whole(broken, normal(30, 3)))


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_distance_rises_the_worse_the_digits(kind: str) -> None:
    real = features(reference())
    distances = [whole(real, features(worse)) for worse in degraded(kind)]
    assert distances == sorted(distances)
    assert distances[1] > 1.5 * distances[0]


@pytest.mark.parametrize(("setting", "subsets"), [("fast", 20), ("full", 100)])
def test_score_says_what_it_rests_on(setting: str, subsets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "SUBSET_SIZE", 100)
    train, test, fakes = uniform(500, 4), uniform(450, 4, seed=1), uniform(400, 4, seed=2) * 0.5
    measured = subject(train, test, fakes, setting=setting)
    score = by_name(Kernel().scores(measured))["kernel_distance"]
    assert score.value is not None and score.floor is not None and score.ceiling is not None
    assert abs(score.floor) < 0.02 < score.value
    assert abs(score.ceiling) < 0.02  # these data are noise
    assert score.details["subset_spread"] > 0
    assert (score.samples, score.real, score.split, score.better) == (400, 450, "test", "lower")
    assert score.protocol == (
        f"values features, cubic polynomial, {subsets} subsets of 100 of 400 generated samples to 450 of the test split"
    )
    torch.rand(1)  # nothing but the subject counts
    assert by_name(Kernel().scores(measured))["kernel_distance"] == score


@pytest.mark.parametrize(("test", "fakes", "short"), [(1000, 999, "generated"), (999, 1000, "test")])
def test_fewer_samples_than_a_subset_are_refused(test: int, fakes: int, short: str) -> None:
    few = subject(uniform(1000, 2), uniform(test, 2), uniform(fakes, 2))
    with pytest.raises(Unavailable, match=f"needs at least 1,000 {short} samples, and got 999"):
        list(Kernel().scores(few))
