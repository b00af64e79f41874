from typing import Any

import pytest
import torch
from helpers import terms_of, tiny_data, tiny_game, toy_samples
from scipy.stats import kstest
from torch import Tensor
from training_helpers import copies, rounds, trainable, trainer

from ganzoo.core.errors import UsageError
from ganzoo.core.invariance import Affine
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Term
from ganzoo.core.round import Hand, Round
from ganzoo.core.variables import Normal, Uniform
from ganzoo.models.game import Game
from ganzoo.models.player import Rates
from ganzoo_infogan import InfoGAN
from ganzoo_infogan_cr import InfoGANCR, pairs

ALL = ("critic", "contrast", "generator")
AS_INFOGAN = {"noise": 5, "categories": (), "styles": 5}


def turn(game: Game, player: str, players: tuple[str, ...] = ALL, n: int = 12, progress: float = 0.5) -> Round:
    hand = Hand(game.latent, game.networks, {"data": toy_samples(game.data, n)}, (0, 0))
    owns = player == "generator"
    return Round(player, hand, game.data, game.model.view, progress, owns_generator=owns, players=players)


def terms(game: Game, player: str, players: tuple[str, ...] = ALL) -> dict[str, Term]:
    return terms_of(game.objective, player, turn(game, player, players))


def test_the_latent_space_is_the_papers() -> None:
    expected = LatentSpec(z=Normal(5), style=Uniform(5, role="code", weight=0.1))
    assert tiny_game(InfoGANCR).latent == expected == tiny_game(InfoGAN, **AS_INFOGAN).latent


def test_contrast_has_a_network_and_a_player_of_its_own() -> None:
    game = tiny_game(InfoGANCR, critic_lr=3e-4, contrast_from=0.25)
    assert tuple(player.name for player in game.players) == ALL
    assert game.players[1].owns == {"contrast": Rates(3e-4)} and game.players[1].starts_at == 0.25
    assert tiny_game(InfoGANCR, contrast_lr=1e-2).players[1].owns == {"contrast": Rates(1e-2)}


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28), (3, 32, 32), (7, 2), (5,)])
@pytest.mark.parametrize("networks", ["auto", "mlp"])
def test_it_reads_two_samples_of_any_shape(shape: tuple[int, ...], networks: str) -> None:
    game = tiny_game(InfoGANCR, tiny_data(shape, drawn_as="heatmap"), networks=networks)
    assert terms(game, "contrast")["contrast"].value.shape == ()


