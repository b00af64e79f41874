from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from ganzoo.core.data import DataSpec, LabelSpec
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.objectives.recognition import MutualInformation
from ganzoo.runs import checkpoint
from ganzoo.runs.config import RunConfig, default_schedule
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.sampling.sampler import Sampler
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo


class Tiny(Model):
    """A model of every role, small enough for a test."""

    name = "tiny"

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        """Something that recovers the codes."""
        return self.adversarial() + MutualInformation(latent.codes)

    def latent(self, data: DataSpec) -> LatentSpec:
        """Noise, the label, and two codes."""
        return LatentSpec.parse(
            "z: normal(4), label: categorical(3) condition, category: categorical(4) code, style: uniform(2) code"
        )


class Echo(Generator):
    """Shows the latents themselves, and how often it was called with how many."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def forward(self, latents: Tensor) -> Tensor:
        self.calls.append(len(latents))
        return latents.clone()


@pytest.fixture
def echo() -> Callable[[LatentSpec], Sampler]:
    """A sampler whose samples are the latents."""

    def make(latent: LatentSpec) -> Sampler:
        data = DataSpec(name="echo", shape=(latent.width,), range=(-9, 9), size=1, drawn_as="heatmap")
        return Sampler.of(Echo(), latent, data)

    return make


@pytest.fixture(scope="session")
def data() -> DataSpec:
    label = LabelSpec(classes=("ant", "bee", "cat"), frequencies=(0.5, 0.25, 0.25))
    return DataSpec(name="toys", shape=(1, 16, 16), size=10, labels={"label": label})


@pytest.fixture(scope="session")
def game(data: DataSpec) -> Game:
    """The tiny model, convolutional with batch normalisation whose statistics are not those of the start."""
    game = Game.build(Tiny(width=0.1, networks="dcgan"), data, seed=3)
    generator = game.networks["generator"].train()
    with torch.no_grad():
        generator(game.latent.sample(32, 0).flat)
    return game


@pytest.fixture
def sampler(game: Game) -> Sampler:
    return Sampler.of(game.networks["generator"], game.latent, game.data)


@pytest.fixture(scope="session")
def zoo() -> Zoo:
    zoo = Zoo()
    plugin = SimpleNamespace(ganzoo_register_models=hookimpl(lambda: [Tiny], specname="ganzoo_register_models"))
    zoo.register(plugin, "toys")
    return zoo


@pytest.fixture
def empty_run(tmp_path: Path, game: Game) -> RunDirectory:
    """A run of the tiny model that has no checkpoint."""
    config = RunConfig(
        model="tiny",
        data="toys",
        images=64,
        batch=8,
        options=game.model.options.model_dump(mode="json"),
        **default_schedule(64, 8),
    )
    record = RunRecord(config=config, origins={}, data=game.data.model_dump(mode="json"), data_checksum="0" * 64)
    return RunDirectory.create(tmp_path / "runs", record)


@pytest.fixture
def run(empty_run: RunDirectory, game: Game) -> RunDirectory:
    """A run of the tiny model; its averaged weights are half the last ones."""
    last = checkpoint.state_of(game.networks)
    averaged = {
        key: value / 2 if value.is_floating_point() else value
        for key, value in last.items()
        if key.startswith("generator.")
    }
    checkpoint.save(empty_run, 64, {"networks": last, "averaged": averaged}, {})
    return empty_run
