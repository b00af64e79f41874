from typing import Any

import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game
from torch import nn
from torch.nn.functional import softplus
from training_helpers import trainer

from ganzoo.core.encoder import Encoder
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Normal
from ganzoo.models.game import Game
from ganzoo.models.player import Rates
from ganzoo.objectives.adversarial import ADVERSARIAL
from ganzoo_bigan import BiGAN

SHAPES = [(1, 4, 4), (1, 28, 28), (3, 32, 32), (7, 2)]


def pairs(game: Game, player: str = "critic", **more: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Realness of (x, E(x)) and of (G(z), z), computed here, in evaluation mode."""
    for network in game.networks.values():
        network.eval()
    round = game_round(game, player, **more)
    critic, encoder = game.networks["critic"], game.networks["encoder"]
    real = critic(round.real.values, encoder(round.real.values)).realness
    return real, critic(round.fakes, round.latents.flat).realness


def test_the_latent_space_is_noise() -> None:
    assert tiny_game(BiGAN, noise=5).latent == LatentSpec(z=Normal(5))
    assert tiny_game(BiGAN, latent="a: uniform(3), b: categorical(4)").latent.width == 7


@pytest.mark.parametrize("shape", SHAPES)
def test_the_critic_judges_a_sample_beside_its_latent(shape: tuple[int, ...]) -> None:
    game = tiny_game(BiGAN, tiny_data(shape), noise=3)
    critic = game.networks["critic"].eval()
    samples = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    latents = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    one, other = critic(samples, latents), critic(samples, latents.flip(0))
    assert one.realness.shape == (4,)
    assert not torch.equal(one.realness, other.realness)
    assert torch.equal(one.features, other.features)
    assert list(critic.layers(samples).values())[-1].equal(one.features)
    assert torch.equal(critic(samples.flip(0), latents.flip(0)).realness.flip(0).round(decimals=4),
                       one.realness.round(decimals=4))  # fmt: skip
    with pytest.raises(ValueError, match="beside its latent, and got no latent"):
        critic(samples)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_encoder_is_the_generators_way_back(shape: tuple[int, ...]) -> None:
    game = tiny_game(BiGAN, tiny_data(shape), noise=3)
    encoder = game.networks["encoder"].eval()
    assert isinstance(encoder, Encoder)
    assert encoder(game_round(game, "generator").fakes).shape == (12, 3)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_generator_and_encoder_mirror_the_critic(name: str) -> None:
    game = tiny_game(BiGAN, adversarial=name, spectral_norm=True)
    loss = ADVERSARIAL[name]()
    real, fake = pairs(game)
    critic = terms_of(game.objective, "critic", game_round(game, "critic"))
    torch.testing.assert_close(critic["adversarial"].value, loss.critic_loss(real, fake))
    both = terms_of(game.objective, "generator", game_round(game, "generator"))
    assert list(both) == ["adversarial", "encoded"]
    torch.testing.assert_close(both["adversarial"].value, loss.generator_loss(fake))
    wanted = {
        "non-saturating": lambda: softplus(real).mean(),
        "least-squares": lambda: real.square().mean() / 2,
        "hinge": real.mean,
        "wasserstein": real.mean,
    }[name]()
    torch.testing.assert_close(both["encoded"].value, wanted)


def test_the_statistics_say_how_often_the_critic_is_right() -> None:
    game = tiny_game(BiGAN)
    real, fake = pairs(game)
    report = terms_of(game.objective, "critic", game_round(game, "critic"))["adversarial"].reports["critic_accuracy"]
    assert report.item() == pytest.approx(((real > 0).sum() + (fake <= 0).sum()).item() / 24)


def test_the_zero_of_a_wasserstein_critic_is_not_its_boundary() -> None:
    game = tiny_game(BiGAN, adversarial="wasserstein", spectral_norm=True)
    with torch.no_grad():
        game.networks["critic"].joint[-1].bias += 100
    real, fake = pairs(game)
    middle = (real.mean() + fake.mean()) / 2
    report = terms_of(game.objective, "critic", game_round(game, "critic"))["adversarial"].reports["critic_accuracy"]
    assert report.item() == pytest.approx(((real > middle).sum() + (fake <= middle).sum()).item() / 24)
    assert (fake > 0).all()


def test_spectral_normalisation_bounds_every_layer_of_the_critic() -> None:
    """Without batch normalisation, which no bound survives, no weight stretches anything."""
    critic = tiny_game(BiGAN, adversarial="wasserstein", spectral_norm=True, critic_norm="none").networks["critic"]
    for _ in range(100):  # its estimate of the largest singular value is a running one
        critic(torch.randn(4, *SHAPES[0]), torch.randn(4, 50))
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    norms = torch.stack([torch.linalg.matrix_norm(layer.weight.flatten(1), 2) for layer in layers])
    torch.testing.assert_close(norms, torch.ones(len(layers)), rtol=0.02, atol=0)


@pytest.mark.parametrize(
    ("player", "name", "reached"),
    [
        ("critic", "adversarial", {"critic"}),
        ("generator", "adversarial", {"critic", "generator"}),
        ("generator", "encoded", {"critic", "encoder"}),
    ],
)
def test_where_each_terms_gradient_goes(player: str, name: str, reached: set[str]) -> None:
    game = tiny_game(BiGAN)
    value = terms_of(game.objective, player, game_round(game, player))[name].value
    for network, module in game.networks.items():
        found = torch.autograd.grad(value, list(module.parameters()), retain_graph=True, allow_unused=True)
        moved = any(gradient is not None and gradient.ne(0).any() for gradient in found)
        assert moved == (network in reached), network


def test_generator_and_encoder_are_one_player() -> None:
    critic, generator = tiny_game(BiGAN, generator_lr=3e-4, betas=(0.1, 0.9)).players
    assert (critic.name, list(critic.owns)) == ("critic", ["critic", "critic.recognition"])
    assert generator.owns == {"generator": Rates(3e-4, (0.1, 0.9)), "encoder": Rates(3e-4, (0.1, 0.9))}
    assert tiny_game(BiGAN, encoder_lr=1e-3).players[1].owns["encoder"].lr == 1e-3


def test_a_round_moves_all_three_networks_with_one_pass_of_the_generator() -> None:
    playing = trainer("bigan")
    before = {name: next(net.parameters()).clone() for name, net in playing.game.networks.items()}
    passes: list[int] = []
    playing.game.networks["generator"].register_forward_hook(lambda *_: passes.append(1))
    playing.play_round()
    assert len(passes) == 1
    for name, network in playing.game.networks.items():
        assert not torch.equal(before[name], next(network.parameters())), name


@pytest.mark.parametrize("option", ["gradient_penalty", "r1"])
def test_penalties_are_refused(option: str) -> None:
    with pytest.raises(UsageError, match="this one judges pairs; use spectral_norm"):
        BiGAN(**{option: 1.0})


def test_codes_are_refused_as_no_head_recognises_them() -> None:
    with pytest.raises(UsageError, match="the code 'c' is recovered by no term of model bigan"):
        tiny_game(BiGAN, latent="z: normal(3), c: categorical(3) code")


def test_printed_it_says_what_is_judged() -> None:
    assert "Pairs(Hinge())" in str(tiny_game(BiGAN, adversarial="hinge"))
