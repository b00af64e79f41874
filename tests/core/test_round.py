from collections import Counter
from typing import Any

import pytest
import torch
from helpers import NOTHING, Orator, Reader, game_round, tiny_data, tiny_game, told_round, toy_samples
from torch import Tensor

from ganzoo.core.data import DataSpec, Samples
from ganzoo.core.errors import RunError
from ganzoo.core.invariance import Flip
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.core.round import Hand, Round, condition_of_labels
from ganzoo.core.variables import Categorical, Normal
from ganzoo.models.model import Model, label_conditions
from ganzoo.objectives.penalties import R1, GradientPenalty
from ganzoo.objectives.recognition import MutualInformation

LATENT = LatentSpec(z=Normal(4), label=Categorical(3, role="condition"), code=Categorical(2, role="code"))
DATA = tiny_data((5,), frequencies=(0.2, 0.2, 0.6))


class Noisy(Model):
    """Adversarial terms, conditions and codes on noisy samples."""

    name = "noisy"

    def latent(self, data: DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(4), **label_conditions(data), code=Categorical(2, role="code"))

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        return self.adversarial() + MutualInformation(latent.codes)


def hand_of(labels: list[int], latent: LatentSpec = LATENT, seed: tuple[int | str, ...] = (7, 128)) -> Hand:
    n = len(labels)
    networks = {"critic": Reader(), "generator": Orator(torch.zeros(n, 5))}
    return Hand(latent, networks, {"data": Samples(torch.ones(n, 5), {"label": torch.tensor(labels)})}, seed)


def turn(hand: Hand, player: str = "critic", **others: Any) -> Round:
    others.setdefault("owns_generator", player == "generator")
    return Round(player, hand, DATA, lambda samples, round: samples, 0.0, **others)


def test_a_schedule_follows_the_progress_and_a_captured_round_hides_it() -> None:
    plain = Round("critic", hand_of([0, 1]), DATA, lambda samples, round: samples, 0.25)
    assert (plain.progress, plain.scheduled(lambda progress: 2 * progress)) == (0.25, 0.5)
    captured = turn(hand_of([0, 1]), scheduled=lambda schedule: torch.tensor(schedule(0.75)))
    assert captured.scheduled(lambda progress: 2 * progress) == torch.tensor(1.5)
    with pytest.raises(RunError, match=r"round\.progress was read, which a graph would freeze"):
        _ = captured.progress


def test_it_knows_who_takes_part() -> None:
    assert turn(hand_of([0, 1]), players=("critic", "generator")).players == {"critic", "generator"}
    assert turn(hand_of([0, 1])).players == {"critic"}


def classes(rows: Tensor) -> list[int]:
    assert rows.sum(dim=1).eq(1).all()
    return rows.argmax(dim=1).tolist()


def test_one_generator_forward_a_round_and_three_of_the_critic() -> None:
    hand = hand_of([0, 1, 2, 0])
    critic, generator = hand.networks["critic"], hand.networks["generator"]
    assert isinstance(critic, Reader) and isinstance(generator, Orator)
    first = turn(hand, "critic", shares_generator=True)
    for _ in range(3):
        _ = first.real_verdict, first.fake_verdict, first.fakes
    second = turn(hand, "generator")
    for _ in range(3):
        _ = second.fake_verdict, second.fakes
    assert len(generator.heard) == 1
    assert len(critic.seen) == 3
    assert first.calls == second.calls == Counter()
    assert second.latents is first.latents
    assert torch.equal(first.fakes, second.fakes)


def test_players_that_step_at_once_share_verdicts_until_somebody_clears_them() -> None:
    hand = hand_of([0, 1, 2])
    critic = turn(hand, "critic", shares_generator=True, at_once=True)
    generator = turn(hand, "generator", at_once=True)
    assert generator.fake_verdict is critic.fake_verdict
    assert generator.real_verdict is critic.real_verdict
    assert critic.fake_verdict.realness.requires_grad, "it leads back to the generator's parameters"
    assert not critic.fakes.requires_grad
    old = generator.fake_verdict
    hand.verdicts.clear()
    with torch.no_grad():
        assert critic.fake_verdict.realness.requires_grad, "the generator would get no gradient of a verdict without"
    assert turn(hand, "generator", turn=1, at_once=True).fake_verdict is not old
    assert turn(hand, "critic", turn=1).real_verdict is not turn(hand, "critic", turn=1).real_verdict


