"""Averaged weights: samples come from a running mean of the generator, and are read by one of the critic."""

from collections.abc import Mapping, Sequence

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
        self._decay = 0.0
        # With use_buffers=True torch would average BatchNorm's counters too; without it, it copies them.
        self._model = AveragedModel(self.live, multi_avg_fn=self._mix, use_buffers=False)

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
        half_life = min(self.half_life, RAMP * images)
        self._decay = 0.5 ** (step / half_life)
        self._model.update_parameters(self.live)

    @torch.no_grad()
    def _update_on_device(self, images: Tensor, step: int) -> None:
        # torch's model counts its updates on the host, which a captured round cannot ask.
        half_life = (RAMP * images).clamp(max=self.half_life)
        weight = (1 - torch.exp2(-step / half_life)).float()
        # One after the other: torch has this for many at once only with other rounding, or with a number.
        for averaged, live in zip(self._model.module.parameters(), self.live.parameters(), strict=True):
            averaged.lerp_(live, weight)
        for own, theirs in zip(self._model.module.buffers(), self.live.buffers(), strict=True):
            own.copy_(theirs)

    @torch.no_grad()
    def _mix(self, averaged: Sequence[Tensor], live: Sequence[Tensor], _: Tensor | int) -> None:
        torch._foreach_lerp_(list(averaged), list(live), 1 - self._decay)

    def __getitem__(self, network: str) -> nn.Module:
        return self._model.module.get_submodule(network)

    def tensors(self) -> list[Tensor]:
        """Everything that ``update`` changes, itself and no copy."""
        return [*self._model.module.parameters(), *self._model.module.buffers()]

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by ``network.name``."""
        return self._model.module.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from ``state_dict``."""
        self._model.module.load_state_dict(state)
        self._model.n_averaged.fill_(1)
