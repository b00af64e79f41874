"""What a trainer's checkpoint restores, and when its numbers are not finite."""

import math

import pytest
import torch
from training_helpers import Doomed, changed, copies, rounds, saved, trainer

from ganzoo.core.errors import RunError
from ganzoo.training.trainer import Trainer

# ---- what a checkpoint restores ----


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


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("turns", "played"), [(1, 4), (2, 3)])
def test_a_term_that_is_not_finite_is_named_with_its_round(monkeypatch, value, turns, played):
    monkeypatch.setattr(Doomed, "value", value)
    monkeypatch.setattr(Doomed, "since", 0.75)
    playing = trainer(Doomed, critic_turns=turns)
    for _ in range(played - 1):
        rounds(playing, 1)
        playing.check_finite()
    rounds(playing, 2)
    images = 16 * turns * played
    with pytest.raises(
        RunError, match=rf"generator/doom was not a finite number in round {played} \({images} images\)"
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
