"""Subjects made of stubs, so that a metric can be tested on samples whose score is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.data import DataSpec, LabelSpec, Split
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.latents import Latents
from ganzoo.core.objective import Objective
from ganzoo.data.splits import SingleSource, TensorSplit, tensor_checksum
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.extractors.values import Values
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import Setting
from ganzoo.evaluation.subject import Subject
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.runs.config import RunConfig, default_schedule
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.sampling.sampler import Sampler

__all__ = ["Elsewhere", "Fakes", "Read", "Told", "ToldSampler", "by_name", "subject", "uniform"]

Fakes = Tensor | Callable[[Latents], Tensor]
"""Sample k of the run as row k, or what makes samples (N, *shape) of latents."""

NOISE = LatentSpec.parse("z: normal(2)")


class Read(Extractor):
    """Samples are the logits of three classes."""

    name: ClassVar[str] = "read"
    summary: ClassVar[str] = "for tests"
    classes: ClassVar[tuple[str, ...]] = ("class 0", "class 1", "class 2")

    def __call__(self, samples: Tensor) -> Features:
        return Features(samples, samples)


class Elsewhere(Read):
    """Knows other classes than a subject's."""

    classes: ClassVar[tuple[str, ...]] = ("a", "b", "c")


def uniform(n: int, *shape: int, seed: int = 0) -> Tensor:
    """Uniform values in [-1, 1]."""
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def by_name(scores: Any) -> dict[str, Score]:
    """What a metric's ``scores`` gave, by name; no name twice."""
    found = list(scores)
    named = {score.name: score for score in found}
    assert len(named) == len(found)
    return named


def subject(
    train: Tensor | None = None,
    test: Tensor | None = None,
    fakes: Fakes | None = None,
    *,
    labels: Tensor | None = None,
    test_labels: Tensor | None = None,
    classes: Sequence[str] | None = None,
    latent: LatentSpec | str = NOISE,
    extractor: type[Extractor] | None = Values,
    critic: nn.Module | None = None,
    objective: Objective | None = None,
    range: tuple[float, float] = (-1.0, 1.0),
    name: str = "told",
    path: Path | None = None,
    samples: int | None = None,
    real: int | None = None,
    fit: int | None = None,
    setting: str = "fast",
    seed: int = 0,
) -> Subject:
    """A subject whose data, generator, critic and features are what the test says.

    Args:
        train: real training samples (M, *shape), float in ``range`` or uint8; 64 random points unless given.
        test: real test samples; as many random ones as there are training samples unless given.
        fakes: generated samples: sample k as row k, or what makes them of latents (so that codes and
            conditions can be made visible); random ones unless given.
        labels: classes (M,) of the training samples, int64, -1 where unknown; no labels unless given.
        test_labels: classes of the test samples.
        classes: names of the classes; "class 0" and so on unless given.
        latent: the latent space, or its text.
        extractor: the class of the features; None for data without.
        critic: judges (N, *shape); ``tests/helpers.py`` has a Reader, and Told here.
        objective: for metrics that ask what is recovered.
        range: of the samples.
        name: of the data set.
        path: folder of the run, where a metric reads or writes one; made where it is missing.
        samples: generated samples of the setting; as many rows as ``fakes`` has, or 200.
        real: real samples of the setting; as many as there are unless given.
        fit: training samples of the setting; as many as there are unless given.
        setting: fast or full.
        seed: of the evaluation.
    """
    train = uniform(64, 2) if train is None else train
    test = uniform(len(train), *train.shape[1:], seed=1) if test is None else test
    data = _spec(name, train, labels, classes, range)
    latent = LatentSpec.parse(latent) if isinstance(latent, str) else latent
    if fakes is None:
        fakes = uniform(samples or 200, *data.shape, seed=2)
    sampler = ToldSampler(fakes, latent, data)
    networks = {"critic": critic or Told(latent.codes), "generator": sampler.generator}
    for network in networks.values():
        network.eval().requires_grad_(False)
    game = Game(ToldModel(), data, latent, networks, (), {}, objective or Silent())
    chosen = Setting(
        setting,
        samples=samples or (len(fakes) if isinstance(fakes, Tensor) else 200),
        real=real or max(len(train), len(test)),
        train=fit or len(train),
    )
    dataset = ToldData(data, {"train": (train, labels), "test": (test, test_labels)})
    run = _run(data, path or Path(f"runs/00001-told-{name}"))
    return Subject(run, game, sampler, dataset, None if extractor is None else extractor(data), chosen, seed)