@pytest.mark.parametrize("gap", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("shared_noise", [False, True])
def test_pairs_share_one_code_dimension_and_are_a_gap_apart_in_the_others(gap: float, shared_noise: bool) -> None:
    game = tiny_game(InfoGANCR)
    n = 2000
    flat, shared = pairs(turn(game, "contrast", n=n), gap, shared_noise)
    one, other = (game.latent.split(half) for half in flat.chunk(2))
    distance = (one["style"] - other["style"]).abs()
    is_shared = torch.nn.functional.one_hot(shared, 5).bool()
    assert distance[is_shared].eq(0).all() and distance[~is_shared].gt(0).all()
    assert distance[~is_shared].min() >= 2 * gap - 1e-6  # of a range of 2
    assert one["style"].abs().max() <= 1 and other["style"].abs().max() <= 1
    assert torch.equal(one["z"], other["z"]) == shared_noise
    assert (shared.bincount(minlength=5) - n / 5).abs().max() < 4 * (n * 0.2 * 0.8) ** 0.5
    assert kstest(one["style"][is_shared], "uniform", (-1, 2)).pvalue > 1e-3
    assert kstest(one["z"].flatten(), "norm").pvalue > 1e-3


def test_without_a_gap_every_value_is_the_priors() -> None:
    game = tiny_game(InfoGANCR, latent="z: uniform(1), style: uniform(2) code, bend: normal(1) code")
    flat, _ = pairs(turn(game, "contrast", n=2000))
    for half in flat.chunk(2):
        latents = game.latent.split(half)
        assert kstest(latents["style"].flatten(), "uniform", (-1, 2)).pvalue > 1e-3
        assert kstest(latents["bend"].flatten(), "norm").pvalue > 1e-3


def test_a_categorical_code_is_one_dimension() -> None:
    game = tiny_game(InfoGANCR, latent="z: normal(2), kind: categorical(4) code, slant: uniform(2) code")
    flat, shared = pairs(turn(game, "contrast", n=2000), gap=0.5)
    one, other = (game.latent.split(half) for half in flat.chunk(2))
    same = one["kind"].argmax(1) == other["kind"].argmax(1)
    assert same[shared == 0].all() and not same[shared != 0].any()
    assert (one["slant"] == other["slant"])[shared == 2].tolist() == [[False, True]] * int((shared == 2).sum())


def test_a_term_for_the_network_and_a_weighted_one_for_the_generator() -> None:
    game = tiny_game(InfoGANCR, contrast=3.0)
    weights = {player: {name: term.weight for name, term in terms(game, player).items()} for player in ALL}
    assert weights == {
        "critic": {"adversarial": 1.0, "information/style": 0.1},
        "contrast": {"contrast": 1.0},
        "generator": {"adversarial": 1.0, "information/style": 0.1, "contrast": 3.0},
    }


@pytest.mark.parametrize("player", ["contrast", "generator"])
def test_the_term_moves_its_player(player: str) -> None:
    game = tiny_game(InfoGANCR)
    value = terms(game, player)["contrast"].value
    found = torch.autograd.grad(value, list(game.networks[player].parameters()), allow_unused=True)
    assert all(gradient is not None and gradient.isfinite().all() for gradient in found)
    assert any(gradient.ne(0).any() for gradient in found)


def test_pairs_are_seen_as_the_critic_sees_samples() -> None:
    data = tiny_data((1, 16, 16), invariances=(Affine(),))
    plain, moved = (tiny_game(InfoGANCR, data, **view) for view in ({}, {"instance_noise": 0.5, "augmentation": 0.5}))
    values = [terms(game, "contrast")["contrast"].value for game in (plain, moved)]
    assert values[1].isfinite() and values[0] != values[1]


def test_before_the_network_joins_the_generators_term_is_a_guess() -> None:
    term = terms(tiny_game(InfoGANCR), "generator", ("critic", "generator"))["contrast"]
    torch.testing.assert_close(term.value, torch.tensor(5.0).log())
    assert not term.value.requires_grad


def test_it_is_a_cross_entropy_in_nats() -> None:
    game = tiny_game(InfoGANCR)
    for parameter in game.networks["contrast"].recognition.parameters_of.parameters():
        torch.nn.init.zeros_(parameter)
    term = terms(game, "contrast")["contrast"]
    torch.testing.assert_close(term.value, torch.tensor(5.0).log())
    assert 0 <= term.reports["contrast_accuracy"] <= 1


def test_nothing_of_it_acts_before_it_joins() -> None:
    settings: dict[str, Any] = {"flags": {"images": 96}, "contrast_from": 0.5}
    playing, plain = trainer("infogan-cr", **settings), trainer("infogan", **AS_INFOGAN, **settings_of(settings))
    start = copies(playing)
    rounds(playing, 3), rounds(plain, 3)
    assert_alike(copies(playing), copies(plain))
    assert all(torch.equal(copies(playing)[name], start[name]) for name in start if name.startswith("contrast."))
    assert playing.calls["generate/generator"] == 0
    rounds(playing, 1), rounds(plain, 1)
    assert playing.calls["generate/generator"] == 2
    after, others = copies(playing), copies(plain)
    assert any(not torch.equal(after[name], start[name]) for name in trainable(playing, "contrast"))
    assert any(not torch.equal(after[name], others[name]) for name in trainable(plain, "generator"))


def test_without_a_weight_it_is_plain_infogan() -> None:
    playing, plain = trainer("infogan-cr", contrast=0.0), trainer("infogan", **AS_INFOGAN)
    assert list(playing.game.networks) == ["critic", "generator"]
    assert [player.name for player in playing.game.players] == ["critic", "generator"]
    rounds(playing, 4), rounds(plain, 4)
    assert copies(playing).keys() == copies(plain).keys()
    assert_alike(copies(playing), copies(plain))


@pytest.mark.parametrize(("progress", "expected"), [(0.59, 0.9), (0.6, 0.0)])
def test_the_gap_ends(progress: float, expected: float) -> None:
    game = tiny_game(InfoGANCR, gap=0.9, gap_until=0.6)
    asked = []
    round = turn(game, "contrast")
    round.scheduled = lambda schedule: asked.append(schedule(progress)) or asked[-1]  # type: ignore[method-assign]
    list(game.objective.terms("contrast", round))
    assert asked == [expected]


def test_a_gap_may_be_a_scalar_of_a_captured_round() -> None:
    game = tiny_game(InfoGANCR)
    plain, _ = pairs(turn(game, "contrast"), 0.5)
    captured, _ = pairs(turn(game, "contrast"), torch.tensor(0.5))
    assert torch.equal(plain, captured)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the gap ends at 0\.3 and contrast joins at 0\.5"):
        tiny_game(InfoGANCR, gap=0.5, gap_until=0.3)
    with pytest.raises(UsageError, match="contrast needs at least two code dimensions to tell apart, and there are 1"):
        tiny_game(InfoGANCR, latent="z: normal(2), kind: categorical(10) code")


def test_printed_it_says_its_weight_and_gap() -> None:
    assert "Contrast(2)" in str(tiny_game(InfoGANCR))
    said = str(tiny_game(InfoGANCR, contrast=3, gap=0.95, shared_noise=True))
    assert "Contrast(3, gap=0.95 until 70%, shared noise)" in said and "contrast (Adam, lr 0.0002), from 50% of" in said


def settings_of(settings: dict[str, Any]) -> dict[str, Any]:
    """Those that every model has."""
    return {"flags": settings["flags"]}


def assert_alike(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    """What InfoGAN has too is the same, bit for bit."""
    assert all(torch.equal(one[name], value) for name, value in other.items())
