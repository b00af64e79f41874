import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_helpers import configured

from ganzoo.comparison.plan import makespan, training_rate

times = st.lists(st.floats(0.01, 1e4), max_size=12)


@given(times, st.integers(1, 5))
def test_the_last_task_ends_within_its_bounds(seconds: list[float], jobs: int) -> None:
    found = makespan(seconds, jobs)
    least = max([sum(seconds) / jobs, *seconds])
    assert least <= found * (1 + 1e-9)
    # Graham's bound for tasks that are begun in turn.
    assert found <= (2 - 1 / jobs) * least * (1 + 1e-9)


@given(times)
def test_one_at_a_time_takes_the_sum(seconds: list[float]) -> None:
    assert makespan(seconds, 1) == pytest.approx(math.fsum(seconds))


def test_tasks_are_begun_in_turn() -> None:
    assert makespan([3, 1, 1, 4], 2) == 6


def test_a_rate_is_tried_out_in_memory() -> None:
    import torch

    before = torch.get_num_threads()
    assert 1 < training_rate(configured(), 1) < 1e6
    assert torch.get_num_threads() == before
