from collections.abc import Iterator
from itertools import islice
from time import perf_counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import get_worker_info

from ganzoo.core.data import DataSpec, Samples, Split
from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.batches import batches, to_range
from ganzoo.data.splits import TensorSplit

SPEC = DataSpec(name="dots", shape=(3, 2, 2), size=37)


WITH_WORKERS = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning", "ignore:This DataLoader will create:UserWarning"
)
"""What Python and torch have to say about processes on some machines is no fault of the stream."""


class Streamed(Split):
    """The same samples, that can only be had one by one."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self.labels, self.checksum = split.labels, split.checksum

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Tensor:
        return self._split[index]


class Broken(Streamed):
    def __getitem__(self, index: int) -> Tensor:
        raise RunError(f"sample {index} cannot be read")


class Computed(Streamed):
    """The same samples, made a batch at a time."""

    computed = True

    def rows(self, indices: Tensor) -> Tensor:
        assert get_worker_info() is None
        return self._split.rows(indices)

    def __getitem__(self, index: int) -> Tensor:
        pytest.fail("read one by one")


def numbered(size: int = 37) -> TensorSplit:
    """Sample i has the label i and is all i."""
    index = torch.arange(size)
    images = index.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()
    return TensorSplit(images, {"label": index}, "")


def stream(split: Split, count: int, *, batch: int, seed: int = 0, position: int = 0, workers: int = 0) -> Samples:
    """The first ``count`` batches as one."""
    taken = list(islice(batches(split, SPEC, batch=batch, seed=seed, position=position, workers=workers), count))
    assert all(len(one.values) == batch for one in taken)
    return Samples(
        torch.cat([one.values for one in taken]), {"label": torch.cat([one.labels["label"] for one in taken])}
    )


def order(*args: object, **values: int) -> list[int]:
    labels: list[int] = stream(*args, **values).labels["label"].tolist()
    return labels


def test_epoch_holds_every_sample_once_and_epochs_differ() -> None:
    taken = order(numbered(), 37 * 2, batch=1)
    first, second = taken[:37], taken[37:]
    assert sorted(first) == sorted(second) == list(range(37))
    assert first != second


def test_labels_belong_to_their_samples() -> None:
    taken = stream(numbered(), 10, batch=8)
    stored = (taken.values + 1) / 2 * 255
    assert stored.round().long()[:, 0, 0, 0].equal(taken.labels["label"])


@settings(max_examples=30)
@given(batch=st.integers(1, 100), position=st.integers(0, 200), seed=st.integers(0, 2**62))
def test_order_is_a_function_of_seed_epoch_and_position(batch: int, position: int, seed: int) -> None:
    whole = order(numbered(), position + 3 * batch, batch=1, seed=seed)
    assert order(numbered(), 3, batch=batch, seed=seed, position=position) == whole[position:]


def test_order_ignores_and_leaves_the_global_generator() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    held = order(numbered(), 3, batch=8)
    streamed = order(Streamed(numbered()), 3, batch=8)
    assert torch.get_rng_state().equal(before)
    torch.manual_seed(2)
    assert held == streamed == order(numbered(), 3, batch=8)


def test_seeds_give_different_orders() -> None:
    assert order(numbered(), 1, batch=37, seed=1) != order(numbered(), 1, batch=37, seed=2)


def test_resumed_stream_equals_the_uninterrupted_one() -> None:
    whole = stream(numbered(), 9, batch=16)
    resumed = stream(numbered(), 4, batch=16, position=5 * 16)
    assert resumed.values.equal(whole.values[5 * 16 :])


def test_batch_may_exceed_the_set() -> None:
    taken = order(numbered(5), 2, batch=12)
    assert sorted(taken[:10]) == sorted([*range(5), *range(5)])
    assert taken == order(numbered(5), 24, batch=1)


@WITH_WORKERS
@pytest.mark.parametrize("workers", [0, 2])
def test_streaming_equals_memory_bit_for_bit(workers: int) -> None:
    held = stream(numbered(), 7, batch=16, seed=3, position=20)
    streamed = stream(Streamed(numbered()), 7, batch=16, seed=3, position=20, workers=workers)
    assert streamed.values.equal(held.values)
    assert streamed.labels["label"].equal(held.labels["label"])


def test_computed_samples_are_made_a_batch_at_a_time_where_they_are_used() -> None:
    endless = batches(Computed(numbered()), SPEC, batch=16, seed=3, workers=None)
    assert next(endless).values.equal(stream(numbered(), 1, batch=16, seed=3).values)


def test_tensor_above_the_limit_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    split = numbered()
    monkeypatch.setattr(split, "tensor", lambda: pytest.fail("asked for the tensor"))
    first = next(batches(split, SPEC, batch=4, seed=0, workers=0, memory_limit=SPEC.numel * 37 - 1))
    assert first.values.equal(stream(numbered(), 1, batch=4).values)


def test_bytes_become_exactly_the_range() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    scaled = to_range(every, SPEC)
    assert scaled.dtype == torch.float32
    assert (scaled[0], scaled[255]) == (-1.0, 1.0)
    assert torch.allclose(scaled.double(), every.double() / 127.5 - 1, atol=1e-7)
    assert scaled.diff().gt(0).all()


@given(st.floats(-10, 10, width=32), st.floats(0.125, 10, width=32))
def test_ends_are_exact_in_any_range(low: float, span: float) -> None:
    spec = DataSpec(name="dots", shape=(2,), range=(low, low + span), size=1, drawn_as="points")
    ends = to_range(torch.tensor([0, 255], dtype=torch.uint8), spec)
    assert ends.equal(torch.tensor(spec.range))


def test_floating_samples_of_any_rank_pass_unchanged() -> None:
    spec = DataSpec(name="series", shape=(5, 2), range=(0, 1), size=3, drawn_as="heatmap")
    values = torch.rand(3, 5, 2)
    one = next(batches(TensorSplit(values, {}, ""), spec, batch=3, seed=0))
    assert one.labels == {}
    assert sorted(one.values.flatten(1).tolist()) == sorted(values.flatten(1).tolist())


@pytest.mark.parametrize("split", [numbered(), Streamed(numbered())])
def test_images_are_channels_last(split: Split) -> None:
    assert stream(split, 1, batch=4).values.is_contiguous(memory_format=torch.channels_last)


@WITH_WORKERS
@pytest.mark.parametrize("workers", [0, 1])
def test_unreadable_sample_keeps_its_sentence(workers: int) -> None:
    with pytest.raises(RunError, match=r"^sample \d+ cannot be read$"):
        stream(Broken(numbered()), 1, batch=4, workers=workers)


@pytest.mark.parametrize(("batch", "position", "size"), [(0, 0, 5), (4, -1, 5), (4, 0, 0)])
def test_impossible_requests_are_refused_at_once(batch: int, position: int, size: int) -> None:
    with pytest.raises(UsageError):
        batches(numbered(size), SPEC, batch=batch, seed=0, position=position)


def test_batch_of_mnist_size_costs_less_than_a_millisecond() -> None:
    spec = DataSpec(name="grey", shape=(1, 28, 28), size=60000)
    split = TensorSplit(torch.zeros(60000, 1, 28, 28, dtype=torch.uint8), {"label": torch.zeros(60000).long()}, "")
    endless = batches(split, spec, batch=128, seed=0)
    next(endless)
    assert min(seconds(endless) for _ in range(200)) < 1e-3


def seconds(endless: Iterator[Samples]) -> float:
    start = perf_counter()
    next(endless)
    return perf_counter() - start
