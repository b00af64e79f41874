"""How much generated samples say of the variables that the critic recognises."""

import math
from collections.abc import Iterable
from typing import ClassVar

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Information"]

NEEDED = 100
"""Generated samples, for a mean and its standard error."""


class Information(Metric):
    """A lower bound on the mutual information of a variable c and the samples: E log Q(c|G(z, c)) + H(c), in nats.

    Of generated samples, whose c is known. How tight the bound is depends on the critic: an uncertain or
    wrong Q gives less, even a negative number, of the same information. Of a discrete variable it is at most
    H(c), given in the details as ``entropy``; of a continuous one H(c) is a differential entropy and no ceiling.

    Source: Chen et al. 2016, arXiv 1606.03657, equation 4.
    """

    name: ClassVar[str] = "information"
    summary: ClassVar[str] = "lower bound on what generated samples say of each code, in nats"
    group: ClassVar[Group] = "codes"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """A score ``information/<variable>`` for each variable that the critic recognises.

        Raises:
            Unavailable: there is none, or too few samples.
        """
        latents = subject.latents()
        subject.at_least(NEEDED, len(latents), "generated samples")
        try:
            recognised = subject.judge(subject.fakes(), subject.asked()).recognised
        except ValueError as error:  # it wants something else beside the sample
            raise Unavailable(f"the critic reads nothing from a sample alone: {error}") from error
        if not recognised:
            raise Unavailable("the critic recognises no variable of the latent space")
        for name, parameters in recognised.items():
            variable = subject.latent[name]
            log_q = subject.latent.posterior(name, parameters).log_prob(latents[name]).double()
            details = {"standard_error": float(log_q.std()) / math.sqrt(len(log_q))}
            if variable.discrete:
                details["entropy"] = variable.entropy
            yield subject.score(
                f"information/{name}",
                float(log_q.mean()) + variable.entropy,
                f"E log Q(c|x) + H(c), {len(log_q):,} samples of the averaged generator; {subject.critic_protocol}",
                unit="nats",
                better="higher",
                samples=len(log_q),
                note=(
                    f"at most H(c) = {variable.entropy:.3f} nats"
                    if variable.discrete
                    else "of a continuous variable, so there is no ceiling"
                ),
                details=details,
            )
