import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from training_helpers import Toys, trainer, zoo_of

from ganzoo.core.errors import RunError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Hand, Round
from ganzoo.core.variables import Normal
from ganzoo.data.batches import batches
from ganzoo.models.model import Model
from ganzoo.models.player import Player, Rates
from ganzoo.runs import checkpoint
from ganzoo.runs.checkpoint import Checkpoint, state_of
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.training.trainer import Trainer, moves


def rounds(playing: Trainer, count: int) -> Trainer:
    for _ in range(count):
        playing.play_round()
    return playing


def copies(playing: Trainer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in state_of(playing.game.networks).items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor], prefix: str) -> set[str]:
    return {name for name in before if name.startswith(prefix) and not torch.equal(before[name], after[name])}


def trainable(playing: Trainer, network: str) -> set[str]:
    return {f"{network}.{name}" for name, _ in playing.game.networks[network].named_parameters()}


def saved(playing: Trainer, folder) -> Checkpoint:
    """What a checkpoint of this moment would be read as."""
    run = RunDirectory(folder, RunRecord(config=playing.config, origins={}, data={}, data_checksum=""))
    tensors, meta = playing.state()
    return Checkpoint.open(checkpoint.save(run, playing.images, tensors, meta))


@dataclass
class Journal:
    """Every call of the networks, with the sum of the critic's weights and of what it was shown."""

    playing: Trainer
    calls: list[tuple[str, float, float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, network in self.playing.game.networks.items():
            network.register_forward_pre_hook(lambda module, args, name=name: self.note(name, module, args[0]))

    def note(self, name: str, module: nn.Module, shown: Tensor) -> None:
        weights = sum(float(p.detach().double().abs().sum()) for p in module.parameters())
        self.calls.append((name, weights, float(shown.detach().double().sum()), shown.requires_grad))

    def play(self) -> list[tuple[str, float, float, bool]]:
        self.calls.clear()
        self.playing.play_round()
        return list(self.calls)


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


# ---- one round ----


def test_a_round_is_the_textbook_round():
    """The whole default round of infogan, written out with two optimisers and nothing else."""
    playing, twin = trainer("infogan"), trainer("infogan")
    critic, generator = twin.game.networks["critic"], twin.game.networks["generator"]
    latent, options = twin.game.latent, twin.game.model.options
    adams = {
        name: torch.optim.Adam(network.parameters(), lr=2e-4, betas=options.betas, fused=True)
        for name, network in (("critic", critic), ("generator", generator))
    }
    stream = batches(twin.splits["data"], twin.game.data, batch=16, seed=0)

    def information(recognised: dict[str, Tensor], latents) -> list[Tensor]:
        return [
            latent[name].weight
            * -(latent.posterior(name, recognised[name]).log_prob(latents[name]).mean() + latent.entropy(name))
            for name in ("category", "style")
        ]

    for turn in range(3):
        real = next(stream)
        latents = Hand(latent, {}, {"data": real}, (0, 16 * turn)).latents
        fakes = generator(latents.flat)
        on_real, on_fake = critic(real.values).realness, critic(fakes.detach())
        adversarial = softplus(-on_real).mean() + softplus(on_fake.realness).mean()
        adams["critic"].zero_grad()
        torch.stack([adversarial, *information(on_fake.recognised, latents)]).sum().backward()
        adams["critic"].step()
        verdict = critic(fakes)
        adversarial = softplus(-verdict.realness).mean()
        adams["generator"].zero_grad()
        torch.stack([adversarial, *information(verdict.recognised, latents)]).sum().backward()
        adams["generator"].step()
    rounds(playing, 3)
    expected = state_of(twin.game.networks)
    for name, value in state_of(playing.game.networks).items():
        torch.testing.assert_close(
            value, expected[name], rtol=0, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_the_critic_judges_the_same_fakes_again_after_its_step():
    calls = Journal(trainer("gan")).play()
    assert [name for name, *_ in calls] == ["critic", "generator", "critic", "critic"]
    (_, before, _, _), _, (_, still, fakes, detached), (_, after, again, attached) = calls
    assert before == still != after
    assert fakes == again
    assert (detached, attached) == (False, True)


def test_simultaneous_players_meet_each_other_before_their_steps():
    journal = Journal(trainer("gan", updates="simultaneous"))
    before = copies(journal.playing)
    calls = journal.play()
    critics = [weights for name, weights, *_ in calls if name == "critic"]
    assert len(critics) == 3
    assert len(set(critics)) == 1
    after = copies(journal.playing)
    for network in ("critic", "generator"):
        assert trainable(journal.playing, network) <= changed(before, after, network)


def test_simultaneous_updates_are_both_gradients_at_the_old_weights():
    alternating, simultaneous = trainer("gan"), trainer("gan", updates="simultaneous")
    rounds(alternating, 1)
    rounds(simultaneous, 1)
    here, there = state_of(alternating.game.networks), state_of(simultaneous.game.networks)
    critic = trainable(alternating, "critic")
    assert all(torch.equal(here[name], there[name]) for name in critic), "the critic moves first either way"
    assert any(not torch.equal(here[name], there[name]) for name in trainable(alternating, "generator"))


def test_simultaneous_updates_still_count_every_turn_of_the_critic():
    """Each of several turns is a step of its own gradient, whenever it is taken."""
    one = trainer("gan", updates="simultaneous", critic_turns=3, critic_norm="none", betas=(0.0, 0.0))
    before = copies(one)
    journal = Journal(one)
    calls = journal.play()
    # With no memory at all Adam steps by lr times the sign of the gradient: thrice the same turn's would be 3 lr
    # everywhere, while three turns on different samples disagree somewhere.
    after = copies(one)
    steps = torch.cat([(after[name] - before[name]).flatten() for name in trainable(one, "critic")]) / 2e-4
    assert len([name for name, *_ in calls if name == "critic"]) == 7
    assert (steps.abs() < 2.5).any(), "the last turn's gradient was applied three times, and the others were lost"


def test_a_player_learns_from_its_own_terms_alone():
    class Pull(Objective):
        """Terms that would move everybody if their gradient were let."""

        def terms(self, player: str, round: Round) -> Iterator[Term]:
            yield Term("pull", round.fake_verdict.realness.mean(), 0.0 if player == "generator" else 1.0)

    class Pulled(Model):
        """One player pulls."""

        name = "pulled"

        def latent(self, data):
            return LatentSpec(z=Normal(4))

        def objective(self, latent, data):
            return Pull()

    playing = trainer(Pulled)
    before = copies(playing)
    rounds(playing, 1)
    after = copies(playing)
    assert changed(before, after, "generator") <= {name for name in before if "running" in name or "num_" in name}
    assert changed(before, after, "critic.trunk")


def test_a_term_for_some_parameters_alone_reaches_no_other():
    whole, head = trainer("infogan"), trainer("infogan", information_in_trunk=False)
    plain = trainer("infogan", category_weight=0.0, style_weight=0.0)
    gradients = {}
    for label, playing in (("whole", whole), ("head", head), ("plain", plain)):
        rounds(playing, 1)
        critic = playing.game.networks["critic"]
        gradients[label] = {name: p.grad for name, p in critic.named_parameters() if p.grad is not None}
    trunk = [name for name in gradients["plain"] if name.startswith("trunk.")]
    recognition = [name for name in gradients["whole"] if name.startswith("recognition.")]
    assert trunk
    assert recognition
    for name in trunk:
        torch.testing.assert_close(gradients["head"][name], gradients["plain"][name], rtol=1e-4, atol=1e-7)
        assert not torch.allclose(gradients["whole"][name], gradients["plain"][name], rtol=1e-3, atol=1e-7), name
    for name in recognition:
        torch.testing.assert_close(gradients["head"][name], gradients["whole"][name], rtol=1e-4, atol=1e-7)
        assert gradients["head"][name].abs().sum() > 0, name


def test_reports_may_carry_a_graph_that_nobody_keeps():
    class Careless(Objective):
        """Reports without a detach."""

        def terms(self, player: str, round: Round) -> Iterator[Term]:
            loss = round.fake_verdict.realness.mean()
            yield Term("mean", loss, reports={f"{player}_mean": loss})

    class Carefree(Model):
        """Reports its loss as it is."""

        name = "carefree"

        def latent(self, data):
            return LatentSpec(z=Normal(4))

        def objective(self, latent, data):
            return Careless()

    playing = rounds(trainer(Carefree), 1)
    assert not any(sums.requires_grad for sums in playing.statistics.state()[0].values())


# ---- counting ----


@pytest.mark.parametrize("turns", [1, 3])
def test_images_are_the_first_players_turns(turns):
    journal = Journal(trainer("gan", critic_turns=turns))
    playing = journal.playing
    assert playing.images_per_round == 16 * turns
    calls = journal.play()
    assert playing.images == 16 * turns
    shown = [total for name, _, total, _ in calls if name == "critic"]
    assert [name for name, *_ in calls].count("generator") == turns
    stream = batches(playing.splits["data"], playing.game.data, batch=16, seed=0)
    reals = [float(next(stream).values.double().sum()) for _ in range(turns)]
    assert shown[0 : 2 * turns : 2] == pytest.approx(reals), "a turn was not on the next samples of the stream"


def test_the_progress_is_the_share_of_the_schedule():
    playing = trainer("gan", flags={"schedule": 32})
    assert list(progress_of(playing, 3)) == [0.0, 0.5, 1.0]
    assert playing.progress == 1.0


def progress_of(playing: Trainer, count: int) -> Iterator[float]:
    for _ in range(count):
        yield playing.progress
        playing.play_round()


@pytest.mark.parametrize("size", [1, 7, 96])
def test_a_data_set_may_be_smaller_than_a_batch_or_ragged(size):
    playing = trainer("acgan", data_options={"size": size})
    seen: list[Tensor] = []
    playing.game.networks["critic"].register_forward_pre_hook(lambda _, args: seen.append(args[0].detach().clone()))
    rounds(playing, 7)
    playing.check_finite()
    reals = torch.cat(seen[0::3])
    assert len(reals) == 7 * 16
    distinct, counts = reals.flatten(1).unique(dim=0, return_counts=True)
    assert len(distinct) == min(size, 7 * 16)
    assert counts.max() - counts.min() <= 1, "an epoch left some samples out"


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


# ---- what a checkpoint restores ----


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


def test_channels_last_survives_a_restore(tmp_path):
    def formats(playing: Trainer) -> dict[str, tuple[int, ...]]:
        tensors, _ = playing.state()
        return {f"{stem}: {name}": value.stride() for stem in tensors for name, value in tensors[stem].items()}

    playing = rounds(trainer("infogan"), 1)
    fresh = trainer("infogan")
    fresh.restore(saved(playing, tmp_path))
    assert formats(fresh) == formats(playing)
    wide = [
        value
        for stem in ("networks", "averaged", "optimisers")
        for value in fresh.state()[0][stem].values()
        if value.dim() == 4 and min(value.shape[1:]) > 1
    ]
    assert len(wide) > 5
    assert all(value.is_contiguous(memory_format=torch.channels_last) for value in wide)
    rounds(fresh, 1)
    assert formats(fresh) == formats(playing)


def test_another_models_checkpoint_is_refused_and_nothing_is_changed(tmp_path):
    point = saved(rounds(trainer("infogan"), 1), tmp_path)
    other = trainer("infogan", categories=[7])
    before = copies(other)
    with pytest.raises(RunError, match=r"is of another model: .* there and .* here"):
        other.restore(point)
    assert not changed(before, copies(other), "")
    assert other.images == 0


# ---- numbers that are not finite ----


class Faulty(Model):
    """Its generator's loss is ``value`` from the fourth round on."""

    name = "faulty"
    value = math.nan

    def latent(self, data):
        return LatentSpec(z=Normal(4))

    def objective(self, latent, data):
        return self.adversarial() + Fault(self)


class Fault(Objective):
    """A term that goes wrong."""

    def __init__(self, model: Faulty) -> None:
        self.model = model

    def generator_terms(self, round: Round) -> Iterator[Term]:
        loss = round.fakes.square().mean()
        yield Term("fault", loss * (self.model.value if round.progress >= 0.75 else 1.0))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("turns", "played"), [(1, 4), (2, 3)])
def test_a_term_that_is_not_finite_is_named_with_its_round(monkeypatch, value, turns, played):
    monkeypatch.setattr(Faulty, "value", value)
    playing = trainer(Faulty, critic_turns=turns)
    for _ in range(played - 1):
        rounds(playing, 1)
        playing.check_finite()
    rounds(playing, 2)
    images = 16 * turns * played
    with pytest.raises(
        RunError, match=rf"generator/fault was not a finite number in round {played} \({images} images\)"
    ):
        playing.check_finite()


def test_a_weight_that_is_not_finite_is_named():
    playing = rounds(trainer("gan"), 1)
    with torch.no_grad():
        next(iter(playing.game.networks["critic"].trunk.parameters()))[0] = math.nan
    with pytest.raises(RunError, match=r"critic\.trunk\.\S+ was not finite by round 1$"):
        playing.check_finite()


@pytest.mark.parametrize("model", ["gan", "infogan"])
@pytest.mark.parametrize("options", [{}, {"critic_norm": "none", "generator_norm": "none", "adversarial": "hinge"}])
def test_a_learning_rate_far_too_high_never_hides_what_it_did(model, options):
    """The run is stopped, and the numbers are as they are; nothing is clipped or replaced on the way."""
    playing = trainer(model, generator_lr=10.0, critic_lr=10.0, **options)
    with pytest.raises(RunError, match=r"has diverged, with weights \S+ times those at the start|finite"):
        rounds(playing, 12)
        playing.check_finite()
    read = playing.statistics.read()
    assert max((abs(value) for value in read.values()), default=math.inf) > 10, f"the losses look harmless: {read}"


def test_a_learning_rate_beyond_reason_ends_the_run():
    playing = trainer("gan", critic_norm="none", generator_norm="none", critic_lr=1e30)
    rounds(playing, 3)
    with pytest.raises(RunError, match=r"not (a )?finite"):
        playing.check_finite()


# ---- precision ----


def test_bf16_trains_with_weights_and_losses_in_float32():
    playing = trainer("infogan", flags={"precision": "bf16"})
    reference = trainer("infogan")
    inside: set[torch.dtype] = set()
    playing.game.networks["critic"].trunk.register_forward_hook(lambda *args: inside.add(args[2].dtype))
    rounds(playing, 3)
    rounds(reference, 3)
    playing.check_finite()
    assert inside == {torch.bfloat16}, "nothing was computed in bf16"
    tensors, _ = playing.state()
    floating = [value for stem in tensors for value in tensors[stem].values() if value.is_floating_point()]
    assert {value.dtype for value in floating} <= {torch.float32, torch.float64}
    here, there = playing.statistics.read(), reference.statistics.read()
    assert here.keys() == there.keys()
    for name, value in here.items():
        assert value == pytest.approx(there[name], abs=0.15), name
        assert value != there[name] or "accuracy" in name


# ---- samples that are not pictures ----


def test_streamed_samples_train_as_held_ones_do(monkeypatch):
    held = rounds(trainer("cgan"), 2)
    with monkeypatch.context() as patched:
        split = type(held.splits["data"])
        patched.setattr(split, "tensor", lambda self: None)
        patched.setattr("os.cpu_count", lambda: 1)  # no worker processes
        streamed = rounds(trainer("cgan"), 2)
    here, there = state_of(held.game.networks), state_of(streamed.game.networks)
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_successive_rounds_differ():
    playing = Journal(trainer("gan"))
    shown = [tuple(total for _, _, total, _ in playing.play()) for _ in range(3)]
    assert all(one != other for one, other in pairwise(shown))


def test_the_toys_are_what_they_say():
    zoo = zoo_of()
    split = zoo.dataset("toys")().split("train")
    assert isinstance(Toys(), zoo.dataset("toys"))
    assert len(split) == 96
    assert int(split.labels["label"].unique(return_counts=True)[1].min()) == 24
