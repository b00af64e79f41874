"""Statistics of batch normalisation that belong to the weights beside which they stand."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["batch_layers", "settled"]

BATCH = 250
"""Samples that pass at once, all of one kind as in training."""


def batch_layers(network: nn.Module) -> list[_BatchNorm]:
    """Its layers that normalise by the batch."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@torch.no_grad()
def settled(network: nn.Module, kinds: Sequence[Sequence[Tensor | None]], device: torch.device) -> nn.Module:
    """A copy of a network whose batch normalisation has the mean statistics of given samples.

    What training leaves are running means of other weights than the averaged ones: the last ten batches make up two
    thirds of them, of whichever player's turn came last, augmented. That spoils what a critic reads.

    Source: Izmailov et al. 2018, arXiv 1803.05407, section 3.2; ``update_bn`` of ``torch.optim.swa_utils`` does it
    for networks of one argument.

    Args:
        network: in evaluation mode.
        kinds: for each kind of samples the network's arguments, (N, …) each; all kinds count alike.
        device: where the network is.

    Returns:
        The copy, in evaluation mode.

    Raises:
        ValueError: the network takes other arguments.
    """
    network = deepcopy(network)
    for layer in batch_layers(network):
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean
        layer.train()
    count = min(len(values) for values, *_ in kinds if values is not None)
    batch = min(BATCH, count)
    for start in range(0, count - batch + 1, batch):
        for arguments in kinds:
            network(*(each if each is None else each[start : start + batch].to(device) for each in arguments))
    return network.eval()