def test_fakes_are_detached_for_whoever_does_not_own_the_generator() -> None:
    hand = hand_of([0, 1, 2])
    sharing = turn(hand, "critic", shares_generator=True)
    assert not sharing.fakes.requires_grad
    assert not sharing.fake_verdict.realness.requires_grad
    owner = turn(hand, "generator")
    assert owner.fakes.requires_grad
    (gradient,) = torch.autograd.grad(owner.fake_verdict.realness.sum(), [hand.networks["generator"].samples])
    assert torch.equal(gradient[:, 0], torch.ones(3))


def test_without_a_player_to_share_with_the_generator_builds_no_graph() -> None:
    hand = hand_of([0, 1, 2])
    assert not turn(hand, "critic").fakes.requires_grad
    assert not hand.fakes(graph=False).requires_grad


def test_spent_latents_are_followed_by_new_ones() -> None:
    hand = hand_of([0, 1, 2, 0])
    old = turn(hand, "generator").latents
    hand.spend()
    after = turn(hand, "generator", turn=1)
    assert not torch.isclose(after.latents["z"], old["z"]).any()
    assert sorted(classes(after.latents["label"])) == sorted(classes(old["label"]))
    _ = after.fakes
    assert torch.equal(hand.networks["generator"].heard[-1], after.latents.flat)


def test_the_fakes_are_made_of_the_latents_that_the_round_shows() -> None:
    hand = hand_of([0, 1, 2, 0])
    round = turn(hand)
    _ = round.fakes
    assert torch.equal(hand.networks["generator"].heard[0], round.latents.flat)


def test_conditions_for_training_are_shuffled_real_labels() -> None:
    labels = [0] * 9 + [1] * 5 + [2] * 2
    chosen = [classes(hand_of(labels, seed=(7, images)).latents["label"]) for images in range(20)]
    for found in chosen:
        assert sorted(found) == labels
    assert len({tuple(found) for found in chosen}) == 20
    # The first row gets every class in its turn; an order that moved rows only a little would not do.
    assert {found[0] for found in chosen} == {found[-1] for found in chosen} == {0, 1, 2}


def test_unknown_labels_are_drawn_from_the_prior() -> None:
    prior = LatentSpec(label=Categorical(3, role="condition", probs=(0.0, 0.25, 0.75)))
    labels = [0] * 100 + [-1] * 900
    found = Counter(classes(hand_of(labels, latent=prior).latents["label"]))
    # Class 0 cannot come from the prior.
    assert found[0] == 100
    assert found[1] == pytest.approx(225, abs=5 * (900 * 0.25 * 0.75) ** 0.5)


def test_without_any_known_label_all_conditions_come_from_the_prior() -> None:
    conditions = hand_of([-1] * 300).latents["label"]
    assert set(classes(conditions)) == {0, 1, 2}


def test_real_conditions_are_the_samples_own_labels_and_zeros_where_unknown() -> None:
    round = turn(hand_of([2, -1, 0]))
    assert round.real_condition is not None
    assert round.real_condition.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert round.fake_condition is not None
    assert torch.equal(round.fake_condition, round.latents["label"])


def test_conditions_stand_side_by_side_in_the_order_of_the_latent_space() -> None:
    latent = LatentSpec(b=Categorical(2, role="condition"), z=Normal(1), a=Categorical(3, role="condition"))
    labels = {"a": torch.tensor([0, 2]), "b": torch.tensor([1, 0])}
    found = condition_of_labels(latent, Samples(torch.zeros(2, 1), labels))
    assert found is not None
    assert found.tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]