class Told(Critic):
    """The sum of a sample's values is its realness, the values its features; each head says that nothing is known."""

    def __init__(self, recognises: LatentSpec | None = None) -> None:
        super().__init__()
        self.recognises = recognises or LatentSpec()

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        flat = samples.flatten(1)
        heads = {name: flat.new_zeros(len(flat), self.recognises.head_width(name)) for name in self.recognises}
        return Verdict(flat.sum(1), flat, heads)

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {"values": samples, "features": samples.flatten(1)}


class ToldSampler(Sampler):
    """A sampler that gives the samples it was told to give."""

    def __init__(self, fakes: Fakes, latent: LatentSpec, data: DataSpec) -> None:
        self.fakes, self.latent, self.data = fakes, latent, data
        self.generator = Shown(self)
        self.device, self.checkpoint = torch.device("cpu"), None

    def generate(self, latents: Latents, first: int = 0) -> Tensor:
        if not isinstance(self.fakes, Tensor):
            return self.fakes(latents).float()
        assert first + len(latents) <= len(self.fakes), "the test gives fewer fakes than the metric wants"
        return self.fakes[first : first + len(latents)].clone()

    def sample(self, n: int, seed: int = 0, first: int = 0, given: Mapping[str, Any] | None = None) -> Tensor:
        return self.generate(self.latent.sample(n, seed, first, given), first)

    def stream(self, n: int, seed: int = 0, first: int = 0, given: Mapping[str, Any] | None = None) -> Iterator[Tensor]:
        yield self.sample(n, seed, first, given)


class Shown(Generator):
    """The sampler's samples as a network; only fakes that are made of latents have one."""

    def __init__(self, sampler: ToldSampler) -> None:
        super().__init__()
        self.sampler = sampler

    def forward(self, latents: Tensor) -> Tensor:
        return self.sampler.generate(Latents(self.sampler.latent, latents))


class ToldData(SingleSource):
    """Samples that the test gives."""

    name: ClassVar[str] = "told"
    summary: ClassVar[str] = "what the test says"

    def __init__(self, spec: DataSpec, parts: Mapping[str, tuple[Tensor, Tensor | None]]) -> None:
        super().__init__()
        self._spec, self._parts = spec, parts

    @property
    def spec(self) -> DataSpec:
        return self._spec

    def load(self, part: Literal["train", "test"]) -> Split:
        values, classes = self._parts[part]
        labels = {} if classes is None else {"label": classes}
        return TensorSplit(values, labels, tensor_checksum(values, *labels.values()))


class ToldModel(Model):
    """A model in name alone."""

    name = "told"

    def latent(self, data: DataSpec) -> LatentSpec:
        return NOISE


class Silent(Objective):
    """Nothing is minimised."""

    def critic_terms(self, round: Any) -> Iterator[Any]:
        yield from ()


def _spec(
    name: str,
    train: Tensor,
    labels: Tensor | None,
    classes: Sequence[str] | None,
    range: tuple[float, float],
) -> DataSpec:
    shape = tuple(train.shape[1:])
    drawn_as = "image" if len(shape) == 3 and shape[0] in (1, 3) else "points" if shape == (2,) else "heatmap"
    specs = {}
    if labels is not None:
        counts = torch.bincount(labels[labels >= 0], minlength=len(classes or ())).double()
        names = classes or [f"class {index}" for index, _ in enumerate(counts)]
        specs = {"label": LabelSpec(classes=tuple(names), frequencies=tuple((counts / counts.sum()).tolist()))}
    return DataSpec(name=name, shape=shape, range=range, size=len(train), labels=specs, drawn_as=drawn_as)


def _run(data: DataSpec, path: Path) -> RunDirectory:
    config = RunConfig(model="told", data=data.name, images=64, batch=8, **default_schedule(64, 8))
    record = RunRecord(config=config, origins={}, data=data.model_dump(mode="json"), data_checksum="0" * 64, images=64)
    if path.is_absolute():
        path.mkdir(parents=True, exist_ok=True)
        (path / "run.json").write_text(record.text())
    return RunDirectory(path, record)
