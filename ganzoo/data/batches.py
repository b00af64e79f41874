"""Endless batches whose order depends on (seed, epoch, position) alone: resuming needs no stored state."""

import os
import signal
from collections.abc import Iterator, Mapping
from typing import cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from ganzoo.core.data import DataSpec, Samples, Split
from ganzoo.core.errors import GanzooError, UsageError
from ganzoo.core.streams import generator

__all__ = ["batches", "labels_of_batches", "to_range"]


def batches(
    split: Split,
    spec: DataSpec,
    *,
    batch: int,
    seed: int,
    position: int = 0,
    rows: slice | None = None,
    device: torch.device | str = "cpu",
    workers: int | None = None,
    memory_limit: int = 2**31,
) -> Iterator[Samples]:
    """Shuffled batches of a split without end.

    Epoch ``e`` is one permutation of the split, drawn from (seed, e). Batches run across the border of two
    epochs, so that each is full and the i-th sample of the stream is the same whatever the batch size.

    A split with a tensor of at most ``memory_limit`` bytes is moved to ``device`` as it is stored, gathered
    and scaled there. Any other is read a batch at a time through torch's DataLoader, in the same order and
    with the same values.

    Args:
        split: the samples.
        spec: their specification.
        batch: samples in a batch; may exceed the size of the split.
        seed: seed of the order.
        position: samples already taken from the stream, 0 for its start.
        rows: the rows of every batch to read and deliver, where others read the rest; None for all.
        device: where batches are delivered.
        workers: processes that read a split that is not held, 0 to read in this one; None leaves one CPU
            free and uses at most 8, or none where the split is computed.
        memory_limit: bytes.

    Returns:
        Batches of values (batch, *shape), float32 in ``spec.range`` (channels-last in memory for images), and
        labels (batch,), int64, -1 where unknown, on ``device``.

    Raises:
        UsageError: the batch is below 1, the position negative, or the split empty.
        RunError: while reading, a sample cannot be read.
    """
    if batch < 1 or position < 0:
        raise UsageError(f"a batch of {batch} from position {position} is impossible: at least 1, from 0 on")
    if len(split) < 1:
        raise UsageError(f"data set {spec.name} has no samples to make batches of")
    device = torch.device(device)
    # A byte a value is the least that it can take; asking for the tensor may mean decoding every file.
    values = split.tensor() if len(split) * spec.numel <= memory_limit else None
    if values is not None and values.nbytes <= memory_limit:
        return _held(values, split, spec, _order(len(split), seed, position, batch, device, rows), device)
    order = _order(len(split), seed, position, batch, torch.device("cpu"), rows)
    return _streamed(split, spec, order, device, workers)


def labels_of_batches(
    split: Split, *, batch: int, seed: int, position: int = 0, device: torch.device | str = "cpu"
) -> Iterator[Mapping[str, Tensor]]:
    """The labels of what ``batches`` yields with the same arguments, (batch,) each, of all rows; no sample is read."""
    device = torch.device(device)
    labels = {name: classes.to(device) for name, classes in split.labels.items()}
    for indices in _order(len(split), seed, position, batch, device):
        yield {name: classes.index_select(0, indices) for name, classes in labels.items()}


def to_range(stored: Tensor, spec: DataSpec) -> Tensor:
    """Samples as stored, in the range of their specification.

    Args:
        stored: uint8, where 0 to 255 span the range, or floating point, already in it.
        spec: the specification that gives the range.

    Returns:
        float32 of the same shape and memory format; 0 and 255 become exactly the ends of the range.
    """
    if stored.is_floating_point():
        return stored.float()
    # Filled where the samples are, since a copy from the host would make a GPU wait.
    low, high = (stored.new_full((), end, dtype=torch.float32) for end in spec.range)
    # lerp is exact at both ends, whatever the range; a product and a sum are not.
    return torch.lerp(low, high, stored.float().div_(255))


def _order(
    size: int, seed: int, position: int, batch: int, device: torch.device, rows: slice | None = None
) -> Iterator[Tensor]:
    epoch, taken = divmod(position, size)
    permutation = _permutation(size, seed, epoch, device)
    while True:
        parts, missing = [], batch
        while missing:
            if taken == size:
                epoch, taken = epoch + 1, 0
                permutation = _permutation(size, seed, epoch, device)
            parts.append(permutation[taken : taken + missing])
            taken += len(parts[-1])
            missing -= len(parts[-1])
        indices = torch.cat(parts)
        yield indices if rows is None else indices[rows]


def _permutation(size: int, seed: int, epoch: int, device: torch.device) -> Tensor:
    # Drawn on the CPU whatever the device: a GPU's generator would give another order.
    return torch.randperm(size, generator=generator(seed, "order", epoch)).to(device)


def _held(
    values: Tensor, split: Split, spec: DataSpec, order: Iterator[Tensor], device: torch.device
) -> Iterator[Samples]:
    values = _channels_to_back(values, spec).to(device)
    labels = {name: classes.to(device) for name, classes in split.labels.items()}
    for indices in order:
        yield _samples(values.index_select(0, indices), indices, labels, spec)


def _streamed(
    split: Split, spec: DataSpec, order: Iterator[Tensor], device: torch.device, workers: int | None
) -> Iterator[Samples]:
    if workers is None:
        # A process may be confined to fewer CPUs than there are; not every system tells.
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = 0 if split.computed else min(8, cpus - 1)
    loader: DataLoader[object] = DataLoader(
        _Reader(split),
        sampler=cast("Iterator[int]", order),
        batch_size=None,  # the order's whole batches reach the reader as they are
        collate_fn=_unchanged,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        worker_init_fn=_leave_interrupts_to_parent,
        generator=torch.Generator(),  # without one, it would take a number from torch's global generator
    )
    labels = {name: classes.to(device) for name, classes in split.labels.items()}
    for read in loader:
        if isinstance(read, GanzooError):
            raise read
        indices, values = cast("tuple[Tensor, Tensor]", read)
        stored = _channels_to_back(values, spec).to(device, non_blocking=True)
        yield _samples(stored, indices.to(device, non_blocking=True), labels, spec)


def _samples(stored: Tensor, indices: Tensor, labels: Mapping[str, Tensor], spec: DataSpec) -> Samples:
    values = to_range(stored, spec)
    if spec.is_image:
        values = values.permute(0, 3, 1, 2)
    return Samples(values, {name: classes.index_select(0, indices) for name, classes in labels.items()})


def _channels_to_back(values: Tensor, spec: DataSpec) -> Tensor:
    # Images are kept as N, H, W, C: gathered and turned back, they are channels-last for nothing.
    return values.permute(0, 2, 3, 1).contiguous() if spec.is_image else values


class _Reader(TorchDataset[object]):
    """Reads a whole batch at once, in a worker; an error travels as a value and keeps its own sentence."""

    def __init__(self, split: Split) -> None:
        self._split = split

    def __getitem__(self, indices: Tensor) -> tuple[Tensor, Tensor] | GanzooError:
        try:
            return indices, self._split.rows(indices)
        except GanzooError as error:
            return error


def _unchanged(read: object) -> object:
    return read


def _leave_interrupts_to_parent(worker: int) -> None:
    # Ctrl-C reaches every process of the terminal; the trainer still wants batches to finish its round.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
