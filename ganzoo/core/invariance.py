"""Random maps of pictures under which a label keeps its meaning."""

import math
from functools import lru_cache
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

__all__ = ["Affine", "Flip", "Invariance"]


class Affine(BaseModel):
    """A small turn, stretch, slant and shift, each uniform between its bounds and their negatives.

    What moves in from outside repeats the border; in between, values are interpolated bilinearly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["affine"] = "affine"
    rotation: float = Field(15.0, ge=0, le=180, description="degrees")
    scale: float = Field(0.12, ge=0, lt=1, description="share of a side, for each side of its own")
    shear: float = Field(0.25, ge=0, description="columns to the right for each row down")
    shift: float = Field(0.12, ge=0, description="share of half a side, for each direction of its own")

    @property
    def draws(self) -> int:
        """Uniform numbers that decide on one map."""
        return 6

    def __call__(self, samples: Tensor, uniform: Tensor) -> Tensor:
        """Map each sample by its own random map.

        Args:
            samples: (N, C, H, W).
            uniform: (N, draws), in [0, 1).

        Returns:
            (N, C, H, W), within the range of ``samples``.
        """
        bounds = (math.radians(self.rotation), self.scale, self.scale, self.shear, self.shift, self.shift)
        signed = (2 * uniform - 1) * _on_device(bounds, uniform.dtype, uniform.device)
        angle, wide, high, shear, right, down = signed.unbind(1)
        cos, sin = angle.cos(), angle.sin()
        across = torch.stack([cos * (1 + wide), shear - sin * (1 + high), right], dim=1)
        along = torch.stack([sin * (1 + wide), cos * (1 + high), down], dim=1)
        grid = affine_grid(torch.stack([across, along], dim=1), list(samples.shape), align_corners=False)
        return grid_sample(samples, grid.to(samples.dtype), padding_mode="border", align_corners=False)


class Flip(BaseModel):
    """Left and right exchanged, half of the time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["flip"] = "flip"

    @property
    def draws(self) -> int:
        """Uniform numbers that decide on one map."""
        return 1

    def __call__(self, samples: Tensor, uniform: Tensor) -> Tensor:
        """Flip each sample (N, C, H, W) whose uniform number, of (N, 1), is below a half."""
        return torch.where(uniform[:, :, None, None] < 0.5, samples.flip(3), samples)


@lru_cache(maxsize=64)
def _on_device(bounds: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    # Copied once: a copy at every call would make the training loop wait for the device.
    return torch.tensor(bounds, dtype=dtype, device=device)


Invariance = Annotated[Affine | Flip, Field(discriminator="kind")]
"""Any of the maps, told apart by ``kind`` in files."""