def test_without_conditions_the_critic_is_told_nothing() -> None:
    round = told_round("critic", real=torch.zeros(2, 1), fake=torch.zeros(2, 1), latent=LatentSpec(z=Normal(2)))
    _ = round.real_verdict, round.fake_verdict
    critic = round.networks["critic"]
    assert isinstance(critic, Reader)
    assert critic.conditions == [None, None]
    assert round.real_condition is None and round.fake_condition is None


def test_each_verdict_gets_the_conditions_of_its_own_samples() -> None:
    hand = hand_of([2, 1, 0])
    round = turn(hand)
    _ = round.real_verdict, round.fake_verdict
    real, fake = hand.networks["critic"].conditions
    assert torch.equal(real, round.real_condition) and torch.equal(fake, round.fake_condition)


def test_the_same_key_gives_the_same_latents_and_another_key_others() -> None:
    latents = [hand_of([0, 1, 2, -1], seed=seed).latents.flat for seed in [(7, 128), (7, 128), (7, 256), (8, 128)]]
    assert torch.equal(latents[0], latents[1])
    assert not torch.equal(latents[0], latents[2])
    assert not torch.equal(latents[0], latents[3])


def test_latents_do_not_depend_on_the_global_random_state() -> None:
    torch.manual_seed(1)
    first, state = hand_of([0, 1, 2]).latents.flat, torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(hand_of([0, 1, 2]).latents.flat, first)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_streams_are_named_and_replayable() -> None:
    def drawn(player: str = "critic", turns: int = 0, seed: tuple[int, int] = (7, 128)) -> tuple[Tensor, ...]:
        round = turn(hand_of([0, 1], seed=seed), player, turn=turns)
        return round.uniform("mix", 2, 1), round.uniform("mix", 2, 1), round.normal("noise", 2, 3)

    first = drawn()
    assert all(torch.equal(a, b) for a, b in zip(first, drawn(), strict=True))
    assert not torch.equal(first[0], first[1])
    for other in (drawn("generator"), drawn(turns=1), drawn(seed=(7, 256)), drawn(seed=(8, 128))):
        assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    round = turn(hand_of([0, 1]))
    _ = round.latents, round.fakes, round.normal("other", 5)
    assert torch.equal(round.uniform("mix", 2, 1), first[0])


def test_streams_have_the_distribution_that_they_say() -> None:
    round = turn(hand_of([0]))
    uniform, normal = round.uniform("u", 4000), round.normal("n", 4000)
    assert uniform.min() >= 0 and uniform.max() < 1
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.03)
    assert normal.mean().item() == pytest.approx(0, abs=0.1)
    assert normal.std().item() == pytest.approx(1, abs=0.1)


def test_extra_calls_are_counted() -> None:
    calls: Counter[str] = Counter()
    hand = hand_of([0, 1, 2])
    round = turn(hand, calls=calls)
    _ = round.real_verdict, round.fake_verdict
    assert calls == Counter()
    round.judge(torch.zeros(3, 5), round.fake_condition)
    round.judge(torch.zeros(3, 5))
    made = round.generate(round.latents)
    again = round.generate(round.latents.flat)
    assert torch.equal(made, again)
    assert calls == {"judge/critic": 2, "generate/generator": 2}
    turn(hand, calls=calls).judge(torch.zeros(3, 5))
    assert calls["judge/critic"] == 3


def test_judge_may_ask_another_critic() -> None:
    hand = hand_of([0])
    second = Reader()
    hand.networks = {**hand.networks, "second": second}
    round = turn(hand)
    round.judge(torch.full((1, 5), 3.0), network="second")
    assert len(second.seen) == 1
    assert round.calls == {"judge/second": 1}


def test_the_view_is_applied_to_every_call_of_the_critic() -> None:
    hand = hand_of([0, 1, 2])
    viewed: list[Round] = []

    def view(samples: Tensor, round: Round) -> Tensor:
        viewed.append(round)
        return samples + 100

    round = Round("critic", hand, DATA, view, 0.0)
    _ = round.real_verdict, round.fake_verdict
    round.judge(torch.zeros(3, 5))
    for penalty in (R1(), GradientPenalty()):
        for _ in penalty.critic_terms(round):
            pass
    seen = hand.networks["critic"].seen
    assert len(seen) == len(viewed) == 5
    assert all(samples.ge(100).all() for samples in seen)
    assert all(item is round for item in viewed)
    assert round.fakes.eq(0).all() and round.real.values.eq(1).all()


