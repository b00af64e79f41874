"""The sampler: samples from a trained generator, the same ones however they are asked for."""

import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor, nn

from ganzoo.core.data import DataSpec, validation_sentence
from ganzoo.core.encoder import Encoder
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.models.game import Game
from ganzoo.runs.checkpoint import Checkpoint, latest
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import check_size, model_of
from ganzoo.runs.names import FILE, read_names
from ganzoo.sampling.chunks import CHUNK, cuts, generate_chunk, joined
from ganzoo.sampling.pictures import grid
from ganzoo.sampling.traversal import Order, Traversal, between, row_classes, traverse
from ganzoo.zoo.manager import Zoo

__all__ = ["Sampler"]

_TALLEST = 4  # times as high as wide


class Sampler:
    """Draws from a trained generator: evaluation mode, no gradients, nothing in the generator changed.

    The samples of a seed are an endless series. Sample k depends on the seed and on k alone, bit for bit
    on one machine: not on how many are asked for, from where on, or in which batches.

    Args:
        run: the run; its newest whole checkpoint is used, with a warning where a newer one is damaged.
        zoo: where the run's model is looked up.
        device: where to compute, such as ``cpu`` or ``cuda:1``.
        averaged: use the weights averaged over the run, which make better samples, not the last ones; an exported run
            has no others.

    Attributes:
        generator: latents (N, D) to samples (N, *shape).
        encoder: samples (N, *shape) to latents (N, D), where the model has one; see ``reconstruction``.
        latent: the latent space; categories that ``ganzoo name`` has named have their names.
        order: the categories in the order of the classes that they stand for, by variable, where that is known.
        data: what the samples are.
        device: where the generator is.
        checkpoint: where its weights come from; None for a generator that is not from a run.

    Raises:
        UsageError: the run's model is not installed, or the device is not there.
        RunError: the run has no checkpoint that is whole, or one of another model, or its names are damaged.
    """

    generator: nn.Module
    encoder: Encoder | None = None
    latent: LatentSpec
    order: Order = MappingProxyType({})
    data: DataSpec
    device: torch.device
    checkpoint: Checkpoint | None

    def __init__(self, run: RunDirectory, zoo: Zoo, device: torch.device | str = "cpu", averaged: bool = True) -> None:
        self.checkpoint = latest(run)
        for complaint in self.checkpoint.damaged:
            warnings.warn(f"{complaint}; using {self.checkpoint.path} instead", stacklevel=2)
        try:
            check_size(run, zoo, self.checkpoint)
        except RunError as error:
            raise _with_versions(error, run) from error
        game = _rebuild(run, zoo)
        names = read_names(run)
        try:
            self.latent, self.order, self.data = names.applied(game.latent), names.order, game.data
        except UsageError as error:
            file = run.path / FILE
            raise RunError(
                f"{file} does not fit the run ({error}); remove it, and name the categories again"
            ) from error
        self.generator = game.networks["generator"]
        used = {"generator": self.generator}
        encoder = game.networks.get("encoder")
        if isinstance(encoder, Encoder):
            self.encoder = used["encoder"] = encoder
        try:
            for name, network in used.items():
                wanted = averaged and name in game.model.averaged
                stem = "averaged" if wanted or not self.checkpoint.complete else "networks"
                self.checkpoint.restore(stem, {name: network})
        except RunError as error:
            raise _with_versions(error, run) from error
        # As in training, so that a sample is bit for bit the one that was previewed.
        layout = torch.channels_last if self.data.is_image else torch.contiguous_format
        try:
            for network in used.values():
                network.to(device, memory_format=layout)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise UsageError(f"device {str(device)!r} cannot be used here; choose cpu") from error
        self.device = torch.device(device)

    @classmethod
    def of(cls, generator: nn.Module, latent: LatentSpec, data: DataSpec) -> Self:
        """A sampler of a generator at hand, such as one that is being trained; it stays where it is.

        Args:
            generator: latents (N, D) to samples (N, *shape).
            latent: its latent space.
            data: what the samples are.
        """
        sampler = cls.__new__(cls)
        sampler.generator, sampler.latent, sampler.data, sampler.checkpoint = generator, latent, data, None
        parameter = next(generator.parameters(), None)
        sampler.device = torch.device("cpu") if parameter is None else parameter.device
        return sampler

    def sample(self, n: int, seed: int = 0, first: int = 0, given: Mapping[str, Any] | None = None) -> Tensor:
        """Samples ``first`` to ``first + n`` of the series that belongs to a seed.

        Args:
            n: how many, at least 1.
            seed: names the series.
            first: index of the first.
            given: variables to pin, by name: a class index or name, a value, or one of these a sample (see
                ``LatentSpec.sample``). Pinning one changes no other.

        Returns:
            (n, *shape), float32 on the CPU, in the data's range.

        Raises:
            UsageError: there is no such variable, class or value, or a count is impossible.
        """
        return joined(self.stream(n, seed, first, given), n, self.data.shape)

    def stream(self, n: int, seed: int = 0, first: int = 0, given: Mapping[str, Any] | None = None) -> Iterator[Tensor]:
        """The same samples in batches of at most 64, in memory that does not grow with ``n``.

        Args:
            n: how many, at least 1.
            seed: names the series.
            first: index of the first.
            given: variables to pin, as in ``sample``.

        Returns:
            (m, *shape) each, n samples in all.

        Raises:
            UsageError: as in ``sample``, and at once.
        """
        pinned_space = LatentSpec(**{name: self.latent[name] for name in given or {}})
        pinned = pinned_space.sample(n, seed, first, given)

        def batches() -> Iterator[Tensor]:
            for rows in cuts(n, first):
                start = first + rows.start
                latents = self.latent.sample(rows.stop - rows.start, seed, start)
                for name in pinned_space:
                    latents[name].copy_(pinned[name][rows])
                yield generate_chunk(self.generator, latents.flat, start % CHUNK, self.device)

        return batches()

    def generate(self, latents: Latents, first: int = 0) -> Tensor:
        """Samples of given latents.

        Args:
            latents: N latents of this latent space, on any device.
            first: index of the first in its series; what ``latent.sample(n, seed, first)`` gives becomes
                what ``sample(n, seed, first)`` gives.

        Returns:
            (N, *shape), float32 on the CPU, in the data's range.
        """
        batches = (
            generate_chunk(self.generator, latents.flat[rows], (first + rows.start) % CHUNK, self.device)
            for rows in cuts(len(latents), first)
        )
        return joined(batches, len(latents), self.data.shape)

    def sheet(self, n: int | None = None, seed: int = 0, given: Mapping[str, Any] | None = None) -> Image.Image:
        """The default picture of samples.

        Where the latent space has a categorical code or condition that is not given, each of its classes
        has a row, unless ``n`` cannot be divided so into a picture of decent proportions; the noise differs
        everywhere. Otherwise it is a square grid.

        Args:
            n: how many samples; None for ten a class, or a hundred (ten times as many points).
            seed: names the series.
            given: variables to pin, as in ``sample``.

        Raises:
            UsageError: as in ``sample``.
        """
        given = given or {}
        many = 10 if self.data.drawn_as == "points" else 1
        found = row_classes(self.latent, given, self.order)
        if found is not None:
            name, labels = found
            columns, rest = divmod(n, len(labels)) if n is not None else (10 * many, 0)
            if columns >= 1 and rest == 0 and len(labels) <= _TALLEST * columns:
                classes = [index for index in labels for _ in range(columns)]
                samples = self.sample(len(classes), seed, given={**given, name: classes})
                return grid(samples, self.data, columns, tuple(labels.values()))
        return grid(self.sample(100 * many if n is None else n, seed, given=given), self.data)

    def traverse(
        self,
        name: str | None = None,
        component: int | None = None,
        *,
        rows: int = 10,
        steps: int = 10,
        seed: int = 0,
        given: Mapping[str, Any] | None = None,
    ) -> list[Traversal]:
        """Samples along one component of one variable after the other; see ``traversal.traverse``.

        Args:
            name: the variable; None for every code, where there is none every condition, then the noise.
            component: index of its component; None for all (of noise, the first few).
            rows: rows of different noise, where rows are not the classes of a code or condition.
            steps: values of a continuous component; columns for a categorical variable.
            seed: of the noise.
            given: other variables to pin, as in ``sample``.

        Returns:
            One traversal for each variable and component.

        Raises:
            UsageError: there is no such variable, component or value, or a count is below 1.
        """
        return traverse(
            self.generate,
            self.latent,
            self.data,
            name,
            component,
            rows=rows,
            steps=steps,
            seed=seed,
            given=given,
            order=self.order,
        )

    def interpolate(
        self, steps: int = 10, rows: int = 10, seed: int = 0, given: Mapping[str, Any] | None = None
    ) -> Tensor:
        """Ways from samples 0 to ``rows`` of a seed to the ``rows`` that follow them.

        Noise turns from one end to the other, other continuous variables move straight, and classes stay
        those of the first end (see ``traversal.between``).

        Args:
            steps: samples on each way, both ends included.
            rows: number of ways.
            seed: names the series.
            given: variables to pin, as in ``sample``; one value a way where there are several.

        Returns:
            (rows, steps, *shape), float32 on the CPU, in the data's range.

        Raises:
            UsageError: as in ``sample``, or there are fewer than 2 steps.
        """
        start = self.latent.sample(rows, seed, 0, given)
        end = self.latent.sample(rows, seed, rows, given)
        samples = self.generate(between(start, end, steps))
        return samples.view(rows, steps, *self.data.shape)


def _rebuild(run: RunDirectory, zoo: Zoo) -> Game:
    """The model of a run, with the weights it began with."""
    config = run.record.config
    try:
        data = run.record.data_spec
    except ValidationError as error:
        file = run.path / "run.json"
        raise RunError(f"the data in {file} are damaged: {validation_sentence(error)}") from error
    return Game.build(model_of(run, zoo)(**config.options), data, config.seed)


def _with_versions(error: RunError, run: RunDirectory) -> RunError:
    """The error for a checkpoint that does not fit, with the way out."""
    made = ", ".join(f"{name} {version}" for name, version in run.record.versions.items())
    return RunError(f"{error}; sample it with the versions that it was trained with ({made}), or train again")
