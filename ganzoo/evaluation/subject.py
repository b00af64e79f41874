"""What a metric may ask of a run and its data; whatever takes time is done once and shared by all metrics."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Verdict
from ganzoo.core.data import Dataset, DataSpec, Samples, Split
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.latents import Latents
from ganzoo.core.round import condition_of_labels
from ganzoo.core.streams import generator
from ganzoo.data.batches import to_range
from ganzoo.evaluation.batch_statistics import ENOUGH, batch_layers, settled
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.setting import FAST, Setting
from ganzoo.models.game import Game
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.sampler import Sampler

__all__ = ["Part", "Subject"]

T = TypeVar("T")
Part = Literal["train", "test"]
CHUNK = 500
"""Samples that pass through a network at once; bounds memory, changes no result."""


class Subject:
    """A trained run under evaluation, with its data and an extractor.

    Generated samples are those of ``Sampler.sample`` under ``seed``, from the averaged generator; the critic
    is of the same checkpoint, averaged too where the model has it so. Nothing here changes a network.

    Args:
        run: the run.
        game: its model; the networks have the checkpoint's weights.
        sampler: its sampler.
        dataset: the data that it was trained on.
        extractor: features to measure in, None where there are none for such data.
        setting: how much to use.
        seed: of the generated samples and every random choice of a metric.
        averaged: whether the critic's weights are averaged ones.

    Attributes:
        data: what the samples are.
        latent: the latent space; categories that have been named have their names.
    """

    def __init__(
        self,
        run: RunDirectory,
        game: Game,
        sampler: Sampler,
        dataset: Dataset,
        extractor: Extractor | None,
        setting: Setting = FAST,
        seed: int = 0,
        averaged: bool = True,
    ) -> None:
        self.averaged = averaged
        self.run, self.game, self.sampler, self.dataset = run, game, sampler, dataset
        self.setting, self.seed = setting, seed
        self._extractor = extractor
        self.data: DataSpec = game.data
        self.latent: LatentSpec = sampler.latent
        self._known: dict[tuple[Any, ...], Any] = {}
        self._fakes = torch.empty(0)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.sampler.device

    @property
    def critic(self) -> nn.Module:
        """The critic in evaluation mode, its batch statistics those of real training and generated samples alike."""
        return self._critic[0]

    @property
    def critic_protocol(self) -> str:
        """What protocols say of the critic: whose weights, and whose batch statistics."""
        return self._critic[1]

    @property
    def _critic(self) -> tuple[nn.Module, str]:
        return self.once(("critic",), self._settled)

    @property
    def extractor(self) -> Extractor:
        """The extractor.

        Raises:
            Unavailable: there is none for such data.
        """
        if self._extractor is None:
            raise Unavailable(
                f"no extractor is the default for {self.data.name} samples; choose one, as in --extractor inception"
            )
        return self._extractor

    @property
    def extractor_identity(self) -> tuple[str | None, str | None]:
        """Name and SHA-256 of the extractor, as far as there are any."""
        return self._extractor.identity if self._extractor is not None else (None, None)

    @property
    def label(self) -> str:
        """Name of the data's first label.

        Raises:
            Unavailable: the data have no labels.
        """
        for name in self.data.labels:
            return name
        raise Unavailable(f"data set {self.data.name} has no labels")

    def generator(self, *key: int | str) -> torch.Generator:
        """A random generator on the CPU for a metric's own choices; the same for the same key and seed."""
        return generator(self.seed, "evaluation", *key)

    def at_least(self, needed: int, got: int, what: str) -> None:
        """Guard against a number that would mean nothing; ``what`` says of what there are too few.

        Raises:
            Unavailable: there are fewer than needed.
        """
        if got < needed:
            way_out = "; raise --samples" if what.startswith("generated") else ""
            raise Unavailable(f"needs at least {needed:,} {what}, and got {got:,}{way_out}")

    def real(self, part: Part, n: int | None = None) -> Samples:
        """Real samples in a fixed random order, so that any first n of them are a fair choice.

        Args:
            part: the split.
            n: how many, at most; None for as many as the setting says.

        Returns:
            Values (m, *shape), float32 on the CPU in the data's range, and labels (m,), -1 where unknown.

        Raises:
            Unavailable: the data have no such split.
        """
        n = self.setting.real if n is None else n
        split = self._split(part)
        return self.once(("real", part, n), lambda: self._read(split, self._order(part)[:n]))

    def labelled(self, part: Part, n: int | None = None) -> tuple[Tensor, Tensor]:
        """Real samples whose class is known, in the order of ``real``: those of it, unless labels are missing.

        Args:
            part: the split.
            n: how many, at most; None for as many as the setting says.

        Returns:
            Values (m, *shape), and classes (m,) of the first label.

        Raises:
            Unavailable: there are none.
        """
        n = self.setting.real if n is None else n
        split = self._split(part)
        if self.label not in split.labels:
            raise Unavailable(f"the {part} split of {self.data.name} has no labels")
        order = self._order(part)
        known = order[split.labels[self.label][order] >= 0]
        if not len(known):
            raise Unavailable(f"no sample of the {part} split of {self.data.name} has a known label")
        if len(known) == len(order):
            samples = self.real(part, n)
        else:
            samples = self.once(("labelled", part, n), lambda: self._read(split, known[:n]))
        return samples.values, samples.labels[self.label]

    def latents(self, n: int | None = None) -> Latents:
        """The latents of ``fakes``, drawn from the prior: codes and conditions as they come."""
        n = self.setting.samples if n is None else n
        return self.once(("latents", n), lambda: self.latent.sample(n, self.seed))

    def fakes(self, n: int | None = None) -> Tensor:
        """Generated samples (n, *shape), float32 on the CPU; as many as the setting says unless given."""
        n = self.setting.samples if n is None else n
        if len(self._fakes) < n:
            self._fakes = self.sampler.generate(self.latents(n))
        return self._fakes[:n]

    def asked(self, n: int | None = None) -> Tensor | None:
        """The conditions that ``fakes`` were made for, (n, W); None where the model has none."""
        return _conditions(self.latents(n))

    def conditioned(self, part: Part) -> tuple[Tensor, Tensor | None]:
        """Real samples with the conditions that their labels make, if the model has any.

        Returns:
            Values (m, *shape) and conditions (m, W), of those among ``real`` whose labels are all known.

        Raises:
            Unavailable: the data lack a label that is a condition.
        """
        values, labels = self.real(part)
        names = self.latent.conditions.names
        if missing := [name for name in names if name not in labels]:
            raise Unavailable(f"the {part} split of {self.data.name} has no label {missing[0]} to show the critic")
        known = torch.ones(len(values), dtype=torch.bool)
        for name in names:
            known &= labels[name] >= 0
        samples = Samples(values[known], {name: classes[known] for name, classes in labels.items()})
        return samples.values, condition_of_labels(self.latent, samples)

    def noise(self, n: int) -> Tensor:
        """Uniform noise (n, *shape) in the data's range: what a distance says of no picture at all."""
        low, high = self.data.range
        values = torch.rand(n, *self.data.shape, generator=self.generator("noise"))
        return values.mul_(high - low).add_(low)

    def features(self, samples: Tensor) -> Features:
        """Features and logits of samples (N, *shape), float32 on the CPU.

        Raises:
            Unavailable: there is no extractor for such data.
        """
        extractor = self.extractor
        return Features(*self._in_chunks(lambda chunk: tuple(extractor(chunk)), samples))

    def real_features(self, part: Part, n: int | None = None) -> Features:
        """``features`` of ``real``, kept."""
        n = self.setting.real if n is None else n
        return self.once(("real features", part, n), lambda: self.features(self.real(part, n).values))

    def fake_features(self, n: int | None = None) -> Features:
        """``features`` of ``fakes``, kept."""
        n = self.setting.samples if n is None else n
        return self.once(("fake features", n), lambda: self.features(self.fakes(n)))

    def noise_features(self, n: int | None = None) -> Features:
        """``features`` of ``noise``, kept."""
        n = self.setting.samples if n is None else n
        return self.once(("noise features", n), lambda: self.features(self.noise(n)))

    def judge(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        """The critic's verdict on samples (N, *shape), in evaluation mode, on the CPU.

        Args:
            samples: the samples.
            condition: (N, W), where the critic sees one.
        """
        critic = self.critic
        names: list[str] = []

        def verdict(chunk: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
            realness, features, recognised = critic(chunk, condition)
            names[:] = recognised
            return (realness, features, *recognised.values())

        realness, features, *parameters = self._in_chunks(verdict, samples, condition)
        return Verdict(realness, features, dict(zip(names, parameters, strict=True)))

    def layers(self, samples: Tensor, reduce: Callable[[Tensor], Tensor] = lambda map: map) -> dict[str, Tensor]:
        """The critic's maps by layer name, each reduced a chunk at a time, on the CPU.

        Args:
            samples: (N, *shape).
            reduce: from one layer's map (n, …) to what is kept of it (n, …), such as an average over pixels.

        Raises:
            Unavailable: the critic sees a condition, so a sample alone has no features.
        """
        critic = self.critic
        names: list[str] = []

        def maps(chunk: Tensor) -> tuple[Tensor, ...]:
            found = critic.layers(chunk)  # type: ignore[operator]
            names[:] = found
            return tuple(reduce(value) for value in found.values())

        try:
            values = self._in_chunks(maps, samples)
        except ValueError as error:  # it sees a condition
            raise Unavailable(f"the critic has no features of a sample alone: {error}") from error
        return dict(zip(names, values, strict=True))

    def once(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What ``make`` gives, made for the first metric that asks under this key and kept for the others."""
        if key not in self._known:
            self._known[key] = make()
        known: T = self._known[key]
        return known

    def score(self, name: str, value: float, protocol: str, *, features: bool = False, **more: Any) -> Score:
        """A score; one that rests on the extractor's features names it."""
        score = Score(name=name, value=float(value), protocol=protocol, **more)
        if not features:
            return score
        extractor, sha256 = self.extractor.identity
        said = f"{extractor} features" + (f" ({sha256[:8]})" if sha256 else "")
        more = {"protocol": f"{said}, {protocol}", "extractor": extractor, "extractor_sha256": sha256}
        return score.model_copy(update=more)

    def _settled(self) -> tuple[nn.Module, str]:
        critic, whose = self.game.networks["critic"], f"{'averaged' if self.averaged else 'last'} critic"
        # Said of a critic without any too, so that scores of both can be compared.
        said = f"{whose}, any batch statistics of up to {ENOUGH:,} training and as many generated samples"
        if not batch_layers(critic):
            return critic, said
        real = self._read(self._split("train"), self._order("train")[:ENOUGH])
        if (count := len(real.values)) < 2:  # which have no variance
            return critic, whose
        latents = self.latent.sample(count, self.seed)
        kinds = (
            (real.values, condition_of_labels(self.latent, real)),
            (self.sampler.generate(latents), _conditions(latents)),
        )
        return settled(critic, kinds, self.device), said

    def _split(self, part: Part) -> Split:
        try:
            split = self.dataset.split(part, self.data.sources[0])
        except (RunError, UsageError) as error:  # such as a folder of images with none kept for testing
            raise Unavailable(f"{self.data.name} has no {part} split that can be used: {error}") from error
        if not len(split):
            raise Unavailable(f"the {part} split of {self.data.name} is empty")
        return split

    def _order(self, part: Part) -> Tensor:
        """The order in which samples of a split are taken, (M,)."""
        size = len(self._split(part))
        return self.once(("order", part), lambda: torch.randperm(size, generator=self.generator("real", part)))

    def _read(self, split: Split, chosen: Tensor) -> Samples:
        held = split.tensor()
        stored = held[chosen] if held is not None else split.rows(chosen)
        labels = {name: classes[chosen] for name, classes in split.labels.items()}
        return Samples(to_range(stored, self.data), labels)

    @torch.no_grad()
    def _in_chunks(
        self, function: Callable[..., Iterable[Tensor | None]], samples: Tensor, *beside: Tensor | None
    ) -> list[Any]:
        """What a function makes of rows, a chunk of them at a time, joined on the CPU; None stays None."""
        parts = []
        for start in range(0, len(samples), CHUNK):
            rows = slice(start, start + CHUNK)
            moved = [None if each is None else each[rows].to(self.device) for each in (samples, *beside)]
            parts.append([None if part is None else part.float().cpu() for part in function(*moved)])
        return [None if column[0] is None else torch.cat(column) for column in zip(*parts, strict=True)]


def _conditions(latents: Latents) -> Tensor | None:
    """The conditions among latents, side by side."""
    parts = [latents[name] for name in latents.spec.conditions]
    return torch.cat(parts, dim=1) if parts else None
