import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Normal
from ganzoo_gan import GAN


def test_the_latent_space_is_noise() -> None:
    assert tiny_game(GAN).latent == LatentSpec(z=Normal(64))
    assert tiny_game(GAN, noise=5).latent == LatentSpec(z=Normal(5))


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28), (3, 32, 32), (12, 2)])
def test_it_needs_no_labels_and_takes_any_shape(shape: tuple[int, ...]) -> None:
    game = tiny_game(GAN, tiny_data(shape, frequencies=None))
    assert game.networks["generator"](game.latent.sample(3, 0).flat).shape == (3, *shape)


def test_the_critic_sees_the_sample_alone_and_recognises_nothing() -> None:
    game = tiny_game(GAN)
    verdict = game.networks["critic"](torch.zeros(2, 1, 4, 4))
    assert verdict.realness.shape == (2,) and verdict.recognised == {}
    assert game_round(game, "critic").real_condition is None


def test_each_player_has_its_adversarial_term() -> None:
    game = tiny_game(GAN)
    for player in ("critic", "generator"):
        assert list(terms_of(game.objective, player, game_round(game, player))) == ["adversarial"]


def test_terms_of_the_options_join_in_the_critics_loss() -> None:
    game = tiny_game(GAN, adversarial="wasserstein", gradient_penalty=10, r1=0.5)
    terms = terms_of(game.objective, "critic", game_round(game, "critic"))
    assert {name: term.weight for name, term in terms.items()} == {"adversarial": 1, "gradient_penalty": 10, "r1": 0.5}
    assert list(terms_of(game.objective, "generator", game_round(game, "generator"))) == ["adversarial"]


def test_the_latent_space_as_text() -> None:
    assert str(tiny_game(GAN, latent="a: uniform(3), b: bernoulli(2)").latent) == "a: uniform(3), b: bernoulli(2)"
    with pytest.raises(UsageError, match="latent already describes noise"):
        GAN(latent="z: normal(3)", noise=3)
