"""Whether a run can still learn: values that are finite, and weights and terms of a size that leaves room to."""

from collections.abc import Mapping
from math import sqrt

from torch import nn
from torch.nn.utils import get_total_norm

__all__ = ["GROWTH", "LARGEST_TERM", "SMALLEST_LIMIT", "Health", "size"]

GROWTH, SMALLEST_LIMIT = 100.0, 10.0
"""A network has diverged once the root mean square of its weights is this many times what it was, and at least the
second number. Networks that learn stay within ten times what they start with, and start far below 1."""
LARGEST_TERM = 2.0**24
"""Beside this a float32 no longer tells 1 from 0, so a term of that size has nothing left to say."""


class Health:
    """Looks at a run's networks and terms, at ticks and before each checkpoint; never at every step.

    Args:
        networks: by name, with the weights that the run starts from, also where it is about to be restored.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        self._networks = networks
        self._at_start = {name: size(network) for name, network in networks.items()}

    def not_finite(self) -> str | None:
        """The name of a weight or buffer that holds a NaN or an infinity."""
        for network, module in self._networks.items():
            held = {name: value for name, value in module.state_dict().items() if value.is_floating_point()}
            # In one pass over all; of values that are finite it may overflow, and then each is looked at.
            wide = [value for value in held.values() if value.dtype.itemsize > 1]  # float8 has no norm
            if len(wide) == len(held) and bool(get_total_norm(wide).isfinite()):
                continue
            for name, value in held.items():
                if not bool(value.isfinite().all()):
                    return f"{network}.{name}"
        return None

    def diverged(self, means: Mapping[str, float]) -> str | None:
        """What has grown beyond all measure, as the beginning of a sentence.

        Args:
            means: of each term and report since the last tick, all finite.
        """
        largest = max(means, key=lambda name: abs(means[name]), default="")
        for name, network in self._networks.items():
            now, before = size(network), self._at_start[name]
            if now > max(GROWTH * before, SMALLEST_LIMIT):
                term = f", and {largest} is at {means[largest]:.3g}" if largest else ""
                return (
                    f"{name} has diverged, with weights {now / max(before, 1e-9):,.0f} times those at the start{term}"
                )
        if largest and abs(means[largest]) >= LARGEST_TERM:
            return f"{largest} has diverged, to {means[largest]:.3g}"
        return None


def size(network: nn.Module) -> float:
    """The root mean square of a network's parameters; 0 where there are none."""
    parameters = [each.detach().float() for each in network.parameters() if each.is_floating_point()]
    count = sum(each.numel() for each in parameters)
    return float(get_total_norm(parameters)) / sqrt(count) if count else 0.0
