"""Captured rounds on a stand-in that freezes what a CUDA graph freezes; ``test_graphs_cuda.py`` has the real one."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from graph_games import BATCH, Solo, Trio, playing, state
from graph_stand_in import TapedRounds
from training_helpers import MODELS

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.objective import Term
from ganzoo.runs import checkpoint
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.training.agreement import putting_back
from ganzoo.training.distributed import ALONE, Processes
from ganzoo.training.graphs import CHECKED, WARM_UPS, CapturedRounds, Rounds, notes_on_graphs
from ganzoo.training.inputs import StaticInputs
from ganzoo.training.trainer import Trainer

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def captured(trainer: Trainer, backend: Any = None, insist: bool = False) -> Trainer:
    trainer.rounds = CapturedRounds(trainer, backend or TapedRounds(), insist)
    return trainer


def play(trainer: Trainer, rounds: int) -> list[dict[str, float]]:
    """Plays rounds; the statistics of each."""
    found = []
    for _ in range(rounds):
        trainer.play_round()
        found.append(trainer.statistics.read())
    return found


def same(one: list[dict[str, float]], other: list[dict[str, float]]) -> bool:
    return all(a == pytest.approx(b, rel=1e-4, abs=1e-5) for a, b in zip(one, other, strict=True))


def apart(one: Trainer, other: Trainer) -> float:
    theirs = state(other)
    return max(float((value.double() - theirs[name].double()).abs().max()) for name, value in state(one).items())


def solo(terms: Callable[[Any], Any], rounds: int = 12) -> Trainer:
    """A small game with further terms of the critic."""
    Solo.terms = staticmethod(terms)
    return playing(Solo, rounds, networks="mlp")


# ---- the same as plain rounds ----

PAIRS = {
    "latent": "z: normal(3), kind: categorical(4) code, slant: uniform(2) code, flag: bernoulli(1) code",
    **{"contrast_from": 0.25, "gap": 0.5, "gap_until": 0.75},
}
CHANGES: dict[str, Any] = {"networks": "mlp", "instance_noise": 0.2, "augmentation": 0.5, "consistency": 1.0}
GAMES: dict[str, Any] = {
    "everything that changes": ("infogan", 16, CHANGES),
    "a penalty, several turns": ("cgan", 6, {"networks": "mlp", "critic_turns": 2, "gradient_penalty": 10.0}),
    "at once, normed": ("acgan", 6, {"networks": "mlp", "updates": "simultaneous", "spectral_norm": True}),
    "a player that joins": (Trio, 14, {"networks": "mlp", "r1": 1.0}),
    "pairs whose gap ends": ("infogan-cr", 20, {"networks": "mlp", **PAIRS}),
    "in bf16": ("gan", 6, {"networks": "mlp", "flags": {"precision": "bf16"}}),
}


def compare(model: Any, rounds: int, options: dict[str, Any]) -> None:
    plain, graph = playing(model, rounds, **options), captured(playing(model, rounds, **options))
    assert same(play(graph, rounds), play(plain, rounds))
    assert graph.rounds.captured
    assert apart(graph, plain) < 1e-5
    assert (graph.images, graph.calls) == (plain.images, plain.calls)


@pytest.mark.parametrize("game", GAMES)
def test_replays_learn_what_plain_rounds_learn(game):
    compare(*GAMES[game])


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_two_hundred_replays_learn_what_plain_rounds_learn(model):
    compare(model, 200, {**CHANGES} if model == "infogan" else {k: v for k, v in CHANGES.items() if k != "consistency"})


def test_a_graph_is_captured_anew_when_a_player_joins():
    backend = TapedRounds()
    graph = captured(playing(Trio, 20, networks="mlp"), backend)
    seen = []
    for _ in range(14):
        graph.play_round()
        seen.append((len(backend.tapes), graph.rounds.captured))
    # Round 11 is the first with the judge; it is plain, and the next is captured.
    assert seen == [(0, False), *[(1, True)] * 9, (1, False), *[(2, True)] * 3]


def test_no_graph_is_tried_while_a_player_is_about_to_join():
    backend = TapedRounds()
    graph = captured(playing(Trio, 6, networks="mlp"), backend)
    play(graph, 3)
    assert not backend.tapes
    play(graph, 2)
    assert len(backend.tapes) == 1


def test_random_draws_differ_from_round_to_round_and_are_those_of_plain_rounds():
    def terms(round):
        drawn = round.normal("probe", 3)
        latent = round.latents.flat[0, 0]
        yield Term("probe", drawn.mean(), reports={"first": drawn[0], "last": drawn[2], "latent": latent})

    plain, graph = play(solo(terms), 12), play(captured(solo(terms)), 12)
    for name in ("first", "last", "latent"):
        assert len({round(line[name], 9) for line in graph}) == 12
        assert [line[name] for line in graph] == [line[name] for line in plain]


def test_schedules_apply():
    def terms(round):
        nothing = round.real.values.sum() * 0
        linear, late = round.scheduled(lambda p: p), round.scheduled(lambda p: float(p > 0.5))
        yield Term("scheduled", nothing + 1, linear, reports={"linear": nothing + linear, "late": nothing + late})

    graph = captured(solo(terms))
    found = play(graph, 12)
    assert [line["linear"] for line in found] == pytest.approx([i / 12 for i in range(12)])
    assert [line["late"] for line in found] == [0.0] * 7 + [1.0] * 5
    graph.images = 3 * BATCH  # whoever sets the progress sets the schedules
    assert play(graph, 1)[0]["linear"] == pytest.approx(0.25)
    assert graph.rounds.captured


def test_the_first_value_that_is_not_finite_is_dated_in_its_own_round():
    def terms(round):
        level = round.scheduled(lambda p: p) + round.real.values.sum() * 0
        yield Term("brittle", torch.where(level > 0.6, math.nan, level))

    for each in (solo(terms), captured(solo(terms))):
        play(each, 12)
        with pytest.raises(RunError, match=r"critic/brittle was not a finite number in round 9 \(144 images\)"):
            each.check_finite()
    assert each.rounds.captured


def test_averages_follow_their_half_life():
    plain, graph = (playing("gan", 10, networks="mlp", flags={"half_life": 40}) for _ in range(2))
    play(plain, 10)
    play(captured(graph), 10)
    ours, theirs = graph.averages.state_dict(), plain.averages.state_dict()
    live = plain.game.networks["generator"].state_dict()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=0, atol=1e-6)
    assert any(not torch.allclose(theirs[f"generator.{name}"], value, atol=1e-4) for name, value in live.items())


# ---- nothing is left of warming up and of the trial ----


class Halting(TapedRounds):
    """Fails at the end of a capture."""

    def capture(self, play, generators):
        super().capture(play, generators)
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture\nadvice")


def test_a_failed_capture_leaves_no_trace():
    plain, backend = playing("cgan", 20, networks="mlp"), Halting()
    graph = captured(playing("cgan", 20, networks="mlp"), backend)
    expected, found = play(plain, 4), play(graph, 1)
    with pytest.warns(UserWarning, match=r"without a CUDA graph: CUDA error: .* during capture$"):
        found += play(graph, 3)
    assert backend.warmed == WARM_UPS
    assert found == expected
    assert apart(graph, plain) == 0


def test_statistics_of_batches_and_all_else_are_put_back_bit_for_bit():
    graph = captured(playing("infogan", 20, networks="mlp", critic_norm="batch", instance_noise=0.1))
    graph.play_round()
    before, calls = state(graph), graph.calls.copy()
    assert any("running_mean" in name for name in before)
    random = torch.get_rng_state()
    kept = graph.rounds._captured()
    assert kept is not None
    after = state(graph)
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert (graph.images, graph.calls) == (BATCH, calls)
    assert torch.equal(torch.get_rng_state(), random)


def test_what_first_appears_in_a_trial_is_forgotten():
    graph = playing("gan", 20, networks="mlp")
    with pytest.raises(RunError, match="in other tensors"), putting_back(graph):
        graph.play_round()
    assert graph.images == 0
    assert not any(optimiser.state for optimiser in graph.optimisers.values())
    assert not graph.statistics.tensors()


def test_samples_taken_for_the_trial_come_again():
    plain, graph = playing("gan", 20, networks="mlp"), captured(playing("gan", 20, networks="mlp"))
    play(plain, 9)
    play(graph, 9)
    for _ in range(3):
        for one, other in zip(plain.inputs.deal().reals.values(), graph.inputs.deal().reals.values(), strict=True):
            assert torch.equal(one.values, other.values)


def test_a_restored_trainer_captures_anew_and_goes_on_the_same(tmp_path):
    plain, graph = playing("gan", 20, networks="mlp"), captured(playing("gan", 20, networks="mlp"))
    play(plain, 6)
    play(graph, 4)
    run = RunDirectory(tmp_path, RunRecord(config=graph.config, origins={}, data={}, data_checksum=""))
    tensors, meta = graph.state()
    saved = checkpoint.Checkpoint.open(checkpoint.save(run, graph.images, tensors, meta))
    play(graph, 3)
    graph.restore(saved)
    assert not graph.rounds.captured
    backend = graph.rounds.backend
    play(graph, 2)
    assert len(backend.tapes) == 2
    assert apart(graph, plain) == 0


# ---- what cannot be captured ----


def reads_progress(round):
    yield Term("late", round.real_verdict.realness.mean(), round.progress)


def waits(round):
    yield Term("waits", round.real_verdict.realness.mean() * round.real_verdict.realness.mean().item())


def copies_a_number(round):
    yield Term("copies", (round.real_verdict.realness * torch.tensor([0.5])).mean())


def draws_for_itself(round):
    own = torch.Generator().manual_seed(1)
    yield Term("own", (round.real_verdict.realness * torch.rand(1, generator=own)).mean())


def begins_a_stream_twice(round):
    round.uniform("twice", 1)
    round._streams.clear()
    yield Term("twice", round.real_verdict.realness.mean() * round.uniform("twice", 1).mean())


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (reads_progress, "round.progress was read, which a graph would freeze; round.scheduled can be captured"),
        (waits, "operation not permitted .* reads a value of the device"),
        (copies_a_number, "operation not permitted .* copies a number from the host"),
        (draws_for_itself, "philox_cuda_state for an unexpected CUDA generator"),
        (begins_a_stream_twice, "the random stream 'twice' was begun twice in one turn"),
    ],
)
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True")
def test_a_game_that_no_graph_can_hold_is_played_plainly_and_the_reason_said(terms, reason):
    plain, graph = solo(terms), captured(solo(terms))
    play(graph, 1)
    with pytest.warns(UserWarning, match=f"^rounds are played without a CUDA graph: {reason}"):
        play(graph, 1)
    with warnings.catch_warnings(action="error"):  # it is said once
        play(graph, 2)
    play(plain, 4)
    assert apart(graph, plain) == 0
    assert graph.rounds.refused


def test_whoever_insists_on_a_graph_is_told_why_there_is_none():
    graph = captured(solo(waits), insist=True)
    graph.play_round()
    with pytest.raises(RunError, match=r"^--graph on, but the rounds cannot be played by a CUDA graph: operation not"):
        graph.play_round()


# ---- the trial finds what is frozen ----


class Idle(TapedRounds):
    """Replays nothing."""

    def capture(self, play, generators):
        super().capture(play, generators)
        return lambda: None


class WithoutCounts(TapedRounds):
    """Freezes Adam's count of steps."""

    def capture(self, play, generators):
        replay = super().capture(play, generators)
        steps = [noted for noted in self.tapes[-1].noted if noted[0] is torch.ops.aten._foreach_add_.Scalar]
        assert steps
        self.tapes[-1].noted = [noted for noted in self.tapes[-1].noted if not any(noted is step for step in steps)]
        return replay


