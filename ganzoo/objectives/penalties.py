"""Penalties on the critic's gradient with respect to its input."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round

__all__ = ["R1", "GradientPenalty"]


class GradientPenalty(Objective):
    """E (‖∇D(x̂)‖ − 1)² at random points x̂ between real and generated samples.

    Source: Gulrajani et al. 2017, arXiv 1704.00028, equation 3 (where its weight is 10).
    """

    per_sample = True

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """The term ``gradient_penalty``; one more call of the critic."""
        real = round.real.values
        mix = round.uniform("gradient_penalty", len(real), *[1] * (real.dim() - 1))
        between = torch.lerp(real, round.fakes.detach(), mix)
        norms = squared_gradient(round, between, round.fake_condition).clamp(min=1e-12).sqrt()
        yield Term("gradient_penalty", (norms - 1).square().mean())


class R1(Objective):
    """½ E ‖∇D(x)‖² at real samples; its weight is the paper's γ.

    Source: Mescheder, Geiger & Nowozin 2018, arXiv 1801.04406, equation 9.
    """

    per_sample = True

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """The term ``r1``; one more call of the critic."""
        yield Term("r1", squared_gradient(round, round.real.values, round.real_condition).mean() / 2)


def squared_gradient(round: Round, samples: Tensor, condition: Tensor | None) -> Tensor:
    """‖∇D‖² per sample, (N,), at what the critic sees of it; differentiable with respect to the critic's parameters."""
    # Not through the view: torch has no second derivative of its maps.
    seen = round.seen(samples.detach()).requires_grad_()
    realness = round.judge(seen, condition, view=False).realness
    (gradient,) = torch.autograd.grad(realness.sum(), seen, create_graph=True)
    return gradient.float().flatten(1).square().sum(dim=1)
