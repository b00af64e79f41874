"""Averaged weights: samples come from a running mean of the generator, and are read by one of the critic."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

__all__ = ["Averages"]

RAMP = 0.05
"""The half-life is at most this share of the images so far, so that the first weights are soon forgotten
(Karras et al. 2022, arXiv 2206.00364, and their code)."""


class Averages:
    """Exponential means of some networks' parameters; buffers are the live networks' own.

    Args:
        networks: the live networks by name.
        half_life: images after which a weight counts half.
    """

    def __init__(self, networks: Mapping[str, nn.Module], half_life: int) -> None:
        self.live = nn.ModuleDict(dict(networks))
        self.half_life = half_life
        self._model = AveragedModel(self.live)
        self._fresh = True
        # Its own update would gather them in every round, which takes longer than their mean does.
        both = self._model.module, self.live
        self._averaged, self._parameters = (list[Tensor](network.parameters()) for network in both)
        self._copied, self._buffers = (list[Tensor](network.buffers()) for network in both)

    @torch.no_grad()
    def update(self, images: float | Tensor, step: int) -> None:
        """Mix the live weights in.

        Args:
            images: progress of the run; in a captured round a scalar of float64 on the device.
            step: images since the last update.
        """
        first = next(self.live.parameters(), None)
        if first is not None and first.is_cuda and not isinstance(images, Tensor):
            # As a captured round does it, to the last bit: where graphs begin changes nothing.
            images = torch.full((), images, dtype=torch.float64, device=first.device)
        if isinstance(images, Tensor):
            self._update_on_device(images, step)
            return
        decay = 0.0 if self._fresh else 0.5 ** (step / min(self.half_life, RAMP * images))
        self._fresh = False
        if self._averaged:
            torch._foreach_lerp_(self._averaged, self._parameters, 1 - decay)
        self._copy_buffers()

    def _update_on_device(self, images: Tensor, step: int) -> None:
        half_life = (RAMP * images).clamp(max=self.half_life)
        weight = (1 - torch.exp2(-step / half_life)).float()
        # One after the other: torch has this for many at once only with other rounding, or with a number.
        for averaged, live in zip(self._averaged, self._parameters, strict=True):
            averaged.lerp_(live, weight)
        self._copy_buffers()

    def _copy_buffers(self) -> None:
        # BatchNorm's counters are among them, which have no mean.
        if self._copied:
            torch._foreach_copy_(self._copied, self._buffers)

    def __getitem__(self, network: str) -> nn.Module:
        return self._model.module.get_submodule(network)

    def tensors(self) -> list[Tensor]:
        """Everything that ``update`` changes, itself and no copy."""
        return [*self._averaged, *self._copied]

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by ``network.name``."""
        return self._model.module.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from ``state_dict``."""
        self._model.module.load_state_dict(state)
        self._fresh = False