def frozen_seeds(refresh):
    def patched(self, deals, images):
        refresh(self, deals, images)
        for generator in self.generators:
            generator.manual_seed(7)

    return patched


def frozen_samples(refresh):
    return lambda self, deals, images: refresh(self, self._held, images)


def frozen_numbers(refresh):
    def patched(self, deals, images):
        kept, self._numbers = self._numbers, []
        refresh(self, deals, images)
        self._numbers = kept

    return patched


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        (Idle, r"critic/adversarial was nan in round 1 of its trial, not [\d.]+$"),
        (WithoutCounts, "its step of Adam were others than those of plain rounds$"),
    ],
)
def test_a_graph_that_does_too_little_is_not_used(backend, found):
    graph = captured(playing("gan", 20, networks="mlp"), backend())
    plain = playing("gan", 20, networks="mlp")
    play(graph, 1)
    with pytest.warns(UserWarning, match=found):
        play(graph, 1)
    play(plain, 2)
    assert apart(graph, plain) == 0


@pytest.mark.parametrize("broken", [frozen_seeds, frozen_samples])
def test_a_graph_that_repeats_itself_is_not_used(broken, monkeypatch):
    monkeypatch.setattr(StaticInputs, "refresh", broken(StaticInputs.refresh))
    graph = captured(playing("infogan", 20, networks="mlp"))
    graph.play_round()
    with pytest.warns(UserWarning, match="rounds are played without a CUDA graph"):
        graph.play_round()
    assert not graph.rounds.captured


