"""InfoGAN-CR: each code makes a change of its own, which a second network can tell from those of the others."""

import math
from collections.abc import Iterator
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import ganzoo
from ganzoo import Categorical, LatentSpec, MutualInformation, Normal, Player, Rates, Round, Term, Uniform, UsageError

_ENDS = 2**-24
"""How near a uniform number in float32 comes to 0 and 1, where quantiles may be infinite."""


class Contrast(ganzoo.Objective):
    """A network tells which code dimension two generated samples share, and the generator makes it easy to tell.

    Both minimise the same cross-entropy, in nats, from when the player ``contrast`` takes part.

    Source: Lin et al. 2020, arXiv 1906.06034. In the authors' code both samples of a pair have the same noise.

    Args:
        weight: of the term for the generator, against 1 for the network.
        gap: least distance of dimensions that are not shared, as a share of the prior's probability.
        gap_until: share of the run after which they may be at any distance.
        shared_noise: whether the two samples have the same noise.
    """

    def __init__(self, weight: float, gap: float, gap_until: float, shared_noise: bool) -> None:
        self.weight, self.gap, self.gap_until, self.shared_noise = weight, gap, gap_until, shared_noise

    def terms(self, player: str, round: Round) -> Iterator[Term]:
        """The term ``contrast``; the network's reports the share of pairs of which it names the right dimension.

        Before the network takes part, the generator's is that of a guess, a constant.
        """
        if player not in ("contrast", "generator"):
            return
        if "contrast" not in round.players:
            guess = torch.full((), math.log(dimensions(round.latent)), device=round.real.values.device)
            yield Term("contrast", guess, self.weight)
            return
        gap = round.scheduled(lambda progress: self.gap if progress < self.gap_until else 0.0)
        latents, shared = pairs(round, gap, self.shared_noise)
        with torch.set_grad_enabled(player == "generator"):
            samples = round.generate(latents)
        # Through the critic's view: else codes could hide from the critic in what its noise covers.
        logits = round.judge(torch.cat(samples.chunk(2), dim=1), network="contrast").recognised["shared"]
        value = cross_entropy(logits, shared)
        if player == "generator":
            yield Term("contrast", value, self.weight)
        else:
            right = (logits.argmax(1) == shared).float().mean()
            yield Term("contrast", value, reports={"contrast_accuracy": right})

    def __repr__(self) -> str:
        gap = f", gap={self.gap:g} until {self.gap_until:.0%}" if self.gap else ""
        return f"Contrast({self.weight:g}{gap}{', shared noise' if self.shared_noise else ''})"


def pairs(round: Round, gap: float | Tensor = 0.0, shared_noise: bool = False) -> tuple[Tensor, Tensor]:
    """Latents of pairs of samples that have one code dimension in common.

    Args:
        round: gives the latent space, the random numbers and N, how many samples are real.
        gap: least distance of the other code dimensions, from 0 to below 1: the probability between the two.
        shared_noise: whether the noise is common too.

    Returns:
        Latents (2N, D), the second of each pair N rows after the first; and which dimension, (N,), each with the
        same probability.
    """
    n, parts, position = len(round.real.values), [], 0
    shared = round.uniform("shared", n, dimensions(round.latent)).argmax(1)
    is_shared = shared.unsqueeze(1) == torch.arange(dimensions(round.latent), device=shared.device)
    for name, variable in round.latent.items():
        first, second = round.uniform(f"pairs/{name}", 2 * n, variable.draws).chunk(2)
        if variable.role == "code":
            common = is_shared[:, position : position + variable.draws]
            position += variable.draws
            # Both are squeezed into what half a gap at either end leaves, then pushed half a gap apart.
            apart = gap * ((first > second).float() - 0.5)
            one, other = (gap / 2 + (1 - gap) * number for number in (first, second))
            second = torch.where(common, first, other - apart)
            first = torch.where(common, first, one + apart)
        elif shared_noise and variable.role == "noise":
            second = first
        parts.append(variable.quantile(torch.cat([first, second]).clamp(_ENDS, 1 - _ENDS)))
    return torch.cat(parts, dim=1), shared


