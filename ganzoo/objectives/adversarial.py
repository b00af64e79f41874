"""Adversarial terms: telling real samples from generated ones, and preventing it."""

from abc import abstractmethod
from collections.abc import Iterator

from torch import Tensor
from torch.nn.functional import relu, softplus

from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round

__all__ = ["ADVERSARIAL", "Adversarial", "Hinge", "LeastSquares", "NonSaturating", "Wasserstein"]


class Adversarial(Objective):
    """A loss of the critic's realness alone; patches count as samples of their own."""

    boundary: float = 0.0
    """Realness above which the critic calls a sample real."""

    @abstractmethod
    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss, a scalar, of its realness of real and of generated samples, (N, …) each."""

    @abstractmethod
    def generator_loss(self, fake: Tensor) -> Tensor:
        """The generator's loss, a scalar, of the critic's realness of generated samples, (N, …)."""

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor:
        """The share that the critic judges rightly, a scalar in [0, 1], of realness as in ``critic_loss``."""
        return _accuracy(real, fake, self.boundary)

    def critic_terms(self, round: Round) -> Iterator[Term]:
        """The term ``adversarial``, with the share of samples that the critic judges rightly."""
        real, fake = round.real_verdict.realness, round.fake_verdict.realness
        accuracy = self.accuracy(real, fake)
        yield Term("adversarial", self.critic_loss(real, fake), reports={"critic_accuracy": accuracy})

    def generator_terms(self, round: Round) -> Iterator[Term]:
        """The term ``adversarial``."""
        yield Term("adversarial", self.generator_loss(round.fake_verdict.realness))


class NonSaturating(Adversarial):
    """Cross-entropy, with the generator maximising log D(G(z)).

    Source: Goodfellow et al. 2014, arXiv 1406.2661, section 3. The realness is a logit.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """−E log D(x) − E log(1 − D(G(z)))."""
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """−E log D(G(z))."""
        return softplus(-fake).mean()


class LeastSquares(Adversarial):
    """Squared distance to 1 for real and 0 for generated samples.

    Source: Mao et al. 2017, arXiv 1611.04076, equation 9.
    """

    boundary = 0.5

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """½ E (D(x) − 1)² + ½ E D(G(z))²."""
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator_loss(self, fake: Tensor) -> Tensor:
        """½ E (D(G(z)) − 1)²."""
        return (fake - 1).square().mean() / 2


class Hinge(Adversarial):
    """The margin loss of geometric GAN.

    Source: Lim & Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957, equations 16 and 17.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E max(0, 1 − D(x)) + E max(0, 1 + D(G(z)))."""
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """−E D(G(z))."""
        return -fake.mean()


class Wasserstein(Adversarial):
    """Difference of the critic's means; needs a Lipschitz critic (gradient penalty, spectral norm).

    Source: Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875, equation 2. The zero of the critic's score
    means nothing, so its reported accuracy is against the middle of the two means.
    """

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """E D(G(z)) − E D(x), the negative of the distance's estimate."""
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        """−E D(G(z))."""
        return -fake.mean()

    def accuracy(self, real: Tensor, fake: Tensor) -> Tensor:
        """The share on the right side of the middle of both means."""
        return _accuracy(real, fake, (real.mean() + fake.mean()) / 2)


def _accuracy(real: Tensor, fake: Tensor, boundary: float | Tensor) -> Tensor:
    return ((real > boundary).float().mean() + (fake <= boundary).float().mean()).detach() / 2


ADVERSARIAL: dict[str, type[Adversarial]] = {
    "non-saturating": NonSaturating,
    "least-squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
}
"""The adversarial terms by the name that options use."""