def test_numbers_that_stood_still_would_be_noticed_here(monkeypatch):
    monkeypatch.setattr(StaticInputs, "refresh", frozen_numbers(StaticInputs.refresh))
    monkeypatch.setattr("ganzoo.training.graphs.refuse_difference", lambda *_: None)
    plain, graph = (
        playing("gan", 12, networks="mlp", instance_noise=0.2),
        captured(playing("gan", 12, networks="mlp", instance_noise=0.2)),
    )
    assert not same(play(graph, 12), play(plain, 12))
    assert apart(graph, plain) > 1e-4


def test_a_trial_costs_a_few_rounds():
    backend = TapedRounds()
    play(captured(playing("gan", 20, networks="mlp"), backend), 5)
    assert (backend.warmed, len(backend.tapes), backend.replays) == (WARM_UPS, 1, CHECKED + 4)


def test_a_batch_of_another_size_is_refused():
    deal = playing("gan", 20, networks="mlp").inputs.deal()
    inputs = StaticInputs([deal], 0, CPU)
    [samples] = deal.reals.values()
    short = type(deal)({"data": type(samples)(samples.values[:1], samples.labels)})
    with pytest.raises(RunError, match=r"a batch has the shape \(1, 1, 8, 8\), where those before had \(16, 1, 8, 8\)"):
        inputs.refresh([short], 0)


