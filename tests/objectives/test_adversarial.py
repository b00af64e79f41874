from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import terms_of, told_round
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from ganzoo.models.options import ModelOptions
from ganzoo.objectives.adversarial import ADVERSARIAL, Adversarial, LeastSquares, NonSaturating, Wasserstein

Array = NDArray[np.float64]
NAMES = sorted(ADVERSARIAL)

# Each as the paper writes it, D a probability where it says so.
CRITIC: dict[str, Callable[[Array, Array], float]] = {
    "non-saturating": lambda real, fake: -np.log(expit(real)).mean() - np.log(1 - expit(fake)).mean(),
    "least-squares": lambda real, fake: 0.5 * ((real - 1) ** 2).mean() + 0.5 * (fake**2).mean(),
    "hinge": lambda real, fake: -np.minimum(0, real - 1).mean() - np.minimum(0, -fake - 1).mean(),
    "wasserstein": lambda real, fake: -(real.mean() - fake.mean()),
}
GENERATOR: dict[str, Callable[[Array], float]] = {
    "non-saturating": lambda fake: -np.log(expit(fake)).mean(),
    "least-squares": lambda fake: 0.5 * ((fake - 1) ** 2).mean(),
    "hinge": lambda fake: -fake.mean(),
    "wasserstein": lambda fake: -fake.mean(),
}


def realness(*shape: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(shape, generator=random), 3 * torch.randn(shape, generator=random)


def test_options_offer_every_loss() -> None:
    offered = ModelOptions.model_fields["adversarial"].annotation.__args__
    assert sorted(offered) == NAMES == sorted(CRITIC)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(64,), (1,), (8, 1, 3, 3)])
def test_losses_are_the_papers(name: str, shape: tuple[int, ...]) -> None:
    real, fake = realness(*shape)
    loss = ADVERSARIAL[name]()
    arrays = real.double().numpy(), fake.double().numpy()
    assert loss.critic_loss(real, fake).item() == pytest.approx(CRITIC[name](*arrays), rel=1e-5)
    assert loss.generator_loss(fake).item() == pytest.approx(GENERATOR[name](arrays[1]), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_terms_are_the_losses_of_the_rounds_realness(name: str) -> None:
    real, fake = realness(16, 1)
    loss = ADVERSARIAL[name]()
    critic = terms_of(loss, "critic", told_round("critic", real=real, fake=fake))
    generator = terms_of(loss, "generator", told_round("generator", real=real, fake=fake))
    assert list(critic) == list(generator) == ["adversarial"]
    assert torch.equal(critic["adversarial"].value, loss.critic_loss(real[:, 0], fake[:, 0]))
    assert torch.equal(generator["adversarial"].value, loss.generator_loss(fake[:, 0]))
    assert critic["adversarial"].weight == generator["adversarial"].weight == 1
    assert critic["adversarial"].value.shape == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_generators_turn_judges_no_real_sample(name: str) -> None:
    real, fake = realness(4, 1)
    round = told_round("generator", real=real, fake=fake)
    terms_of(ADVERSARIAL[name](), "generator", round)
    assert len(round.networks["critic"].seen) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_critic_wants_real_up_and_fake_down_and_the_generator_the_opposite(name: str) -> None:
    loss = ADVERSARIAL[name]()
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    up, down = torch.autograd.grad(loss.critic_loss(real, fake + 0.5), [real, fake])
    assert up.lt(0).all() and down.gt(0).all()
    (wanted,) = torch.autograd.grad(loss.generator_loss(fake), [fake])
    assert wanted.lt(0).all()


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
def test_confident_logits_neither_overflow_nor_lose_their_gradient(size: float) -> None:
    wrong = torch.full((4,), -size, requires_grad=True)
    loss = NonSaturating()
    assert loss.generator_loss(wrong).item() == pytest.approx(size)
    (gradient,) = torch.autograd.grad(loss.generator_loss(wrong), [wrong])
    # Saturating, log(1 - D) would give the generator nothing here.
    assert torch.equal(gradient, torch.full((4,), -0.25))
    assert loss.critic_loss(wrong, -wrong).item() == pytest.approx(2 * size)
    assert loss.critic_loss(-wrong, wrong).item() == pytest.approx(0, abs=1e-30)


def test_least_squares_is_at_its_least_on_its_targets() -> None:
    one, zero = torch.ones(3), torch.zeros(3)
    assert LeastSquares().critic_loss(one, zero).item() == 0
    assert LeastSquares().generator_loss(one).item() == 0


def test_a_hinged_critic_gains_nothing_beyond_the_margin() -> None:
    loss = ADVERSARIAL["hinge"]()
    real, fake = torch.tensor([1.5, 0.5], requires_grad=True), torch.tensor([-1.5, -0.5], requires_grad=True)
    up, down = torch.autograd.grad(loss.critic_loss(real, fake), [real, fake])
    assert up.tolist() == [0, -0.5] and down.tolist() == [0, 0.5]


@pytest.mark.parametrize(
    ("loss", "accuracy"),
    [
        (NonSaturating(), (2 / 4 + 3 / 4) / 2),  # boundary 0: real 0.2 and 2 above it, fake -1, -3 and 0 not
        (ADVERSARIAL["hinge"](), (2 / 4 + 3 / 4) / 2),
        (LeastSquares(), (1 / 4 + 3 / 4) / 2),  # boundary one half
        (Wasserstein(), (2 / 4 + 2 / 4) / 2),  # boundary -0.15, between the means -0.2 and -0.1
    ],
)
def test_the_critics_accuracy_is_the_mean_over_real_and_fake(loss: Adversarial, accuracy: float) -> None:
    real = torch.tensor([[0.2], [2.0], [-1.0], [-2.0]])
    fake = torch.tensor([[-1.0], [-3.0], [0.0], [3.6]])
    (term,) = loss.terms("critic", told_round("critic", real=real, fake=fake))
    assert term.reports["critic_accuracy"].item() == pytest.approx(accuracy)
    assert not term.reports["critic_accuracy"].requires_grad


def test_a_critic_that_says_the_same_of_everything_is_right_half_of_the_time() -> None:
    same = torch.full((6, 1), 0.3)
    for loss in ADVERSARIAL.values():
        (term,) = loss().terms("critic", told_round("critic", real=same, fake=same))
        assert term.reports["critic_accuracy"].item() == 0.5


def test_a_printed_loss_is_its_name() -> None:
    assert repr(NonSaturating()) == "NonSaturating()"
