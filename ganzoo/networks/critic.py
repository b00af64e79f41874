"""The stock critic: a trunk, and the heads that read its features."""

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.layers import dense_block, initialise, spectrally_normalise
from ganzoo.networks.style import NetworkStyle

__all__ = ["Recognition", "StockCritic"]


UNCERTAIN = 0.02
"""Standard deviation of the weights that the parameters of a posterior start from."""


class Recognition(nn.Module):
    """The recognition head: one hidden block shared by all variables, then one linear layer for them all.

    This is Q of Chen et al. 2016, arXiv 1606.03657, appendix C. Its outputs are raw parameters: no softmax,
    no exponential.

    Args:
        features: width F of the features it reads.
        recognises: the variables to recognise, at least one.
        style: gives the hidden width and the normalisation.
        slope: negative slope of the hidden leaky rectifier.
    """

    def __init__(self, features: int, recognises: LatentSpec, style: NetworkStyle, slope: float) -> None:
        super().__init__()
        self.widths = {name: recognises.head_width(name) for name in recognises.names}
        hidden = style.recognition_hidden
        self.hidden = dense_block(features, hidden, style.critic_norm, nn.LeakyReLU(slope, inplace=True))
        self.parameters_of = nn.Linear(hidden, sum(self.widths.values()))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Features (N, F) to the posterior parameters of each variable, (N, head width)."""
        parts = self.parameters_of(self.hidden(features)).split(list(self.widths.values()), dim=1)
        return dict(zip(self.widths, parts, strict=True))

    def extra_repr(self) -> str:
        """The variables and their head widths."""
        return ", ".join(f"{name}: {width}" for name, width in self.widths.items())


class StockCritic(Critic):
    """A trunk and the heads on its features.

    ``trunk`` turns samples into features, ``realness`` reads one score from them, and ``recognition`` the
    recognised variables (None where there are none), so that a player can own or pace each by its name.
    Seen conditions enter by projection, realness += ⟨projection(condition), features⟩ (Miyato & Koyama 2018,
    arXiv 1802.05637), or beside the samples (Mirza & Osindero 2014, arXiv 1411.1784).

    Args:
        trunk: named blocks from samples to features; with ``concatenate`` from (N, numel + W) vectors.
        features: width F of the features.
        style: normalisation and width of the heads; spectral normalisation of the trunk, ``realness`` and
            ``projection``. Recognition is left free, for it must be able to become certain.
        sees: the condition variables it is told, side by side in this order; if empty, any condition is
            ignored.
        recognises: the variables that it must tell from the sample; may be empty.
        slope: negative slope of the leaky rectifiers.
        std: spread of the initial weights, see ``layers.initialise``.
        concatenate: whether the condition enters beside the sample, rather than by projection.

    Attributes:
        feature_width: width F of the features.
    """

    recognition: Recognition | None
    projection: nn.Linear | None

    def __init__(
        self,
        trunk: nn.Sequential,
        features: int,
        style: NetworkStyle,
        *,
        sees: LatentSpec,
        recognises: LatentSpec,
        slope: float,
        std: float | None,
        concatenate: bool = False,
    ) -> None:
        super().__init__()
        self.feature_width = features
        self.condition_width = sees.width
        self.concatenate = concatenate and self.condition_width > 0
        projects = self.condition_width > 0 and not concatenate
        self.trunk = trunk
        self.realness = nn.Linear(features, 1)
        self.projection = nn.Linear(self.condition_width, features, bias=False) if projects else None
        self.recognition = Recognition(features, recognises, style, slope) if len(recognises) else None
        initialise(self, std, slope)
        if self.recognition is not None:
            # Whatever the family: a head that starts out certain of its guesses starts with an enormous loss.
            initialise(self.recognition.parameters_of, UNCERTAIN)
        if style.spectral_norm:
            for part in (self.trunk, self.realness, self.projection):
                if part is not None:
                    spectrally_normalise(part)

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        """Judge samples (N, *shape) under a condition (N, W).

        Returns:
            Realness (N,) unsquashed, features (N, F), and per recognised variable (N, head width).

        Raises:
            ValueError: the critic sees conditions, and got none or one of another width.
        """
        condition = self._seen(condition)
        features: Tensor = self.trunk(self._entry(samples, condition))
        realness = self.realness(features).squeeze(1)
        if self.projection is not None and condition is not None:
            realness = realness + (self.projection(condition) * features).sum(1)
        recognised = {} if self.recognition is None else self.recognition(features)
        return Verdict(realness, features, recognised)

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The output of each of the trunk's blocks by its name; the last is the features (N, F).

        Raises:
            ValueError: as for ``forward``.
        """
        values = self._entry(samples, self._seen(condition))
        maps: dict[str, Tensor] = {}
        for name, block in self.trunk.named_children():
            values = maps[name] = block(values)
        return maps

    def _seen(self, condition: Tensor | None) -> Tensor | None:
        if self.condition_width == 0:
            return None
        if condition is None or condition.ndim != 2 or condition.shape[1] != self.condition_width:
            got = "none" if condition is None else f"one of shape {tuple(condition.shape)}"
            raise ValueError(f"the critic sees conditions of shape (N, {self.condition_width}), it got {got}")
        return condition

    def _entry(self, samples: Tensor, condition: Tensor | None) -> Tensor:
        if not self.concatenate or condition is None:
            return samples
        return torch.cat([samples.flatten(1), condition.to(samples.dtype)], dim=1)

    def extra_repr(self) -> str:
        """How a condition enters, if one does."""
        if self.condition_width == 0:
            return ""
        return f"condition={self.condition_width} {'beside the sample' if self.concatenate else 'projected'}"
