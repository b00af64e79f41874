"""Who moves when: the order of turns, players that join late, players of one network."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from training_helpers import Journal, changed, copies, rounds, saved, trainable, trainer

from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.models.player import Player, Rates
from ganzoo.training.trainer import moves

# ---- the order of a round ----


def order(*players: Player) -> list[tuple[str, int, bool, bool, bool]]:
    return [(m.player.name, m.turn, m.deals, m.owns_generator, m.shares_generator) for m in moves(list(players))]


CRITIC = {"critic": Rates()}
GENERATOR = {"generator": Rates()}


def test_the_default_order_is_critic_then_generator_on_the_same_samples():
    assert order(Player("critic", CRITIC), Player("generator", GENERATOR)) == [
        ("critic", 0, True, False, True),
        ("generator", 0, False, True, False),
    ]


def test_the_first_players_turns_are_on_fresh_samples_each():
    found = order(Player("critic", CRITIC, turns=5), Player("generator", GENERATOR))
    assert found == [
        *(("critic", turn, True, False, turn == 4) for turn in range(5)),
        ("generator", 0, False, True, False),
    ]


def test_every_player_between_shares_the_generators_pass():
    judge = Player("judge", {"judge": Rates()}, turns=2)
    assert order(Player("critic", CRITIC, turns=2), judge, Player("generator", GENERATOR)) == [
        ("critic", 0, True, False, False),
        ("critic", 1, True, False, True),
        ("judge", 0, False, False, True),
        ("judge", 1, False, False, True),
        ("generator", 0, False, True, False),
    ]


def test_a_generator_that_goes_first_shares_with_nobody():
    assert order(Player("generator", GENERATOR), Player("critic", CRITIC)) == [
        ("generator", 0, True, True, False),
        ("critic", 0, False, False, False),
    ]


def test_without_a_generator_nobody_keeps_its_graph():
    assert order(Player("critic", CRITIC)) == [("critic", 0, True, False, False)]


# ---- three players, of whom one starts late ----


class Trio(Model):
    """Two critics and a generator; the second critic joins at half-time and moves twice."""

    name = "trio"

    def latent(self, data):
        return LatentSpec(z=Normal(4))

    def networks(self, latent, data):
        return {**super().networks(latent, data), "judge": self.critic(latent, data)}

    def players(self, latent, data):
        critic, generator = super().players(latent, data)
        return [critic, Player("judge", {"judge": Rates()}, turns=2, starts_at=0.5), generator]

    def objective(self, latent, data):
        return Trial()


class Trial(Objective):
    """Non-saturating terms for each critic; the generator answers to the first."""

    def terms(self, player: str, round: Round) -> Iterator[Term]:
        if player == "generator":
            yield Term("adversarial", softplus(-round.fake_verdict.realness).mean())
            return
        real = round.judge(round.real.values, None, player).realness
        fake = round.judge(round.fakes, None, player).realness
        yield Term("adversarial", softplus(-real).mean() + softplus(fake).mean())


def test_a_round_knows_who_has_joined():
    seen = []

    class Watched(Trio):
        name = "watched"

        def view(self, samples, round):
            seen.append((playing.images, round.players))
            return samples

    playing = trainer(Watched)
    rounds(playing, 4)
    before, after = frozenset({"critic", "generator"}), frozenset({"critic", "judge", "generator"})
    assert set(seen) == {(16, before), (32, before), (48, after), (64, after)}


def test_a_player_that_starts_later_sits_still_until_then():
    playing = trainer(Trio)
    for images in (0, 16, 32, 48):
        assert playing.images == images
        before = copies(playing)
        rounds(playing, 1)
        after = copies(playing)
        assert bool(changed(before, after, "judge.")) == (images >= 32)
        assert changed(before, after, "critic.")
        assert changed(before, after, "generator.")
        assert ("judge/adversarial" in playing.statistics.read()) == (images >= 32)


def test_three_players_share_one_pass_of_the_generator():
    playing = trainer(Trio, flags={"schedule": 1})
    rounds(playing, 1)
    calls = [name for name, *_ in Journal(playing).play()]
    assert calls == ["critic", "generator", "critic", "judge", "judge", "judge", "judge", "critic"]
    assert playing.calls == {"judge/critic": 4, "judge/judge": 4}
    assert playing.images == 32, "only the first player's samples count"


class Bodies(Model):
    """Two generators' worth of players: the generator's two dense networks, each with a player of its own."""

    name = "bodies"

    def latent(self, data):
        return LatentSpec(z=Normal(4))

    def generator(self, latent, data):
        return Halved(data.shape)

    def players(self, latent, data):
        critic, _ = super().players(latent, data)
        return [critic, *(Player(name, {f"generator.{name}": Rates()}) for name in ("lower", "upper"))]

    def objective(self, latent, data):
        return Both()


class Halved(nn.Module):
    """Two dense layers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.lower, self.upper = nn.Linear(4, 8), nn.Linear(8, math.prod(shape))

    def forward(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.upper(torch.relu(self.lower(latents)))).unflatten(1, self.shape)


class Both(Objective):
    """Whoever is no critic wants to be called real."""

    def terms(self, player: str, round: Round) -> Iterator[Term]:
        if player == "critic":
            real, fake = round.real_verdict.realness, round.fake_verdict.realness
            yield Term("adversarial", softplus(-real).mean() + softplus(fake).mean())
        else:
            yield Term("adversarial", softplus(-round.fake_verdict.realness).mean())


def test_after_a_step_of_the_generator_the_next_player_gets_new_samples():
    journal = Journal(trainer(Bodies))
    calls = journal.play()
    assert [name for name, *_ in calls] == ["critic", "generator", "critic", "critic", "generator", "critic"]
    passes = [(weights, latents) for name, weights, latents, _ in calls if name == "generator"]
    assert passes[0][0] != passes[1][0], "the generator did not step"
    assert passes[0][1] != passes[1][1], "the latents are the same"


def test_two_players_of_the_generator_may_move_at_once():
    playing = trainer(Bodies, updates="simultaneous")
    before = copies(playing)
    rounds(playing, 2)
    after = copies(playing)
    assert trainable(playing, "generator") <= changed(before, after, "generator")


@pytest.mark.parametrize("model", ["infogan", Trio])
def test_a_restored_trainer_plays_the_same_rounds(tmp_path, model):
    whole = rounds(trainer(model), 3)
    point = saved(whole, tmp_path)
    rounds(whole, 2)
    resumed = trainer(model)
    rounds(resumed, 1)  # whatever it did before is forgotten
    resumed.restore(point)
    assert resumed.images == 48
    rounds(resumed, 2)
    here, there = resumed.state(), whole.state()
    assert here[1] == there[1]
    for stem, tensors in there[0].items():
        assert here[0][stem].keys() == tensors.keys()
        for name, value in tensors.items():
            assert torch.equal(here[0][stem][name], value), f"{stem}: {name}"
    assert resumed.statistics.read() == whole.statistics.read()
