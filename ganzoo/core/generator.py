"""The generator: latents to samples."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

__all__ = ["Generator"]


class Generator(nn.Module, ABC):
    """A network that maps latents to samples.

    Calling it in evaluation mode must treat every row alone: row k of the output depends on row k of
    the input and on nothing else.
    """

    @abstractmethod
    def forward(self, latents: Tensor) -> Tensor:
        """Generate one sample a row.

        Args:
            latents: (N, D), the variables of the latent space side by side.

        Returns:
            (N, *shape), inside the range of the data's specification.
        """