# ---- the setting ----


def test_on_a_cpu_rounds_are_plain_and_nothing_is_said():
    trainer = playing("gan")
    assert type(trainer.rounds) is Rounds
    assert notes_on_graphs("auto", CPU, ALONE) == notes_on_graphs("off", CUDA, ALONE) == []


def test_notes_say_how_rounds_are_played_on_a_gpu():
    assert notes_on_graphs("auto", CUDA, ALONE) == notes_on_graphs("on", CUDA, ALONE)
    assert notes_on_graphs("auto", CUDA, ALONE)[0].startswith("rounds are captured in a CUDA graph")
    assert notes_on_graphs("auto", CUDA, Processes(0, 2)) == [
        "rounds are played without a CUDA graph, because 2 processes share every round"
    ]


def test_a_graph_where_none_can_be_is_one_sentence():
    with pytest.raises(UsageError, match=r"^--graph on is not possible here, because a CUDA graph needs a CUDA device"):
        playing("gan", flags={"graph": "on"})
    with pytest.raises(UsageError, match="because 2 processes share every round; choose"):
        notes_on_graphs("on", CUDA, Processes(0, 2))


def test_runs_from_before_the_setting_open():
    config = playing("gan").config
    older = {key: value for key, value in config.model_dump(mode="json").items() if key != "graph"}
    assert RunConfig.model_validate(older) == config
    assert config.graph == "auto"
