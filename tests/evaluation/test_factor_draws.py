import numpy as np
import pytest

from ganzoo.evaluation.factor_draws import Draws, FreshDraws, PooledDraws

SIZES = (3, 2, 7)


def draws(kind: str, seed: int = 0) -> Draws:
    """Draws whose codes are the factors, and a number that tells samples apart."""
    random = np.random.default_rng(seed)
    if kind == "fresh":
        return FreshDraws(lambda factors: np.hstack([factors, random.random((len(factors), 1))]), SIZES, random)
    factors = random.integers(0, SIZES, (500, 3))
    return PooledDraws(np.hstack([factors, np.arange(500)[:, None]]).astype(float), factors, random)


KINDS = pytest.mark.parametrize("kind", ["fresh", "pooled"])
WHICH = np.arange(300) % 3


@KINDS
def test_the_fixed_factor_keeps_one_value_and_the_others_take_all(kind: str) -> None:
    batches = draws(kind).fixed(WHICH, 64)
    assert batches.shape == (300, 64, 4)
    for factor in range(3):
        mine = batches[factor == WHICH]
        assert (mine[:, :, factor] == mine[:, :1, factor]).all()
        assert set(mine[:, 0, factor]) == set(range(SIZES[factor]))
        for other in {0, 1, 2} - {factor}:
            assert len(set(mine[0, :, other])) == SIZES[other]


@KINDS
def test_pairs_share_the_factor_and_are_otherwise_independent(kind: str) -> None:
    first, second = draws(kind).pairs(WHICH, 64)
    assert first.shape == second.shape == (300, 64, 4)
    same = first == second
    for factor in range(3):
        mine = same[factor == WHICH]
        assert mine[..., factor].all()
        for other in {0, 1, 2} - {factor}:
            assert mine[..., other].mean() == pytest.approx(1 / SIZES[other], abs=0.04)
    assert same[..., 3].mean() < 0.02


@KINDS
def test_every_value_is_drawn_as_often_as_any_other(kind: str) -> None:
    first, second = draws(kind).pairs(WHICH, 64)
    for codes in (first, second):
        for factor, size in enumerate(SIZES):
            shares = np.bincount(codes[..., factor].ravel().astype(int), minlength=size) / codes[..., 0].size
            assert shares == pytest.approx(1 / size, abs=0.06)


@KINDS
def test_same_seed_draws_the_same(kind: str) -> None:
    first, again, other = (draws(kind, seed).fixed(WHICH, 8) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_pool_with_a_value_that_occurs_once() -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0]])
    batches = PooledDraws(factors.astype(float), factors, np.random.default_rng(0)).fixed(np.zeros(50, int), 16)
    assert (batches[..., 0] == batches[:, :1, 0]).all()
    assert {0.0, 1.0} == set(batches[:, 0, 0])
