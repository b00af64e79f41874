import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from ganzoo.core.errors import UsageError
from ganzoo.data.labels import keep_labels, kept_counts, label_spec

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=8)


@given(counts=COUNTS, share=st.floats(0, 1))
def test_kept_counts_sum_up_and_are_as_equal_as_the_classes_allow(counts: list[int], share: float) -> None:
    least, most = sum(count > 0 for count in counts), sum(counts)
    assume(most > 0)
    keep = least + int(share * (most - least))
    kept = kept_counts(counts, keep)
    assert sum(kept) == keep
    assert all(0 <= k <= count for k, count in zip(kept, counts, strict=True))
    unfilled = [k for k, count in zip(kept, counts, strict=True) if k < count]
    if unfilled:
        assert max(kept) - min(unfilled) <= 1


def test_all_labels_stay_without_the_option() -> None:
    assert kept_counts((3, 5), None) == (3, 5)


@pytest.mark.parametrize("keep", [1, 9])
def test_impossible_number_of_labels_is_refused(keep: int) -> None:
    with pytest.raises(UsageError, match=f"labels={keep} is impossible: 2 classes with 8 labelled samples"):
        kept_counts((3, 5), keep)


def test_kept_labels_are_balanced_true_and_the_rest_unknown() -> None:
    labels = torch.arange(1000) % 10
    kept = keep_labels(labels, (100,) * 10, 50, "set")
    known = kept >= 0
    assert kept[known].bincount().tolist() == [5] * 10
    assert kept[known].equal(labels[known])
    assert kept[~known].eq(-1).all()


def test_more_labels_include_the_fewer() -> None:
    labels = torch.arange(1000) % 10
    few, more = (keep_labels(labels, (100,) * 10, keep, "set") for keep in (50, 200))
    assert more[few >= 0].equal(few[few >= 0])


def test_choice_depends_on_the_key_alone() -> None:
    labels = torch.arange(1000) % 10
    torch.manual_seed(1)
    first = keep_labels(labels, (100,) * 10, 50, "set")
    torch.manual_seed(2)
    assert first.equal(keep_labels(labels, (100,) * 10, 50, "set"))
    assert not first.equal(keep_labels(labels, (100,) * 10, 50, "other"))


def test_unknown_labels_stay_unknown() -> None:
    assert keep_labels(torch.tensor([0, -1, 1, -1]), (1, 1), 2, "set").tolist() == [0, -1, 1, -1]


def test_frequencies_are_those_of_the_kept_labels() -> None:
    assert label_spec(("a", "b"), (30, 10), None)["label"].frequencies == (0.75, 0.25)
    assert label_spec(("a", "b"), (30, 10), 4)["label"].frequencies == (0.5, 0.5)
