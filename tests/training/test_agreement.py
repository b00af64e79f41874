import math

import pytest
import torch

from ganzoo.core.errors import RunError
from ganzoo.training.agreement import Outcome, refuse_difference

BEFORE = {"weights/a": torch.zeros(4), "step of Adam/a": torch.zeros(()), "counts/a": torch.zeros(2, dtype=torch.int64)}


def ended(weights: float = 1.0, term: float = 0.7, step: float = 3.0, count: int = 3) -> Outcome:
    """What rounds came to that moved every weight from 0 to the same number."""
    state = {"weights/a": torch.full((4,), weights), "step of Adam/a": torch.tensor(step)}
    return [{"critic/real": term}], state | {"counts/a": torch.full((2,), count)}


def trial(graph: Outcome, again: Outcome | None = None) -> None:
    refuse_difference(BEFORE, ended(), ended() if again is None else again, graph)


def test_a_graph_that_does_the_same_or_nearly_so_is_taken() -> None:
    trial(ended())
    trial(ended(weights=1.05, term=0.71))


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        (ended(weights=1.2), "its weights were others"),
        (ended(weights=math.nan), "its weights were others"),
        (ended(term=0.9), r"critic/real was 0.9 in round 1 of its trial, not 0.7"),
        (ended(term=math.nan), r"critic/real was nan in round 1"),
        (ended(step=4.0), "its step of Adam were others"),
        (ended(count=4), "its counts were others"),
    ],
)
def test_one_that_differs_is_refused(graph: Outcome, found: str) -> None:
    with pytest.raises(RunError, match=found):
        trial(graph)


def test_it_may_differ_as_plain_rounds_differ_from_themselves_and_somewhat_more() -> None:
    trial(ended(weights=1.2, term=0.8), again=ended(weights=0.9, term=0.65))
    with pytest.raises(RunError, match="its weights"):
        trial(ended(weights=1.4), again=ended(weights=0.9))


def test_nothing_excuses_a_graph_that_leaves_half_undone_or_miscounts() -> None:
    chaos = ended(weights=0.5, term=0.2)
    with pytest.raises(RunError, match="its weights"):
        trial(ended(weights=0.4), again=chaos)
    with pytest.raises(RunError, match="its step of Adam"):
        trial(ended(step=2.0), again=ended(step=2.0))


def test_a_value_that_is_no_number_in_plain_rounds_may_be_none_in_the_graph() -> None:
    nothing = ended(term=math.nan)
    refuse_difference(BEFORE, nothing, nothing, nothing)
    with pytest.raises(RunError, match=r"critic/real was 0\.7 in round 1"):
        refuse_difference(BEFORE, nothing, nothing, ended())


def test_a_run_that_fails_by_itself_is_not_the_graphs_fault() -> None:
    failing = ended(weights=math.nan, term=math.inf)
    refuse_difference(BEFORE, failing, failing, failing)
    with pytest.raises(RunError, match="its weights"):
        refuse_difference(BEFORE, failing, failing, ended(term=math.inf))
