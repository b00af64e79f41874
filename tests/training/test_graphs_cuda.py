"""Captured rounds on a GPU; ``test_graphs.py`` holds the bookkeeping where there is none."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from graph_games import Solo, Trio, playing, state
from training_helpers import MODELS

from ganzoo.core.objective import Term
from ganzoo.training.graphs import CapturedRounds, CudaGraphs, Rounds
from ganzoo.training.trainer import Trainer

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CHANGES = {"instance_noise": 0.2, "augmentation": 0.5}


def pair(model, rounds, **options) -> tuple[Trainer, Trainer]:
    """The same run, played plainly and by a graph."""
    plain, graph = (playing(model, rounds, device="cuda", **options) for _ in range(2))
    plain.rounds = Rounds(plain)
    assert isinstance(graph.rounds, CapturedRounds)
    graph.rounds.insist = True
    return plain, graph


def play(trainer: Trainer, rounds: int) -> list[dict[str, float]]:
    found = []
    for _ in range(rounds):
        trainer.play_round()
        found.append(trainer.statistics.read())
    return found


@gpu
@pytest.mark.parametrize("model", MODELS)
def test_two_hundred_rounds_of_a_graph_have_the_losses_of_plain_ones(model):
    options = CHANGES | ({"consistency": 1.0} if model == "infogan" else {})
    plain, graph = pair(model, 200, **options)
    expected, found = play(plain, 200), play(graph, 200)
    assert graph.rounds.captured
    # Sums in another order grow apart in a game; at first they are the same, and later alike.
    for one, other in zip(expected[:20], found[:20], strict=True):
        assert other == pytest.approx(one, rel=1e-2, abs=1e-2)
    for name in expected[0]:
        late = [sum(line[name] for line in lines[100:]) / 100 for lines in (expected, found)]
        assert late[1] == pytest.approx(late[0], rel=0.2, abs=0.1)


@gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_seed_gives_the_same_run_where_no_maps_move_samples(precision):
    # The gradient of a map is a sum in any order: torch's grid_sample adds it up atomically.
    once, again = (playing("acgan", 40, device="cuda", flags={"precision": precision}) for _ in range(2))
    assert play(once, 40) == play(again, 40)
    assert all(torch.equal(value, state(again)[name]) for name, value in state(once).items())


@gpu
def test_random_draws_differ_from_round_to_round_and_are_those_of_plain_rounds():
    def terms(round):
        drawn = round.normal("probe", 3)
        yield Term("probe", drawn.mean(), reports={"first": drawn[0], "latent": round.latents.flat[0, 0]})

    Solo.terms = staticmethod(terms)
    plain, graph = (play(each, 12) for each in pair(Solo, 12, networks="mlp"))
    for name in ("first", "latent"):
        assert len({line[name] for line in graph}) == 12
        assert [line[name] for line in graph] == [line[name] for line in plain]


@gpu
def test_schedules_and_players_that_join_apply():
    def terms(round):
        value = round.scheduled(lambda progress: progress) + round.real.values.sum() * 0
        yield Term("scheduled", value, reports={"progress": value})

    Solo.terms = staticmethod(terms)
    _, graph = pair(Solo, 12, networks="mlp")
    assert [line["progress"] for line in play(graph, 12)] == pytest.approx([i / 12 for i in range(12)])
    _, trio = pair(Trio, 20, networks="mlp")
    assert ["judge/real" in line for line in play(trio, 20)] == [False] * 10 + [True] * 10
    assert trio.rounds.captured


@gpu
def test_statistics_of_batches_and_all_else_are_put_back_after_warming_up():
    _, graph = pair("infogan", 20, critic_norm="batch")
    play(graph, 1)
    before = state(graph)
    assert graph.rounds._captured() is not None
    after = state(graph)
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@gpu
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True")
def test_a_round_that_waits_is_played_plainly_and_the_gpu_goes_on_working():
    def terms(round):
        yield Term("waits", round.real_verdict.realness.mean() * round.real_verdict.realness.mean().item())

    Solo.terms = staticmethod(terms)
    plain, graph = pair(Solo, 12, networks="mlp")
    graph.rounds.insist = False
    expected, found = play(plain, 5), play(graph, 1)
    with pytest.warns(UserWarning, match="^rounds are played without a CUDA graph: "):
        found += play(graph, 4)
    assert found == [pytest.approx(line, rel=1e-3, abs=1e-3) for line in expected]
    assert torch.isfinite(torch.rand(3, device="cuda")).all()  # torch's own generator is in order


def test_a_capture_is_told_of_every_generator_and_gives_back_the_global_one_if_it_fails(monkeypatch):
    """What is asked of torch, in which order; a fake stands for the GPU."""
    said: list[object] = []
    generator = SimpleNamespace(clone_state=lambda: "as it was", graphsafe_set_state=said.append)

    class FakeGraph:
        def register_generator_state(self, generator):
            said.append(("register", generator))

        def replay(self):
            said.append("replay")

    @contextmanager
    def capturing(graph, *, stream, capture_error_mode):
        said.append(("begin", capture_error_mode))
        yield
        said.append("end")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: SimpleNamespace(device_index=0))
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", capturing)
    monkeypatch.setattr(torch.cuda, "default_generators", (generator,))
    graphs = CudaGraphs(torch.device("cuda"))
    graphs.capture(lambda: said.append("play"), ["a", "b"])()
    assert said == [("register", "a"), ("register", "b"), ("begin", "thread_local"), "play", "end", "replay"]
    said.clear()
    with pytest.raises(ZeroDivisionError):
        graphs.capture(lambda: 1 / 0, [])
    assert said == [("begin", "thread_local"), "as it was"]
