"""Layers that draw from torch's own generators: a run with dropout is as reproducible as any other."""

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn
from training_helpers import checkpointed, start, timeless, trainer, zoo_of

from ganzoo import api
from ganzoo.core.critic import Critic
from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo_gan import GAN


class Dropping(GAN):
    """A GAN whose critic drops features."""

    name: ClassVar[str] = "dropping"

    def critic(self, latent: LatentSpec, data: DataSpec) -> Critic:
        critic = self.stock_critic(latent, data, sees=latent.conditions, recognises=latent.codes)
        critic.trunk.append(nn.Dropout(0.5))
        return critic


def test_two_runs_and_one_that_was_stopped_between_are_the_same(tmp_path: Path) -> None:
    whole = start(tmp_path / "whole", Dropping)
    again = start(tmp_path / "again", Dropping)
    part = start(tmp_path / "part", Dropping, flags={"images": 32, "schedule": 64, "half_life": whole.config.half_life})
    torch.rand(7)
    part = api.resume(part.path, flags={"images": 64}, zoo=zoo_of(Dropping))
    for other in (again, part):
        assert {name: value.equal(checkpointed(other)[name]) for name, value in checkpointed(whole).items()} == {
            name: True for name in checkpointed(whole)
        }
    assert timeless(again) == timeless(whole)


def test_what_is_dropped_differs_from_round_to_round(monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    playing = trainer(Dropping)
    layer = playing.game.networks["critic"].trunk[-1]
    layer.register_forward_hook(lambda _module, inputs, output: states.append(output.detach() == 0))
    for _ in range(2):
        playing.play_round()
    assert len(states) == 6
    assert all(not one.equal(other) for index, one in enumerate(states) for other in states[:index])


def test_the_callers_own_numbers_are_left_alone() -> None:
    playing = trainer(Dropping)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    playing.play_round()
    assert torch.rand(3).equal(expected)
