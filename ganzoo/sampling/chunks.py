"""Passing rows through a network in chunks of one size, so that none depends on those it is asked for with."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["CHUNK", "cuts", "generate_chunk", "joined"]

CHUNK = 64
"""Rows that pass through a network together; where fewer are wanted, the chunk is filled up.

How a matrix product is rounded may depend on the size of the batch and on a row's place in it, though never
on the other rows. In chunks that start at multiples of this, sample k always has the same place."""


def cuts(n: int, first: int) -> Iterator[slice]:
    """Where to cut n rows, the first of which has index ``first``, so that no part crosses a chunk's end."""
    start = 0
    while start < n:
        stop = min(n, start + CHUNK - (first + start) % CHUNK)
        yield slice(start, stop)
        start = stop


def generate_chunk(network: nn.Module, rows: Tensor, place: int, device: torch.device) -> Tensor:
    """Generate, or encode, a part of a chunk in evaluation mode and without gradients; the network stays as it was.

    Args:
        network: latents (CHUNK, D) to samples (CHUNK, *shape), or the other way round, on ``device``.
        rows: (m, …), latents or samples.
        place: where in the chunk the first of them stands; ``place + m`` is at most ``CHUNK``.
        device: where to compute.

    Returns:
        (m, …), float32 on the CPU.
    """
    # Rows that nobody asked for repeat one that somebody did, and so are valid.
    whole = rows[:1].repeat(CHUNK, *[1] * (rows.ndim - 1))
    whole[place : place + len(rows)] = rows
    with _evaluating(network), torch.inference_mode():
        made: Tensor = network(whole.to(device))[place : place + len(rows)]
    # A copy that is made here, outside inference mode, is a tensor like any other to autograd.
    return made.to("cpu", torch.float32, copy=True, memory_format=torch.contiguous_format)


def joined(batches: Iterable[Tensor], n: int, shape: tuple[int, ...]) -> Tensor:
    """Batches one after the other in one tensor, (n, *shape), float32."""
    samples = torch.empty(n, *shape)
    start = 0
    for batch in batches:
        samples[start : start + len(batch)] = batch
        start += len(batch)
    return samples


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every module has the mode that it had."""
    training = [module for module in network.modules() if module.training]
    if training:
        network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