def dimensions(latent: LatentSpec) -> int:
    """How many code dimensions can be shared; a categorical code is one."""
    return sum(variable.draws for _, variable in latent.codes.items())


class InfoGANCR(ganzoo.Model):
    """InfoGAN whose codes a second network must tell apart by what they change (Lin et al. 2020, arXiv 1906.06034)."""

    name = "infogan-cr"

    class Options(ganzoo.Model.Options):
        """The codes, what information and contrast weigh, and how pairs are made."""

        alternatives = {"latent": ("noise", "styles", "style_sigma", "style_weight")}
        noise: int = Field(5, ge=1, description="width of the incompressible noise z")
        styles: int = Field(5, ge=2, description="number of uniform codes on (-1, 1)")
        style_sigma: float | Literal["learned"] = Field(
            "learned", description="standard deviation of the codes' posterior, or learned"
        )
        style_weight: float = Field(0.1, ge=0, description="weight of the codes' information")
        contrast: float = Field(2.0, ge=0, description="weight of contrast for the generator (0: plain InfoGAN)")
        contrast_from: float = Field(0.5, ge=0, lt=1, description="share of the run after which contrast joins")
        contrast_lr: float | None = Field(None, gt=0, description="Adam's step size for contrast (none: the critic's)")
        gap: float = Field(
            0.0, ge=0, lt=1, description="least distance of codes that a pair does not share, as a share of their range"
        )
        gap_until: float = Field(0.7, ge=0, le=1, description="share of the run after which there is no gap")
        shared_noise: bool = Field(False, description="whether the samples of a pair have the same noise")

        @model_validator(mode="after")
        def _gap_is_met(self) -> Self:
            if self.gap and self.gap_until <= self.contrast_from:
                raise ValueError(f"the gap ends at {self.gap_until:g} and contrast joins at {self.contrast_from:g}")
            return self

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        """Noise z, and the codes ``style``."""
        options = self.options
        style = Uniform(options.styles, role="code", weight=options.style_weight, sigma=options.style_sigma)
        return LatentSpec(z=Normal(options.noise), style=style)

    def networks(self, latent: LatentSpec, data: ganzoo.DataSpec) -> dict[str, nn.Module]:
        """Critic and generator, and with a weight ``contrast``, which reads two samples as one of twice the channels.

        Raises:
            UsageError: there is one code dimension, or none.
        """
        networks = super().networks(latent, data)
        if not self.options.contrast:
            return networks
        count = dimensions(latent)
        if count < 2:
            raise UsageError(f"contrast needs at least two code dimensions to tell apart, and there are {count}")
        pair = data.model_copy(update={"shape": (2 * data.shape[0], *data.shape[1:])})
        # Some families take no such shapes, so whichever fits them is taken.
        automatic = type(self)(self.options.model_copy(update={"networks": "auto"}))
        shared = LatentSpec(shared=Categorical(count))
        critic = automatic.stock_critic(latent, pair, sees=LatentSpec(), recognises=shared)
        critic.realness = nn.Identity()  # type: ignore[assignment]  # of pairs nobody asks, so nothing is learned
        return {**networks, "contrast": critic}

    def players(self, latent: LatentSpec, data: ganzoo.DataSpec) -> list[Player]:
        """The critic, contrast where it has a weight, the generator."""
        options = self.options
        critic, generator = super().players(latent, data)
        if not options.contrast:
            return [critic, generator]
        rates = Rates(options.contrast_lr or options.critic_lr, options.betas)
        return [critic, Player("contrast", {"contrast": rates}, starts_at=options.contrast_from), generator]

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """Adversarial terms, the information of every code, and contrast where it has a weight."""
        options = self.options
        objective = self.adversarial() + MutualInformation(latent.codes)
        if not options.contrast:
            return objective
        return objective + Contrast(options.contrast, options.gap, options.gap_until, options.shared_noise)


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [InfoGANCR]
