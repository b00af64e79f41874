"""Values of a latent space, which owns their layout: see ``ganzoo.core.latent``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ganzoo.core.variable import Device

if TYPE_CHECKING:
    from ganzoo.core.latent import LatentSpec

__all__ = ["Latents"]


@dataclass(frozen=True, eq=False)
class Latents:
    """N values of a latent space.

    Attributes:
        spec: the latent space.
        flat: (N, D), every variable's columns side by side: what a generator takes.
    """

    spec: "LatentSpec"
    flat: Tensor

    def __getitem__(self, name: str) -> Tensor:
        """The variable's columns, (N, width), a view of ``flat``.

        Raises:
            UsageError: there is no such variable.
        """
        return self.flat[:, self.spec.columns(name)]

    def __len__(self) -> int:
        return len(self.flat)

    def __repr__(self) -> str:
        return f"Latents({str(self.spec)!r}, {tuple(self.flat.shape)} on {self.flat.device})"

    def to(self, device: Device) -> "Latents":
        """The same latents on another device."""
        return Latents(self.spec, self.flat.to(device))

    def rows(self, rows: slice) -> "Latents":
        """Some of the rows, a view."""
        return Latents(self.spec, self.flat[rows])
