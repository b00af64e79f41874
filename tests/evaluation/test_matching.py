from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

from ganzoo.evaluation.matching import accuracy, contingency, error, many_to_one, one_to_one, purity

quick = settings(max_examples=60)


@st.composite
def tables(draw: st.DrawFn, most: int = 5) -> torch.Tensor:
    """Counts of a few codes and classes, at least one sample in all."""
    codes, classes = draw(st.integers(1, most)), draw(st.integers(1, most))
    counts = draw(st.lists(st.integers(0, 9), min_size=codes * classes, max_size=codes * classes).filter(any))
    return torch.tensor(counts).view(codes, classes)


def test_the_table_counts_what_goes_together() -> None:
    table = contingency(torch.tensor([0, 2, 2, 2]), torch.tensor([1, 0, 0, 1]), 3, 2)
    assert table.tolist() == [[0, 1], [0, 0], [2, 1]]


@quick
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1))
def test_the_table_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    codes, classes = torch.tensor(pairs).unbind(1)
    table = contingency(codes, classes, 4, 5)
    present = table[table.sum(1) > 0][:, table.sum(0) > 0]
    assert np.array_equal(present.numpy(), contingency_matrix(codes.numpy(), classes.numpy()))


def test_one_class_a_code_even_where_two_codes_like_the_same_best() -> None:
    table = torch.tensor([[9, 8], [10, 1]])
    assert one_to_one(table) == [1, 0] and error(table, one_to_one(table)) == 10 / 28
    assert many_to_one(table) == [0, 0] and error(table, many_to_one(table)) == 9 / 28


def test_codes_that_are_left_over_stand_for_nothing_and_are_wrong() -> None:
    table = torch.tensor([[5, 0], [0, 5], [4, 0]])
    assert one_to_one(table) == [0, 1, None] and error(table, one_to_one(table)) == 4 / 14
    assert many_to_one(table) == [0, 1, 0] and purity(table) == 1


def test_a_code_without_samples_stands_for_nothing() -> None:
    table = torch.tensor([[5, 0], [0, 0]])
    assert one_to_one(table) == many_to_one(table) == [0, None]


@quick
@given(tables(3))
def test_no_other_matching_is_better(table: torch.Tensor) -> None:
    codes, classes = table.shape
    padded = torch.zeros(codes, classes + codes, dtype=torch.int64)  # a code may also stand for nothing
    padded[:, :classes] = table
    best = max(sum(int(padded[k, c]) for k, c in enumerate(p)) for p in permutations(range(classes + codes), codes))
    matching = one_to_one(table)
    assert error(table, matching) == pytest.approx(1 - best / int(table.sum()))
    chosen = [index for index in matching if index is not None]
    assert len(set(chosen)) == len(chosen)


@quick
@given(tables(12))
def test_as_much_is_right_as_scipy_finds(table: torch.Tensor) -> None:
    rows, columns = linear_sum_assignment(table.numpy(), maximize=True)
    assert accuracy(table, one_to_one(table)) == table.numpy()[rows, columns].sum() / table.sum().item()


@quick
@given(tables(), st.data())
def test_scores_do_not_depend_on_the_order_of_codes_or_classes(table: torch.Tensor, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(len(table))))
    columns = data.draw(st.permutations(range(table.shape[1])))
    moved = table[rows][:, columns]
    assert error(moved, one_to_one(moved)) == error(table, one_to_one(table))
    assert purity(moved) == purity(table)


@quick
@given(tables())
def test_purity_is_the_share_of_each_codes_most_frequent_class(table: torch.Tensor) -> None:
    assert purity(table) == pytest.approx(table.max(dim=1).values.sum().item() / table.sum().item())
    assert purity(table) == pytest.approx(1 - error(table, many_to_one(table)))
    assert error(table, many_to_one(table)) <= error(table, one_to_one(table))
