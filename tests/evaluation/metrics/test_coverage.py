import math

import pytest
import torch
from degraded import DEGRADATIONS, degraded, features, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from subjects import by_name, subject, uniform
from torch import Tensor

from ganzoo.evaluation.metrics import coverage
from ganzoo.evaluation.metrics.coverage import Coverage, manifold_scores
from ganzoo.evaluation.score import Unavailable


def normal(n: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def on_a_line(*values: float) -> Tensor:
    return torch.tensor(values).unsqueeze(1)


@pytest.mark.parametrize(("n", "m", "width", "k"), [(300, 300, 8, 5), (211, 320, 3, 3), (100, 60, 40, 1)])
def test_scores_are_those_of_the_authors_code(n: int, m: int, width: int, k: int) -> None:
    real, fake = normal(n, width), normal(m, width, seed=1) * 0.8 + 0.4
    theirs = compute_prdc(real.numpy(), fake.numpy(), k)
    assert manifold_scores(real, fake, k)._asdict() == pytest.approx(theirs, abs=1e-12)


def test_four_points_on_a_line_by_hand() -> None:
    # Each real ball reaches 1 to either side, save that around 7, which reaches 4.
    # The fakes' balls reach 1.5, 1.5 and 8.
    found = manifold_scores(on_a_line(1, 2, 3, 7), on_a_line(2.5, 4, 12), k=1)
    assert found.precision == pytest.approx(2 / 3)  # 2.5 by those of 2 and 3; 4 by those of 3 and, just, 7; 12 by none
    assert found.recall == 1  # 1 and 2 by that of 2.5, 3 by both, 7 by that of 12
    assert found.density == pytest.approx((2 + 2) / 3)
    assert found.coverage == pytest.approx(3 / 4)  # nothing is near 1


def test_equal_sets_agree_in_everything() -> None:
    a = normal(150, 6)
    for b in (a, a.flip(0)):
        found = manifold_scores(a, b)
        assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
        # A point lies in its own ball and in those of which it is a neighbour, k + 1 on average.
        assert found.density == pytest.approx(6 / 5)


def test_far_sets_agree_in_nothing() -> None:
    assert manifold_scores(normal(50, 3), normal(50, 3, seed=1) + 100) == (0, 0, 0, 0)


def test_constant_features_are_one_point() -> None:
    constant = torch.full((40, 3), 7.3)
    assert manifold_scores(constant, constant)[:2] == (1, 1)
    assert manifold_scores(constant, constant).coverage == 1
    assert manifold_scores(constant, constant + 1) == (0, 0, 0, 0)


def test_a_few_values_many_times_are_no_obstacle() -> None:
    corners = torch.tensor([[0.1, 0.3], [0.1, 0.9], [0.7, 0.3]])
    found = manifold_scores(corners.repeat(20, 1), corners[:2].repeat(30, 1))
    assert found.precision == 1
    assert found.recall == pytest.approx(2 / 3)
    assert found.coverage == pytest.approx(2 / 3)


def test_a_generator_of_one_good_sample_is_precise_and_covers_nothing() -> None:
    real = normal(200, 4)
    found = manifold_scores(real, real[:1].repeat(200, 1))
    assert found.precision == 1
    assert found.recall == pytest.approx(1 / 200)
    assert found.coverage < 0.1


def test_one_of_two_modes_halves_recall_and_coverage() -> None:
    modes = torch.arange(400)[:, None] % 2 * 50.0
    found = manifold_scores(normal(400, 2) + modes, normal(400, 2, seed=1))
    assert found.precision > 0.9
    assert (found.recall, found.coverage) == (pytest.approx(0.5, abs=0.02), pytest.approx(0.5, abs=0.02))


def test_result_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = normal(120, 5), normal(130, 5, seed=1)
    at_once = manifold_scores(real, fake)
    monkeypatch.setattr(coverage, "_BLOCK", 7)
    assert manifold_scores(real, fake) == at_once


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_scores_keep_under_rigid_motion_scale_and_order(seed: int, scale: float, shift: float) -> None:
    real, fake = normal(80, 4, seed), normal(70, 4, seed + 1) * 1.2
    turn = torch.linalg.qr(normal(4, 4, seed + 2)).Q
    moved = manifold_scores((real.flip(0) @ turn + shift) * scale, (fake.roll(3, 0) @ turn + shift) * scale)
    assert moved == pytest.approx(manifold_scores(real, fake))


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_recall_is_precision_the_other_way_round(seed: int) -> None:
    a, b = normal(60, 3, seed), normal(90, 3, seed + 1)
    assert manifold_scores(a, b).recall == manifold_scores(b, a).precision


def test_features_that_are_not_finite_have_no_scores() -> None:
    broken = normal(20, 3)
    broken[4, 1] = math.nan
    assert all(math.isnan(value) for value in manifold_scores(broken, normal(20, 3)))
    assert all(math.isnan(value) for value in manifold_scores(normal(20, 3), broken))


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_coverage_falls_once_digits_are_much_worse(kind: str) -> None:
    real = features(reference())
    first, *_, before, much, most = (manifold_scores(real, features(worse)).coverage for worse in degraded(kind))
    assert before >= much >= most  # which may be 0 long before the worst
    assert first > most
    assert most < 0.7 * first


def test_scores_say_what_they_rest_on() -> None:
    train, test, fakes = uniform(1500, 2), uniform(1200, 2, seed=1), uniform(1300, 2, seed=2) * 0.5
    found = by_name(Coverage().scores(subject(train, test, fakes)))
    assert list(found) == ["precision", "recall", "density", "coverage"]
    for name, score in found.items():
        assert (score.samples, score.real, score.split, score.better) == (1200, 1200, "test", "higher")
        assert score.unit == ("" if name == "density" else "share")
        assert score.protocol == "values features, k = 5, 1,200 generated samples and as many of the test split"
        assert score.floor is not None
        assert score.floor == pytest.approx(score.ceiling, abs=0.1)  # these data are noise
    assert found["precision"].value == 1
    assert found["recall"].value == pytest.approx(0.25, abs=0.1)
    assert found["coverage"].value == pytest.approx(0.25, abs=0.1)
    assert found["density"].value == pytest.approx(1, abs=0.1)


def test_no_side_has_more_samples_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "LARGEST", 1000)
    found = by_name(Coverage().scores(subject(uniform(1500, 2), uniform(1200, 2, seed=1), uniform(1300, 2, seed=2))))
    assert all(score.samples == score.real == 1000 for score in found.values())
    assert found["recall"].protocol.endswith("1,000 generated samples and as many of the test split")


@pytest.mark.parametrize(("test", "fakes", "short"), [(1000, 999, "generated"), (999, 1000, "test")])
def test_too_few_samples_are_refused(test: int, fakes: int, short: str) -> None:
    few = subject(uniform(1000, 2), uniform(test, 2), uniform(fakes, 2))
    with pytest.raises(Unavailable, match=f"needs at least 1,000 {short} samples, and got 999"):
        list(Coverage().scores(few))


def test_floor_is_left_out_where_the_training_split_is_smaller() -> None:
    found = by_name(Coverage().scores(subject(uniform(900, 2), uniform(1000, 2, seed=1), uniform(1000, 2, seed=2))))
    assert all(score.floor is None and score.value is not None for score in found.values())
