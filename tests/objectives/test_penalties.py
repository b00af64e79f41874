from collections.abc import Callable

import pytest
import torch
from helpers import tiny_data
from torch import Tensor, nn

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.data import Samples
from ganzoo.core.latent import LatentSpec
from ganzoo.core.round import Hand, Round
from ganzoo.core.variables import Categorical
from ganzoo.objectives.penalties import R1, GradientPenalty

SHAPES = [(6,), (1, 2, 3), (3, 2)]


class Formula(Critic):
    """A realness given by a function of the samples, flattened, and of six weights."""

    def __init__(self, formula: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5, 3.0, -0.25, 1.5]))
        self.formula = formula
        self.seen: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        self.seen.append((samples.detach(), condition))
        return Verdict(self.formula(samples.flatten(1), self.weight), samples.flatten(1), {})

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {}


def linear(samples: Tensor, weight: Tensor) -> Tensor:
    return samples @ weight


def half_square(samples: Tensor, weight: Tensor) -> Tensor:
    """½ Σ w² x², whose gradient is w² x."""
    return (weight * samples).square().sum(dim=1) / 2


def critic_round(critic: Critic, shape: tuple[int, ...], n: int = 5, latent: LatentSpec | None = None) -> Round:
    random = torch.Generator().manual_seed(1)
    real, fake = (torch.randn(n, *shape, generator=random) for _ in range(2))
    networks = {"critic": critic, "generator": nn.Identity()}
    latent = LatentSpec() if latent is None else latent
    hand = Hand(latent, networks, {"data": Samples(real, {"label": torch.arange(n) % 3})}, (0, 0))
    round = Round("critic", hand, tiny_data(shape), lambda samples, round: samples, 0.0)
    round.__dict__["fakes"] = fake
    return round


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_penalty_of_a_linear_critic(shape: tuple[int, ...]) -> None:
    critic = Formula(linear)
    (term,) = GradientPenalty().terms("critic", critic_round(critic, shape))
    norm = critic.weight.detach().norm()
    assert (term.name, term.weight, term.value.shape) == ("gradient_penalty", 1.0, ())
    assert term.value.item() == pytest.approx((norm - 1).square().item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(term.value, [critic.weight])
    torch.testing.assert_close(gradient, 2 * (norm - 1) * critic.weight.detach() / norm)


@pytest.mark.parametrize("shape", SHAPES)
def test_r1_of_a_linear_critic(shape: tuple[int, ...]) -> None:
    critic = Formula(linear)
    (term,) = R1().terms("critic", critic_round(critic, shape))
    assert (term.name, term.weight, term.value.shape) == ("r1", 1.0, ())
    assert term.value.item() == pytest.approx(critic.weight.detach().square().sum().item() / 2, rel=1e-5)
    (gradient,) = torch.autograd.grad(term.value, [critic.weight])
    torch.testing.assert_close(gradient, critic.weight.detach())


@pytest.mark.parametrize("shape", SHAPES)
def test_r1_is_taken_at_the_real_samples(shape: tuple[int, ...]) -> None:
    critic = Formula(half_square)
    round = critic_round(critic, shape)
    (term,) = R1().terms("critic", round)
    real, weight = round.real.values.flatten(1), critic.weight.detach()
    torch.testing.assert_close(term.value.detach(), ((weight**2 * real).square().sum(dim=1) / 2).mean())
    (gradient,) = torch.autograd.grad(term.value, [critic.weight])
    torch.testing.assert_close(gradient, (2 * weight**3 * real.square()).mean(dim=0))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_penalty_is_taken_between_real_and_generated_samples(shape: tuple[int, ...]) -> None:
    critic = Formula(half_square)
    round = critic_round(critic, shape, n=50)
    (term,) = GradientPenalty().terms("critic", round)
    ((between, _),) = critic.seen
    real, fake = round.real.values.flatten(1), round.fakes.flatten(1)
    shares = (between.flatten(1) - real) / (fake - real)
    # One share a sample, the same for all its components, spread over [0, 1).
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares), rtol=1e-3, atol=1e-3)
    assert shares.min() > -1e-3 and shares.max() < 1 + 1e-3
    assert shares[:, 0].mean().item() == pytest.approx(0.5, abs=0.15)
    norms = (critic.weight.detach() ** 2 * between.flatten(1)).norm(dim=1)
    torch.testing.assert_close(term.value.detach(), (norms - 1).square().mean())