def test_what_losses_are_taken_of_is_float32_whatever_the_networks_ran_in() -> None:
    code = LatentSpec(code=Categorical(2, role="code"))
    fake = torch.zeros(3, 3, dtype=torch.bfloat16)
    round = told_round("critic", real=fake, fake=fake, latent=code, recognises=code)
    verdict = round.judge(fake)
    assert verdict.realness.dtype == verdict.recognised["code"].dtype == torch.float32
    assert round.fakes.dtype == round.generate(round.latents).dtype == torch.float32


@pytest.mark.parametrize(
    ("progress", "sigma"), [(0.0, 0.6), (0.375, 0.3), (0.7, 0.6 * (1 - 0.7 / 0.75)), (0.75, 0.0), (1.0, 0.0)]
)
def test_instance_noise_falls_to_zero_at_three_quarters(progress: float, sigma: float) -> None:
    game = tiny_game(Noisy, instance_noise=0.6)
    samples = torch.zeros(400, *game.data.shape)
    seen = game.model.view(samples, game_round(game, "critic", progress=progress))
    assert seen.std().item() == pytest.approx(sigma, rel=0.05)
    assert seen.mean().item() == pytest.approx(0, abs=0.05)
    assert (sigma > 0) or seen is samples


def test_without_instance_noise_the_critic_sees_the_samples_themselves() -> None:
    game = tiny_game(Noisy)
    samples = torch.zeros(4, *game.data.shape)
    assert game.model.view(samples, game_round(game, "critic")) is samples


def test_instance_noise_is_fresh_for_each_call_and_the_same_in_a_replay() -> None:
    game = tiny_game(Noisy, instance_noise=0.6, networks="mlp")
    samples = torch.zeros(4, *game.data.shape)

    def twice() -> tuple[Tensor, Tensor]:
        round = game_round(game, "critic")
        return game.model.view(samples, round), game.model.view(samples, round)

    first, second = twice()
    assert not torch.equal(first, second)
    assert torch.equal(twice()[0], first) and torch.equal(twice()[1], second)


def test_every_source_is_there_and_the_first_is_the_default() -> None:
    reals = {name: toy_samples(DATA, 3, seed) for seed, name in enumerate(["horses", "zebras"])}
    hand = Hand(NOTHING, {"critic": Reader(), "generator": Orator(torch.zeros(3, 5))}, reals, (0,))
    round = turn(hand)
    assert round.reals is reals
    assert round.real is reals["horses"]


def test_a_batch_of_one_works() -> None:
    hand = hand_of([1])
    round = turn(hand, "generator")
    assert round.fake_verdict.realness.shape == (1,)
    assert classes(round.latents["label"]) == [1]


def test_several_labels_are_shuffled_together():
    latent = LatentSpec(a=Categorical(4, role="condition"), b=Categorical(4, role="condition"))
    same = torch.arange(32) % 4
    hand = Hand(latent, {}, {"data": Samples(torch.zeros(32, 1), {"a": same, "b": same})}, (0, 0))
    assert torch.equal(hand.latents["a"], hand.latents["b"])


def test_augmentation_moves_its_share_of_the_samples_and_no_other() -> None:
    data = tiny_data((1, 8, 8), invariances=(Flip(),))
    game = tiny_game(Noisy, data, augmentation=0.5, networks="mlp")
    samples = toy_samples(data, 400).values
    round = game_round(game, "critic", n=400)
    seen = game.model.view(samples, round)
    kept = (seen == samples).flatten(1).all(1)
    flipped = (seen == samples.flip(3)).flatten(1).all(1)
    assert (kept | flipped).all()
    assert 0.18 < flipped.float().mean() < 0.32  # half of the samples are chosen, and half of these are flipped
    again = game.model.view(samples, game_round(game, "critic", n=400))
    assert torch.equal(again, seen)
