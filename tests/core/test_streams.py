from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from strategies import seeds

from ganzoo.core import streams
from ganzoo.core.streams import generator, stable_seed, uniforms

law = settings(max_examples=50)
parts = seeds | st.text(max_size=5)


def test_streams_are_the_same_in_every_release():
    assert stable_seed(0, "order", 1) == 116889601432050504
    assert uniforms(0, "z", 0, 2, 3).tolist() == [
        [0.31027019480104967, 0.6839167512064405, 0.06576839427279524],
        [0.13546890773997322, 0.3711678071582284, 0.19629830769415657],
    ]


@law
@given(st.lists(parts, max_size=4), st.lists(parts, max_size=4))
def test_different_keys_give_different_seeds(one, other):
    assert 0 <= stable_seed(*one) < 2**63
    assert (stable_seed(*one) == stable_seed(*other)) == (one == other)


def test_keys_are_not_run_together():
    seeds = [stable_seed(*key) for key in [("ab", "c"), ("a", "bc"), ("abc",), (1, 2), (12,), ("1", "2")]]
    assert len(set(seeds)) == len(seeds)


@law
@given(st.lists(parts, max_size=3))
def test_generators_of_one_key_agree(key):
    one, other = (torch.rand(5, generator=generator(*key)) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, torch.rand(5, generator=generator(*key, "other")))


@law
@given(seeds, st.text(max_size=5), st.integers(0, 2**40), st.integers(1, 30), st.integers(1, 9), st.data())
def test_a_row_does_not_depend_on_the_rows_asked_for_with_it(seed, name, first, rows, width, data):
    table = uniforms(seed, name, first, rows, width)
    cut = data.draw(st.integers(0, rows))
    assert table.shape == (rows, width)
    assert np.array_equal(table[:cut], uniforms(seed, name, first, cut, width))
    assert np.array_equal(table[cut:], uniforms(seed, name, first + cut, rows - cut, width))


@pytest.mark.parametrize("bits", [0, 2**64 - 1])
def test_uniform_numbers_never_reach_0_or_1(monkeypatch, bits):
    class Philox:
        def __init__(self, key, counter):
            pass

        def random_raw(self, n):
            return np.full(n, bits, dtype=np.uint64)

    monkeypatch.setattr(streams.np.random, "Philox", Philox)
    assert 0 < uniforms(0, "z", 0, 1, 1).item() < 1


@pytest.mark.parametrize(("seed", "name"), [(0, "z"), (1, "z"), (0, "style"), (-7, "")])
def test_uniform_numbers_are_uniform(seed, name):
    table = uniforms(seed, name, 0, 5000, 3)
    assert stats.kstest(table.ravel(), "uniform").pvalue > 1e-3
    assert np.abs(np.corrcoef(table.T) - np.eye(3)).max() < 5 / np.sqrt(5000)


def test_streams_of_different_seeds_and_names_are_uncorrelated():
    keys = [(0, "a"), (1, "a"), (2, "a"), (0, "b"), (0, "aa"), (0, "")]
    columns = np.stack([uniforms(seed, name, 0, 5000, 1)[:, 0] for seed, name in keys])
    assert np.abs(np.corrcoef(columns) - np.eye(len(keys))).max() < 5 / np.sqrt(5000)


def test_successive_rows_are_uncorrelated():
    rows = uniforms(3, "z", 0, 5000, 1)[:, 0]
    assert max(abs(np.corrcoef(rows[:-lag], rows[lag:])[0, 1]) for lag in (1, 2, 3, 4)) < 5 / np.sqrt(5000)
    assert all(before != after for before, after in pairwise(rows))