@pytest.mark.parametrize("penalty", [GradientPenalty(), R1()])
def test_a_penalty_is_the_critics_alone_and_costs_one_call(penalty: GradientPenalty | R1) -> None:
    critic = Formula(linear)
    round = critic_round(critic, (6,))
    assert penalty.per_sample
    assert list(penalty.terms("generator", round)) == []
    assert not critic.seen
    assert len(list(penalty.terms("critic", round))) == len(critic.seen) == 1
    assert round.calls == {"judge/critic": 1}


def test_r1_needs_no_generator() -> None:
    round = critic_round(Formula(linear), (6,))
    del round.__dict__["fakes"]
    round.networks["generator"].forward = None
    list(R1().terms("critic", round))


def test_penalties_judge_samples_with_the_conditions_that_belong_to_them() -> None:
    critic = Formula(linear)
    round = critic_round(critic, (6,), latent=LatentSpec(label=Categorical(3, role="condition")))
    for penalty in (R1(), GradientPenalty()):
        list(penalty.terms("critic", round))
    (_, at_real), (_, at_between) = critic.seen
    assert torch.equal(at_real, round.real_condition)
    assert torch.equal(at_between, round.fake_condition)


def test_a_critic_without_any_gradient_costs_one_and_gets_no_nan() -> None:
    critic = Formula(lambda samples, weight: 0 * (samples @ weight))
    (term,) = GradientPenalty().terms("critic", critic_round(critic, (6,)))
    assert term.value.item() == pytest.approx(1, abs=1e-4)
    (gradient,) = torch.autograd.grad(term.value, [critic.weight])
    assert gradient.isfinite().all()


def test_patches_are_penalised_together() -> None:
    critic = Formula(lambda samples, weight: (samples * weight).unflatten(1, (2, 3)))
    (term,) = R1().terms("critic", critic_round(critic, (6,)))
    assert term.value.item() == pytest.approx(critic.weight.detach().square().sum().item() / 2, rel=1e-5)


@pytest.mark.parametrize("penalty", [GradientPenalty(), R1()])
def test_no_gradient_goes_to_samples_or_generator(penalty: GradientPenalty | R1) -> None:
    critic = Formula(half_square)
    round = critic_round(critic, (6,))
    round.__dict__["fakes"].requires_grad_()
    (term,) = penalty.terms("critic", round)
    (reached,) = torch.autograd.grad(term.value, [round.fakes], allow_unused=True)
    assert reached is None
    assert not round.real.values.requires_grad


def squared(samples: Tensor, round: Round) -> Tensor:
    """A view without a second derivative, as torch's maps of pictures are."""
    return Squared.apply(samples)


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, samples: Tensor) -> Tensor:
        return samples.square()

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        raise NotImplementedError


@pytest.mark.parametrize("penalty", [R1(), GradientPenalty()])
def test_the_gradient_is_taken_at_what_the_critic_sees(penalty: R1 | GradientPenalty) -> None:
    critic = Formula(half_square)
    round = critic_round(critic, (6,))
    round._view = squared
    (term,) = penalty.terms("critic", round)
    (seen, _) = critic.seen[-1]
    assert (seen >= 0).all()
    norms = (critic.weight.detach().square() * seen).norm(dim=1)
    expected = norms.square().mean() / 2 if isinstance(penalty, R1) else (norms - 1).square().mean()
    torch.testing.assert_close(term.value, expected)
    term.value.backward()
