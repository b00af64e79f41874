"""Consistency: the critic reads the same code from a real sample and from a slightly moved copy of it."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ganzoo.core.errors import UsageError
from ganzoo.core.invariance import Invariance
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.core.variables import Categorical

__all__ = ["Consistency", "pair_information"]

RAMP = 0.05
"""Share of the run over which the term's weight rises from zero: at first the codes mean nothing yet."""
EPSILON = 1e-8


class Consistency(Objective):
    """Information between the categories read from real samples and from randomly moved copies, maximised.

    The joint distribution is the symmetrised mean of the outer products of both posteriors over the batch;
    its mutual information is large where every copy gets its sample's category and all categories are used.
    No label is used. It is no part of the InfoGAN paper, and results with it have to say so. Costs one more
    call of the critic.

    Source: Ji, Henriques & Vedaldi 2019, arXiv 1807.06653, equations 2 and 3, there for clustering alone.

    Args:
        codes: variables of the latent space; the categorical ones among them take part.
        invariances: the maps that move a sample, applied one after the other.

    Raises:
        UsageError: there is no categorical code or no map.
    """

    def __init__(self, codes: LatentSpec, invariances: tuple[Invariance, ...]) -> None:
        self.names = tuple(name for name in codes.names if isinstance(codes[name], Categorical))
        self.invariances = invariances
        if not self.names:
            raise UsageError("consistency needs a categorical code; add one to the latent space, or leave it out")
        if not invariances:
            raise UsageError("consistency needs data that name their invariances, and these name none; leave it out")

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """A term ``consistency/<code>`` a categorical code, reported in nats."""
        moved = round.real.values
        for index, invariance in enumerate(self.invariances):
            moved = invariance(moved, round.uniform(f"consistency/{index}", len(moved), invariance.draws))
        verdict = round.judge(moved, round.real_condition)
        ramp = round.scheduled(lambda progress: min(1.0, progress / RAMP))
        for name in self.names:
            information = pair_information(round.real_verdict.recognised[name], verdict.recognised[name])
            reports = {f"consistency/{name}": information.detach()}
            yield Term(f"consistency/{name}", -information, ramp, reports=reports)

    def __repr__(self) -> str:
        return f"Consistency({', '.join(self.names)})"


def pair_information(one: Tensor, other: Tensor) -> Tensor:
    """Mutual information in nats between the classes of paired samples, a scalar.

    Args:
        one: (N, K) logits.
        other: (N, K) logits of the partners.
    """
    with torch.autocast(one.device.type, enabled=False):
        # A product of probabilities; bfloat16 would round away what the logarithm looks at.
        joint = torch.mm(one.softmax(dim=1).t(), other.softmax(dim=1)) / len(one)
    joint = ((joint + joint.t()) / 2).clamp(min=EPSILON)
    marginal = joint.sum(dim=1, keepdim=True)
    return (joint * (joint.log() - marginal.log() - marginal.t().log())).sum()
