from typing import Any

import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game
from torch import distributions as td
from training_helpers import trainer

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Term
from ganzoo.core.variables import Normal
from ganzoo.models.game import Game
from ganzoo.models.player import Rates
from ganzoo_vaegan import VAEGAN, shown

PLAYERS = ("critic", "generator", "encoder")
SHAPES = [(1, 4, 4), (1, 28, 28), (3, 32, 32), (7, 2)]


def terms(game: Game, player: str) -> dict[str, Term]:
    return terms_of(game.objective, player, game_round(game, player))


def still(game: Game) -> Game:
    """The game with every network in evaluation mode, so that a pass changes nothing."""
    for network in game.networks.values():
        network.eval()
    return game


def rebuilt(game: Game, player: str) -> torch.Tensor:
    """The reconstructions of that player's turn, computed here."""
    round = game_round(game, player)
    (posterior,) = game.networks["encoder"].posterior(round.real.values).values()
    noise = round.normal("posterior", *posterior.mean.shape)
    return game.networks["generator"](posterior.mean + posterior.stddev * noise)


def test_the_latent_space_is_noise() -> None:
    assert tiny_game(VAEGAN, noise=5).latent == LatentSpec(z=Normal(5))
    assert tiny_game(VAEGAN, latent="a: normal(3), b: normal(2, sigma=0.1)").latent.width == 5


def test_a_prior_without_a_known_divergence_is_refused() -> None:
    with pytest.raises(UsageError, match=r"takes normal variables alone, not 'z: normal\(3\), u: uniform\(2\)'"):
        tiny_game(VAEGAN, latent="z: normal(3), u: uniform(2)")


def test_three_players_own_a_network_each() -> None:
    game = tiny_game(VAEGAN, generator_lr=3e-4, betas=(0.1, 0.9))
    assert tuple(player.name for player in game.players) == PLAYERS
    assert game.players[2].owns == {"encoder": Rates(3e-4, (0.1, 0.9))}
    assert tiny_game(VAEGAN, encoder_lr=1e-3).players[2].owns["encoder"].lr == 1e-3


def test_terms_and_their_weights() -> None:
    game = tiny_game(VAEGAN, similarity=0.25, prior=3.0)
    weights = {player: {name: term.weight for name, term in terms(game, player).items()} for player in PLAYERS}
    assert weights == {
        "critic": {"adversarial": 1.0, "rebuilt": 1.0},
        "generator": {"adversarial": 1.0, "rebuilt": 1.0, "similarity": 0.25},
        "encoder": {"similarity": 1.0, "prior": 3.0},
    }


@pytest.mark.parametrize(
    ("player", "name", "reached"),
    [
        ("critic", "rebuilt", {"critic"}),
        ("generator", "rebuilt", {"generator"}),
        ("generator", "similarity", {"generator"}),
        ("encoder", "similarity", {"encoder"}),
        ("encoder", "prior", {"encoder"}),
    ],
)
def test_a_term_can_move_its_player(player: str, name: str, reached: set[str]) -> None:
    game = tiny_game(VAEGAN)
    value = terms(game, player)[name].value
    for network in reached:
        found = torch.autograd.grad(value, list(game.networks[network].parameters()), allow_unused=True)
        assert any(gradient is not None and gradient.ne(0).any() for gradient in found)


def test_each_player_moves_its_own_network_alone() -> None:
    playing = trainer("vaegan")
    for player in playing.game.players:
        before = {name: [p.clone() for p in net.parameters()] for name, net in playing.game.networks.items()}
        playing._take_gradient(player, game_round(playing.game, player.name))
        playing.optimisers[player.name].step()
        for name, network in playing.game.networks.items():
            same = all(torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True))
            assert same == (name != player.name), (player.name, name)


def test_the_divergence_is_that_of_torch() -> None:
    game = still(tiny_game(VAEGAN, noise=4))
    (posterior,) = game.networks["encoder"].posterior(game_round(game, "encoder").real.values).values()
    prior = td.Independent(td.Normal(torch.zeros(4), torch.ones(4)), 1)
    expected = td.kl_divergence(posterior, prior).mean()
    torch.testing.assert_close(terms(game, "encoder")["prior"].value, expected)


@pytest.mark.parametrize("player", ["generator", "encoder"])
def test_similarity_is_half_the_squared_distance_in_the_critics_map(player: str) -> None:
    game = still(tiny_game(VAEGAN))
    round = game_round(game, player)
    one, other = shown(round, round.real.values), shown(round, rebuilt(game, player))
    expected = (one - other).square().flatten(1).sum(1).mean() / 2
    torch.testing.assert_close(terms(game, player)["similarity"].value, expected)


@pytest.mark.parametrize("name", ["non-saturating", "hinge"])
def test_reconstructions_are_judged_as_generated_samples_are(name: str) -> None:
    game = still(tiny_game(VAEGAN, adversarial=name))
    critic, loss = game.networks["critic"], VAEGAN(adversarial=name).adversarial_loss()
    round = game_round(game, "critic")
    judged = critic(rebuilt(game, "critic")).realness
    expected = loss.critic_loss(critic(round.real.values).realness, judged)
    torch.testing.assert_close(terms(game, "critic")["rebuilt"].value, expected)
    deceived = loss.generator_loss(critic(rebuilt(game, "generator")).realness)
    torch.testing.assert_close(terms(game, "generator")["rebuilt"].value, deceived)


@pytest.mark.parametrize("shape", SHAPES)
def test_likeness_is_measured_half_of_the_way_through_the_trunk(shape: tuple[int, ...]) -> None:
    game = tiny_game(VAEGAN, tiny_data(shape))
    names = list(game.networks["critic"].trunk._modules)
    round = game_round(still(game), "encoder")
    middle = {(1, 4, 4): "fc1", (1, 28, 28): "conv2", (3, 32, 32): "conv2", (7, 2): "fc1"}[shape]
    found = game.networks["critic"].layers(round.real.values)[middle]
    assert middle in names and torch.equal(shown(round, round.real.values), found)


@pytest.mark.parametrize("penalty", [{"r1": 1.0}, {"gradient_penalty": 10.0}])
def test_penalties_apply_as_the_critic_judges_samples(penalty: dict[str, Any]) -> None:
    assert set(terms(tiny_game(VAEGAN, **penalty), "critic")) == {"adversarial", *map(str, penalty), "rebuilt"}


def test_the_encoders_noise_is_that_of_the_round() -> None:
    game = still(tiny_game(VAEGAN))
    torch.manual_seed(1)
    one = terms(game, "encoder")["similarity"].value
    torch.manual_seed(2)
    assert torch.equal(terms(game, "encoder")["similarity"].value, one)


def test_printed_it_says_its_weights() -> None:
    assert "Rebuilt(NonSaturating(), similarity=0.5, prior=1)" in str(tiny_game(VAEGAN, similarity=0.5))
