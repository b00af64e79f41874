"""A small data set, and short ways to trainers and runs on it."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from ganzoo import api
from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.streams import generator
from ganzoo.data.splits import SingleSource, TensorSplit, tensor_checksum
from ganzoo.models.model import Model
from ganzoo.runs.checkpoint import latest
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

__all__ = [
    "MODELS",
    "PAIRS",
    "TIMES",
    "Toys",
    "checkpointed",
    "configured",
    "pictures",
    "start",
    "timeless",
    "trainer",
    "zoo_of",
]

PAIRS = ("gan", "cgan", "acgan", "infogan")
"""The built-in models of two networks and two players."""
MODELS = (*PAIRS, "bigan", "vaegan")
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
    checkpoint = latest(run.directory)
    stems = [Path(name).stem for name in checkpoint.manifest.files]
    return {f"{stem}/{name}": value for stem in stems for name, value in checkpoint.tensors(stem).items()}


def timeless(run: api.Run) -> list[dict[str, Any]]:
    """The statistics without what depends on the clock."""
    return [{key: value for key, value in line.items() if key not in TIMES} for line in run.stats()]


def pictures(run: api.Run) -> dict[str, bytes]:
    """The bytes of every picture of the run, by path within it."""
    return {str(path.relative_to(run.path)): path.read_bytes() for path in sorted(run.path.rglob("*.png"))}
