"""Statistics of batch normalisation that belong to the weights beside which they stand."""

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["ENOUGH", "batch_layers", "settled"]

ENOUGH, BATCH = 2_500, 250
"""Samples of each kind that statistics are taken from, and how many of them pass at once, or up to twice as many."""


def batch_layers(network: nn.Module) -> list[_BatchNorm]:
    """Its layers that normalise by the batch."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@torch.no_grad()
def settled(critic: nn.Module, kinds: Sequence[tuple[Tensor, Tensor | None]], device: torch.device) -> nn.Module:
    """A copy of a critic whose batch normalisation has the mean statistics of given samples.

    What training leaves are running means of other weights than the averaged ones: the last ten batches make up two
    thirds of them, of whichever player's turn came last, augmented. That spoils what a critic reads.

    Source: Izmailov et al. 2018, arXiv 1803.05407, section 3.2; ``update_bn`` of ``torch.optim.swa_utils`` does it
    for networks of one argument.

    Args:
        critic: in evaluation mode. Of one that takes no sample alone, only what ``layers`` reaches is changed.
        kinds: samples (N, *shape) of each kind, at least 2, with the conditions (N, W) that a critic may see.
        device: where the critic is.

    Returns:
        The copy, in evaluation mode.
    """
    copy = deepcopy(critic)
    for layer in batch_layers(copy):
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean
        layer.train()
    for values, condition in kinds:
        parts = max(1, len(values) // BATCH)  # of equal size, or nearly so
        beside = [None] * parts if condition is None else condition.to(device).tensor_split(parts)
        for chunk, seen in zip(values.tensor_split(parts), beside, strict=True):
            try:
                copy(chunk.to(device), seen)
            except ValueError:  # it wants something else beside the sample
                with suppress(ValueError):  # and so may its layers: then nothing of it can be read
                    copy.layers(chunk.to(device))  # type: ignore[operator]
    for layer, before in zip(batch_layers(copy), batch_layers(critic), strict=True):
        if not layer.num_batches_tracked:
            layer.load_state_dict(before.state_dict())
    return copy.eval()
