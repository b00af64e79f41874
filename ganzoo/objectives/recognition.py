"""Recognition terms: the critic reads latent variables back from samples."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn.functional import cross_entropy

from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round

__all__ = ["AuxiliaryClassification", "MutualInformation"]


class MutualInformation(Objective):
    """A lower bound on the information between the codes and the samples, maximised by both players.

    The term of a code c is −(E log Q(c|x) + H(c)) over generated samples x, with H(c) of the true prior:
    in nats, summed over the dimensions of a code, averaged over the batch, weighted by the code's own
    ``weight``. The estimate of a discrete code cannot exceed H(c); that of a continuous code is bounded by
    its ``information_bound``.

    Source: Chen et al. 2016, arXiv 1606.03657, equations 4 and 5. As in the authors' code, the critic's
    trunk receives the gradient too.

    Args:
        codes: the variables to recognise.
        trunk: whether, in the critic's loss, the term trains the trunk beside the recognition head.
    """

    def __init__(self, codes: LatentSpec, trunk: bool = True) -> None:
        self.codes = codes
        self.recovers = frozenset(codes.names)
        self.trunk = trunk

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """A term ``information/<code>`` a code; where ``trunk`` is off, for the head's parameters alone."""
        only = () if self.trunk else ("critic.recognition",)
        for name, estimate in self._estimates(round):
            yield Term(f"information/{name}", -estimate, self.codes[name].weight, only)

    def generator_terms(self, round: Round) -> Iterator[Term]:
        """A term ``information/<code>`` a code, which also reports the estimate in nats."""
        for name, estimate in self._estimates(round):
            reports = {f"information/{name}": estimate.detach()}
            yield Term(f"information/{name}", -estimate, self.codes[name].weight, reports=reports)

    def _estimates(self, round: Round) -> Iterator[tuple[str, Tensor]]:
        """Per code the information in nats, a scalar."""
        recognised = round.fake_verdict.recognised
        for name in self.codes.names:
            posterior = self.codes.posterior(name, recognised[name])
            yield name, posterior.log_prob(round.latents[name]).mean() + self.codes.entropy(name)

    def __repr__(self) -> str:
        names = ", ".join(self.codes.names)
        return f"MutualInformation({names}{'' if self.trunk else '; trunk=False'})"


class AuxiliaryClassification(Objective):
    """The critic classifies samples; the generator makes samples that it classifies as asked.

    Terms are cross-entropies in nats, from logits. Real samples with an unknown label are left out of the
    mean, so that a few labels suffice. Whether the critic should also learn from generated samples divides
    the authors: Odena et al. do it (section 4, L_C), later work mostly does not, since early fakes teach
    the critic wrong classes.

    Source: Odena, Olah & Shlens 2017, arXiv 1610.09585, equations 2 and 3.

    Args:
        conditions: the variables to recognise; real labels go by the same names.
        fakes: whether the critic's loss classifies generated samples too.
    """

    def __init__(self, conditions: LatentSpec, fakes: bool = False) -> None:
        self.conditions = conditions
        self.recovers = frozenset(conditions.names)
        self.fakes = fakes

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """Terms ``class/<label>`` on real samples and, if chosen, ``fake_class/<label>`` on fakes."""
        for name in self.conditions.names:
            logits, label = round.real_verdict.recognised[name], round.real.labels[name]
            loss, accuracy = known_cross_entropy(logits, label)
            weight = self.conditions[name].weight
            yield Term(f"class/{name}", loss, weight, reports={f"class_accuracy/{name}": accuracy})
            if self.fakes:
                yield Term(f"fake_class/{name}", self._fake_loss(round, name), weight)

    def generator_terms(self, round: Round) -> Iterator[Term]:
        """A term ``class/<label>`` a label."""
        for name in self.conditions.names:
            yield Term(f"class/{name}", self._fake_loss(round, name), self.conditions[name].weight)

    def _fake_loss(self, round: Round, name: str) -> Tensor:
        return cross_entropy(round.fake_verdict.recognised[name], round.latents[name].argmax(dim=1))

    def __repr__(self) -> str:
        names = ", ".join(self.conditions.names)
        return f"AuxiliaryClassification({names}{'; fakes=True' if self.fakes else ''})"


def known_cross_entropy(logits: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and accuracy over the rows whose label is known (not −1); zeros when none is.

    Args:
        logits: (N, K).
        label: (N,) class indices or −1.
    """
    known = (label >= 0).float()
    count = known.sum().clamp(min=1)
    loss = cross_entropy(logits, label, ignore_index=-1, reduction="sum") / count
    accuracy = ((logits.argmax(dim=1) == label).float() * known).sum() / count
    return loss, accuracy.detach()
