"""Scores of representations whose score is known, and of small tables that were worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_classif

from ganzoo.evaluation.factor_scores import (
    beta_vae,
    dci,
    factor_vae,
    gap,
    importances,
    least_varying,
    mean_difference,
    mig,
    mutual_information,
    sap_matrix,
    spread,
)

SIZES = (3, 4, 5)
NUMBERS = (0, 0, 0)


def drawn(n: int, seed: int = 0, sizes: tuple[int, ...] = SIZES) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, sizes, (n, len(sizes)))


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3))


def whole_grid(sizes: tuple[int, ...] = SIZES) -> np.ndarray:
    return np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)


# --- information


def test_information_of_a_table_by_hand() -> None:
    # A code that says which half of four values a factor has, and one that says nothing.
    factors = np.array([[0], [1], [2], [3]] * 2)
    codes = np.column_stack([[0.0, 0, 1, 1] * 2, [0.0] * 4 + [1.0] * 4])
    information = mutual_information(codes, factors, (0, 0))
    assert information == pytest.approx(np.array([[math.log(2)], [0]]), abs=1e-12)
    assert mig(information, factors) == pytest.approx(0.5)


def test_gap_is_relative_to_the_entropy_of_an_uneven_factor() -> None:
    factors = np.array([[0]] * 6 + [[1]] * 2)
    codes = np.column_stack([factors[:, 0].astype(float), [0.0, 0, 0, 1, 1, 1, 0, 1]])
    h = entropy([0.75, 0.25])
    table = np.array([[3, 3], [1, 1]]) / 8
    none = entropy([0.75, 0.25]) + entropy([0.5, 0.5]) - entropy(table.ravel())
    assert mig(mutual_information(codes, factors, (0, 0)), factors) == pytest.approx((h - none) / h)


def test_classes_are_counted_as_they_are_and_numbers_in_twenty_bins() -> None:
    factors = np.arange(40)[:, None]
    codes = np.column_stack([np.arange(40.0)] * 2)
    assert mutual_information(codes, factors, (40, 0))[:, 0] == pytest.approx([math.log(40), math.log(20)])


def test_codes_that_are_the_factors_have_the_whole_gap() -> None:
    grid = whole_grid()
    assert mig(mutual_information(grid.astype(float), grid, NUMBERS), grid) == pytest.approx(1)


def test_gap_of_noise_is_small() -> None:
    factors = drawn(4000)
    assert mig(mutual_information(noise(4000), factors, NUMBERS), factors) < 0.01


def test_gap_vanishes_where_two_codes_share_a_factor_and_shrinks_under_a_rotation() -> None:
    grid = whole_grid((8, 8))
    codes = grid.astype(float)
    straight = mig(mutual_information(codes, grid, (0, 0)), grid)
    twins = mig(mutual_information(codes[:, [0, 0, 1, 1]], grid, (0,) * 4), grid)
    turned = codes @ (np.array([[1, -1], [1, 1]]) / math.sqrt(2))
    assert straight == pytest.approx(1)
    assert twins == pytest.approx(0, abs=1e-12)
    assert mig(mutual_information(turned, grid, (0, 0)), grid) < 0.1


# --- SAP


def test_gap_of_a_table_by_hand() -> None:
    assert gap(np.array([[0.9, 0.2], [0.5, 0.8], [0.6, 0.5]])) == pytest.approx((0.3 + 0.3) / 2)


def test_sap_of_codes_that_are_two_balanced_factors() -> None:
    grid = np.repeat(whole_grid((2, 2)), 50, axis=0)
    matrix = sap_matrix(grid.astype(float), grid, grid.astype(float), grid, (0, 0))
    # Each factor is told for certain by its own code, and by the other in half of the cases.
    assert matrix == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))
    assert gap(matrix) == pytest.approx(0.5)


def test_sap_reads_classes_that_have_no_order() -> None:
    factors = np.repeat(np.arange(6), 50)[:, None]
    shuffled = np.array([3, 0, 5, 1, 4, 2])[factors].astype(float)
    codes = np.hstack([shuffled, shuffled])
    matrix = sap_matrix(codes, factors, codes, factors, (6, 0))
    assert matrix[0, 0] == 1
    assert matrix[1, 0] < 0.7


def test_sap_is_measured_on_the_test_samples() -> None:
    grid = np.repeat(whole_grid((2, 2)), 50, axis=0)
    matrix = sap_matrix(grid.astype(float), grid, 1.0 - grid, grid, (0, 0))
    assert matrix.diagonal() == pytest.approx([0, 0])


# --- DCI


@pytest.mark.parametrize(
    ("matrix", "disentanglement", "completeness"),
    [
        (np.eye(3), 1, 1),
        (np.ones((3, 3)), 0, 0),
        (np.zeros((3, 3)), 0, 0),
        # Two codes for each factor: each follows one factor, but a factor is in two of four codes.
        (np.array([[0.5, 0], [0.5, 0], [0, 0.5], [0, 0.5]]), 1, 0.5),
        # One code for both factors.
        (np.array([[1.0, 1.0], [0, 0]]), 0, 1),
        # Of the importance 3 parts of 4 are in a code that is of one factor alone, 1 in one that is half of each.
        (np.array([[3.0, 0], [0.5, 0.5]]), 0.75, None),
    ],
)
def test_importances_by_hand(matrix: np.ndarray, disentanglement: float, completeness: float | None) -> None:
    found = dci(matrix, 0.5)
    assert found.disentanglement == pytest.approx(disentanglement, abs=1e-6)
    if completeness is None:
        first = 1 - entropy([3, 0.5], base=2)
        completeness = (3.5 * first + 0.5 * 1) / 4
    assert found.completeness == pytest.approx(completeness, abs=1e-6)
    assert found.informativeness == 0.5


@pytest.mark.parametrize("trees", ["boosting", "forest"])
def test_trees_find_which_code_is_which_factor(trees: str) -> None:
    factors, test = drawn(600, sizes=(3, 2, 3)), drawn(300, seed=5, sizes=(3, 2, 3))
    codes, test_codes = 2.0 * factors[:, [1, 2, 0]], 2.0 * test[:, [1, 2, 0]]
    found = dci(*importances(codes, factors, test_codes, test, NUMBERS, trees))
    assert min(found) > 0.97


def test_trees_find_nothing_in_noise() -> None:
    factors, test = drawn(400), drawn(400, seed=5)
    matrix, right = importances(noise(400), factors, noise(400, seed=2), test, NUMBERS, "forest")
    found = dci(matrix, right)
    assert found.disentanglement < 0.1 and found.completeness < 0.1
    assert found.informativeness == pytest.approx(np.mean([1 / size for size in SIZES]), abs=0.06)


def test_importance_of_a_class_is_that_of_all_its_columns() -> None:
    factors, test = drawn(600, sizes=(5, 4)), drawn(300, seed=5, sizes=(5, 4))
    shuffled = np.array([3, 0, 4, 1, 2])
    codes, test_codes = (np.column_stack([shuffled[each[:, 0]], each[:, 1]]).astype(float) for each in (factors, test))
    matrix, right = importances(codes, factors, test_codes, test, (5, 0), "forest")
    assert matrix.shape == (2, 2)
    assert min(dci(matrix, right)) > 0.95


def test_trees_are_the_same_for_a_seed() -> None:
    factors = drawn(200)
    first, again, other = (
        importances(noise(200), factors, noise(200), factors, NUMBERS, "forest", seed)[0] for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()


# --- FactorVAE


@given(st.lists(st.integers(0, 4), min_size=2, max_size=30))
def test_spread_is_the_unbiased_variance_or_half_the_share_of_unlike_pairs(values: list[int]) -> None:
    column = np.array(values, dtype=float)[:, None]
    unlike = np.mean([a != b for i, a in enumerate(values) for j, b in enumerate(values) if i != j])
    found = spread(np.hstack([column, column, column > 1]), (0, 5, 2))
    assert found[:2] == pytest.approx([np.var(values, ddof=1), unlike / 2])
    assert found[2] == pytest.approx(np.var(column > 1, ddof=1))


def test_least_varying_code_is_relative_to_its_overall_spread() -> None:
    batches = np.random.default_rng(0).normal(size=(5, 64, 3)) * [10, 1, 0.5]
    assert (least_varying(batches, np.array([1e4, 1.0, 0.25]), NUMBERS) == 0).all()
    assert (least_varying(batches, np.array([100, 100.0, 0.25]), NUMBERS) == 1).all()


def test_dead_codes_never_vary_least() -> None:
    batches = np.zeros((4, 8, 3))
    batches[..., 1] = np.random.default_rng(0).normal(size=(4, 8))
    assert (least_varying(batches, np.array([0, 1.0, 0.04**2]), NUMBERS) == 1).all()
    assert (least_varying(batches, np.array([0, 0, 0.04**2]), NUMBERS) == -1).all()


def test_votes_by_hand() -> None:
    least, fixed = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])
    value, votes = factor_vae(least, fixed, np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0]), (3, 2))
    assert votes.tolist() == [[2, 1], [0, 2], [0, 0]]
    assert value == 0.5


def test_representation_in_which_nothing_varies_scores_zero() -> None:
    none = np.full(4, -1)
    assert factor_vae(none, np.zeros(4, int), none, np.zeros(4, int), (2, 2))[0] == 0


# --- BetaVAE


def test_difference_is_a_distance_or_a_change_of_class() -> None:
    first = np.array([[[0.0, 2], [1, 3]]])
    second = np.array([[[1.0, 2], [3, 0]]])
    assert mean_difference(first, second, (0, 4)).tolist() == [[1.5, 0.5]]


def test_regression_tells_the_factor_from_the_code_that_does_not_move() -> None:
    shared = drawn(600, sizes=(3,))[:, 0]
    differences = np.random.default_rng(0).uniform(0.5, 1.5, (600, 3))
    differences[np.arange(600), shared] = 0
    assert beta_vae(differences[:400], shared[:400], differences[400:], shared[400:]) > 0.99
    assert beta_vae(noise(400) ** 2, shared[:400], noise(200, 4) ** 2, shared[400:]) == pytest.approx(1 / 3, abs=0.1)


def test_information_agrees_with_another_estimate() -> None:
    factors = drawn(2000)
    codes = np.repeat(factors[:, :1] // 2, 2, axis=1).astype(float)
    found = mutual_information(codes, factors, (0, 0))[0]
    expected = [mutual_info_classif(codes[:, :1], column, discrete_features=True)[0] for column in factors.T]
    assert found == pytest.approx(expected, abs=1e-9)
