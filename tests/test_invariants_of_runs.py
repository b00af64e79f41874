"""The invariants of the design that are about what a run is a function of: seed, data order, state, resumption."""

import numpy as np
import pytest
import torch
from torch import Tensor
from training_helpers import MODELS, StopAt, checkpointed, pictures, start, timeless, trainer, zoo_of

from ganzoo import api
from ganzoo.data.batches import batches
from ganzoo.runs.checkpoint import state_of

RUN = {"images": 80, "tick": 32, "save_every": 48}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, api.Run]:
    """A short run of each built-in model, seed 3."""
    out = tmp_path_factory.mktemp("runs")
    return {model: start(out, model, flags={**RUN, "seed": 3}) for model in MODELS}


def differing(one: api.Run, other: api.Run) -> list[str]:
    """Tensors, lines of statistics and pictures that two runs do not have in common, bit for bit."""
    here, there = checkpointed(one), checkpointed(other)
    names = [n for n in here | there if n not in here or n not in there or not torch.equal(here[n], there[n])]
    lines = timeless(one), timeless(other)
    names += [] if lines[0] == lines[1] else ["statistics"]
    drawn = pictures(one), pictures(other)
    return names + [name for name in drawn[0] | drawn[1] if drawn[0].get(name) != drawn[1].get(name)]


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_run_bit_for_bit(runs, tmp_path, model):
    torch.manual_seed(12345)  # whatever has drawn numbers before
    np.random.seed(1)
    again = start(tmp_path, model, flags={**RUN, "seed": 3})
    assert differing(runs[model], again) == []
    assert len(timeless(again)) == 3
    assert len(pictures(again)) > 2


def test_another_seed_gives_another_run(runs, tmp_path):
    other = start(tmp_path, "infogan", flags={**RUN, "seed": 4})
    found = differing(runs["infogan"], other)
    assert {"statistics", "samples/000000048.png", "samples/000000080.png"} <= set(found)
    assert any(name.startswith("networks/generator.") for name in found)


def test_global_randomness_is_left_as_it_was(tmp_path):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    start(tmp_path, "infogan", instance_noise=0.1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_data_order_is_a_function_of_seed_epoch_and_position():
    playing = trainer("gan", data_options={"size": 37})
    split, spec = playing.splits["data"], playing.game.data

    def taken(batch: int, position: int, count: int, seed: int = 0) -> Tensor:
        stream = batches(split, spec, batch=batch, seed=seed, position=position)
        return torch.cat([next(stream).values for _ in range(-(-count // batch))])[:count]

    whole = taken(37, 0, 111)
    for batch, position in ((16, 0), (5, 11), (50, 36), (1, 74)):
        assert torch.equal(taken(batch, position, 111 - position), whole[position:])
    epochs = whole.view(3, 37, -1)
    for epoch in epochs:
        assert torch.equal(epoch.unique(dim=0), epochs[0].unique(dim=0)), "an epoch is not one pass over the data"
    assert not torch.equal(epochs[0], epochs[1])
    assert not torch.equal(taken(37, 0, 37, seed=1), epochs[0].view(37, *spec.shape))


def test_a_step_is_a_function_of_the_state_and_its_place_in_the_run():
    """Two trainers with the same weights and progress play the same round, whatever each did before."""
    one, other = (trainer("infogan", instance_noise=0.3, updates="simultaneous") for _ in range(2))
    for _ in range(3):
        one.play_round()
    for name, network in one.game.networks.items():
        other.game.networks[name].load_state_dict(network.state_dict())
    for playing in (one, other):
        playing.images = 480
        playing._start_streams()
        for optimiser in playing.optimisers.values():
            optimiser.state.clear()
        playing.play_round()
    here, there = state_of(one.game.networks), state_of(other.game.networks)
    assert all(torch.equal(here[name], there[name]) for name in here)


@pytest.mark.parametrize("stop", [16, 48, 64])
@pytest.mark.parametrize("model", ["acgan", "infogan"])
def test_resuming_equals_a_run_that_was_never_interrupted_bit_for_bit(runs, tmp_path, model, stop):
    run = start(tmp_path, model, observer=StopAt(stop), flags={**RUN, "seed": 3})
    assert (run.record.status, run.record.images) == ("interrupted", stop)
    resumed = api.resume(1, out=tmp_path, zoo=zoo_of())
    found = differing(resumed, runs[model])
    # The interruption drew one picture more; where there was a save anyway, not even that.
    assert found == ([] if stop == 48 else [f"samples/{stop:09d}.png"])


def test_resuming_is_exact_whatever_draws_random_numbers_or_keeps_buffers(tmp_path):
    flags = {**RUN, "images": 160, "precision": "bf16"}
    options = {"instance_noise": 0.3, "gradient_penalty": 10.0, "spectral_norm": True, "critic_turns": 2}
    whole = start(tmp_path / "whole", "cgan", flags=flags, **options)
    start(tmp_path / "runs", "cgan", observer=StopAt(64), flags=flags, **options)
    resumed = api.resume(1, out=tmp_path / "runs", zoo=zoo_of())
    assert set(differing(resumed, whole)) <= {"samples/000000064.png"}


def test_resuming_stores_no_generator_state(runs):
    checkpoint = next(iter(runs["infogan"].directory.checkpoints.iterdir()))
    assert {path.name for path in checkpoint.iterdir()} == {
        "manifest.json",
        *(f"{stem}.safetensors" for stem in ("networks", "averaged", "optimisers", "statistics")),
    }


def test_schedules_are_kept_when_the_budget_is_raised(tmp_path):
    flags = {"images": 64, "tick": 32}
    run = start(tmp_path / "runs", "infogan", flags=flags, instance_noise=0.5)
    before = run.config
    raised = api.resume(1, out=tmp_path / "runs", flags={"images": 128}, zoo=zoo_of())
    assert raised.config == before.model_copy(update={"images": 128})
    assert (raised.config.schedule, raised.record.images) == (64, 128)
    # As a run with the old schedules from the start; with the budget's own ones it would be another.
    kept = {key: getattr(before, key) for key in ("schedule", "half_life", "tick", "save_every")}
    whole = start(tmp_path / "whole", "infogan", flags={"images": 128, **kept}, instance_noise=0.5)
    assert differing(raised, whole) == []
    other = start(tmp_path / "other", "infogan", flags={"images": 128, "tick": 32}, instance_noise=0.5)
    assert differing(raised, other) != []
