"""A small data set, and short ways to trainers and runs on it."""

import math
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ganzoo import api
from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.core.streams import generator
from ganzoo.core.variables import Normal
from ganzoo.data.splits import SingleSource, TensorSplit, tensor_checksum
from ganzoo.models.model import Model
from ganzoo.runs import checkpoint
from ganzoo.runs.checkpoint import Checkpoint, latest, state_of
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.training.events import Observer
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

__all__ = [
    "MODELS",
    "PAIRS",
    "TIMES",
    "Doomed",
    "Journal",
    "StopAt",
    "Toys",
    "changed",
    "checkpointed",
    "configured",
    "copies",
    "grey_folder",
    "on_folder",
    "pictures",
    "rounds",
    "saved",
    "start",
    "timeless",
    "trainable",
    "trainer",
    "zoo_of",
]

PAIRS = ("gan", "cgan", "acgan", "infogan")
"""The built-in models of two networks and two players."""
MODELS = (*PAIRS, "infogan-cr", "bigan", "vaegan")
TIMES = ("seconds", "images_per_second")
"""What no two runs have in common."""


class Toys(SingleSource):
    """Noise with a bright square, whose corner is the label."""

    name: ClassVar[str] = "toys"
    summary: ClassVar[str] = "squares in four corners"
    offline: ClassVar[bool] = True
    seed: ClassVar[int] = 0

    class Options(Dataset.Options):
        """Small by default."""

        size: int = 96
        side: int = 16
        unlabelled: int = 0

    options: Options

    @property
    def spec(self) -> DataSpec:
        classes = LabelSpec(classes=("north", "east", "south", "west"), frequencies=(0.25,) * 4)
        side = self.options.side
        return DataSpec(name="toys", shape=(1, side, side), size=self.options.size, labels={"label": classes})

    def load(self, part: Literal["train", "test"]) -> Split:
        size, half = self.options.size, self.options.side // 2
        values = torch.randint(
            0, 60, (size, 1, 2 * half, 2 * half), dtype=torch.uint8, generator=generator("toys", part, self.seed)
        )
        labels = torch.arange(size) % 4
        for corner, (top, left) in enumerate([(0, 0), (0, half), (half, half), (half, 0)]):
            values[corner::4, :, top : top + half, left : left + half] += 180
        labels[: self.options.unlabelled] = -1
        return TensorSplit(values, {"label": labels}, tensor_checksum(values, labels))


@cache
def zoo_of(*models: type[Model]) -> Zoo:
    """The installed models, the toys, and whatever models the test defines."""
    zoo = Zoo()
    plugin = SimpleNamespace(
        ganzoo_register_datasets=hookimpl(lambda: [Toys], specname="ganzoo_register_datasets"),
        ganzoo_register_models=hookimpl(lambda: list(models), specname="ganzoo_register_models"),
    )
    zoo.register(plugin, "toys")
    return zoo


def configured(
    model: str | type[Model] = "gan",
    *,
    data_options: dict[str, Any] | None = None,
    flags: dict[str, Any] | None = None,
    zoo: Zoo | None = None,
    **options: Any,
) -> api.Configured:
    """A tiny run: 64 images in batches of 16, in float32, narrow networks; ``flags`` and options say otherwise.

    It saves every 64 images, for the default of ten checkpoints would be one a round.
    """
    if isinstance(model, type):
        model, zoo = model.name, zoo_of(model)
    return api.configure(
        model,
        data="toys",
        flags={"images": 64, "batch": 16, "device": "cpu", "precision": "fp32", "save_every": 64, **(flags or {})},
        data_options=data_options or {},
        options={"width": 0.125, **options},
        zoo=zoo or zoo_of(),
    )


def trainer(model: str | type[Model] = "gan", **settings: Any) -> Trainer:
    """A trainer of a tiny run."""
    return api.prepare(configured(model, **settings))[1]


def start(out: Path, model: str | type[Model] = "gan", *, observer: Any = None, **settings: Any) -> api.Run:
    """A tiny run, played."""
    return api.start(configured(model, **settings), out=out, observer=observer)


def checkpointed(run: api.Run) -> dict[str, Tensor]:
    """Every tensor of the newest checkpoint, by ``file/name``."""
    newest = latest(run.directory)
    stems = [Path(name).stem for name in newest.manifest.files]
    return {f"{stem}/{name}": value for stem in stems for name, value in newest.tensors(stem).items()}


def timeless(run: api.Run) -> list[dict[str, Any]]:
    """The statistics without what depends on the clock."""
    return [{key: value for key, value in line.items() if key not in TIMES} for line in run.stats()]


def pictures(run: api.Run) -> dict[str, bytes]:
    """The bytes of every picture of the run, by path within it."""
    return {str(path.relative_to(run.path)): path.read_bytes() for path in sorted(run.path.rglob("*.png"))}


def rounds(playing: Trainer, count: int) -> Trainer:
    """The trainer, after some rounds."""
    for _ in range(count):
        playing.play_round()
    return playing


def copies(playing: Trainer) -> dict[str, Tensor]:
    """Every tensor of its networks, as it is now."""
    return {name: value.clone() for name, value in state_of(playing.game.networks).items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor], prefix: str) -> set[str]:
    """The tensors whose name begins so and that are not what they were."""
    return {name for name in before if name.startswith(prefix) and not torch.equal(before[name], after[name])}


def trainable(playing: Trainer, network: str) -> set[str]:
    """The names of a network's parameters."""
    return {f"{network}.{name}" for name, _ in playing.game.networks[network].named_parameters()}


def saved(playing: Trainer, folder: Path) -> Checkpoint:
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


class StopAt(Observer):
    """Asks for a stop, as Ctrl-C does, when the run has reached so many images."""

    def __init__(self, images: int) -> None:
        self.images = images

    def progressed(self, images: int) -> None:
        if images == self.images:
            signal.raise_signal(signal.SIGINT)


class Doomed(Model):
    """Its generator's loss is ``value`` from that share of the run on."""

    name = "doomed"
    since: ClassVar[float] = 0.5
    value: ClassVar[float] = math.nan

    def latent(self, data: DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(4))

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        return self.adversarial() + Doom(self)


class Doom(Objective):
    """A term that goes wrong."""

    def __init__(self, model: Doomed) -> None:
        self.model = model

    def generator_terms(self, round: Round) -> Iterator[Term]:
        loss = round.fakes.square().mean()
        yield Term("doom", loss * (self.model.value if round.progress >= self.model.since else 1.0))


def grey_folder(path: Path, shade: int = 0, count: int = 6) -> Path:
    """A folder of grey pictures of cats and dogs."""
    for kind in ("cats", "dogs"):
        (path / kind).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels = np.full((16, 16), (shade + 20 * index + (90 if kind == "dogs" else 0)) % 256, np.uint8)
            Image.fromarray(pixels).save(path / kind / f"{index}.png")
    return path


def on_folder(path: Path, model: str = "gan", **options: Any) -> api.Configured:
    """A tiny run on a folder of pictures."""
    return api.configure(
        model,
        data=str(path),
        flags={"images": 64, "batch": 16, "device": "cpu", "precision": "fp32"},
        data_options={"size": 16, "channels": 1, "test_share": 0.0},
        options={"width": 0.125, **options},
    )
