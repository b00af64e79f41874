from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus
from training_helpers import Journal, Toys, changed, copies, rounds, trainable, trainer, zoo_of

from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Hand, Round
from ganzoo.core.variables import Normal
from ganzoo.data.batches import batches
from ganzoo.models.model import Model
from ganzoo.runs.checkpoint import state_of
from ganzoo.training.trainer import Trainer

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
    assert len(critics) == 2, "one verdict on real samples and one on fakes serve both"
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


def test_a_verdict_that_players_share_gives_the_gradients_of_verdicts_of_their_own():
    """A round of acgan at once, written out with a pass of the critic for each player."""
    options = {"updates": "simultaneous", "classify_fakes": True, "critic_norm": "none"}
    playing, twin = trainer("acgan", **options), trainer("acgan", **options)
    critic, generator = twin.game.networks["critic"], twin.game.networks["generator"]
    real = next(batches(twin.splits["data"], twin.game.data, batch=16, seed=0))
    latents = Hand(twin.game.latent, {}, {"data": real}, (0, 0)).latents
    asked, fakes = latents["label"].argmax(1), generator(latents.flat)
    on_real, on_fake, again = critic(real.values), critic(fakes.detach()), critic(fakes)
    named = cross_entropy(on_real.recognised["label"], real.labels["label"])
    named = named + cross_entropy(on_fake.recognised["label"], asked)
    of_critic = softplus(-on_real.realness).mean() + softplus(on_fake.realness).mean() + named
    of_generator = softplus(-again.realness).mean() + cross_entropy(again.recognised["label"], asked)
    torch.autograd.backward(of_generator, inputs=list(generator.parameters()), retain_graph=True)
    torch.autograd.backward(of_critic, inputs=list(critic.parameters()))
    rounds(playing, 1)
    for network in ("critic", "generator"):
        own = dict(playing.game.networks[network].named_parameters())
        for name, parameter in twin.game.networks[network].named_parameters():
            torch.testing.assert_close(own[name].grad, parameter.grad, msg=lambda text, name=name: f"{name}: {text}")


def test_who_steps_before_the_others_leaves_them_no_verdict_of_the_old_critic():
    class Eager(Model):
        """The generator moves first; the critic moves twice on the same samples, and steps in between."""

        name = "eager"

        def latent(self, data):
            return LatentSpec(z=Normal(4))

        def objective(self, latent, data):
            return self.adversarial()

        def players(self, latent, data):
            critic, generator = super().players(latent, data)
            return [generator, replace(critic, turns=2)]

    journal = Journal(trainer(Eager, updates="simultaneous"))
    calls = journal.play()
    assert [name for name, *_ in calls] == ["generator", "critic", "critic", "critic", "critic"]
    first, _, second, _ = (weights for name, weights, *_ in calls if name == "critic")
    assert first != second


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
    assert len([name for name, *_ in calls if name == "critic"]) == 6
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
