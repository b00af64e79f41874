"""The critic: samples to a verdict."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

__all__ = ["Critic", "Verdict"]


class Verdict(NamedTuple):
    """What a critic says of a batch; tensors only, nothing squashed.

    Attributes:
        realness: (N, …), a logit or a score a sample, or one a patch.
        features: (N, F), what the heads read.
        recognised: per recognised variable (N, head width), the parameters of its posterior.
    """

    realness: Tensor
    features: Tensor
    recognised: Mapping[str, Tensor]


class Critic(nn.Module, ABC):
    """A network that judges samples: how real each looks, and which latent values it shows."""

    @abstractmethod
    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        """Judge a batch.

        Args:
            samples: (N, *shape).
            condition: (N, W), every condition variable side by side, or None where the latent space has
                none. A critic that recognises the condition instead of seeing it ignores this.

        Returns:
            The verdict, a row a sample.
        """

    @abstractmethod
    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The trunk's maps by name, from the sample's side to the features, for probes and similarities."""
