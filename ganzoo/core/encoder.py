"""The encoder: samples to latents."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

__all__ = ["Encoder"]


class Encoder(nn.Module, ABC):
    """A network that maps samples to latents, the generator's way back.

    A model that has one calls it ``encoder`` among its ``networks``; then ``ganzoo reconstruct`` works.
    Calling it in evaluation mode must treat every row alone, as a generator does.
    """

    @abstractmethod
    def forward(self, samples: Tensor) -> Tensor:
        """Encode one sample a row.

        Args:
            samples: (N, *shape), in the range of the data's specification.

        Returns:
            (N, D), float32, the variables of the latent space side by side; of an encoder that gives a
            distribution, its mean.
        """
