"""What Python users call: configure, plan, train, resume, open; and the run that they get."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL.Image import Image
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.names import Names
from ganzoo.runs.record import RunRecord
from ganzoo.sampling import reconstruction
from ganzoo.sampling.sampler import Sampler
from ganzoo.sampling.traversal import Traversal
from ganzoo.training.configuration import Configured, Options, configure, prepare
from ganzoo.training.distributed import joined
from ganzoo.training.events import Observer
from ganzoo.training.plan import Plan
from ganzoo.training.start import begin, go_on
from ganzoo.training.summary import resume_command
from ganzoo.zoo.manager import Zoo, default_zoo

if TYPE_CHECKING:  # training has no need of it, and it takes a tenth of a second
    from ganzoo.evaluation.evaluate import Evaluation

__all__ = ["Configured", "Run", "build", "configure", "open", "plan", "resume", "start", "train"]


class Run:
    """A run directory, opened.

    Attributes:
        directory: its files.
        sampler: draws samples and traversals from the newest checkpoint's averaged generator.
    """

    def __init__(self, directory: RunDirectory, zoo: Zoo | None = None) -> None:
        self.directory = directory
        self._zoo = zoo or default_zoo()
        self._sampler: Sampler | None = None

    @property
    def path(self) -> Path:
        """The directory."""
        return self.directory.path

    @property
    def record(self) -> RunRecord:
        """What ``run.json`` says."""
        return self.directory.record

    @property
    def config(self) -> RunConfig:
        """Every setting of the run."""
        return self.record.config

    @property
    def data(self) -> DataSpec:
        """What the samples are."""
        return self.record.data_spec

    @property
    def sampler(self) -> Sampler:
        """Draws from the newest checkpoint's averaged generator; loaded when first used."""
        if self._sampler is None:
            self._sampler = Sampler(self.directory, self._zoo)
        return self._sampler

    @property
    def latent(self) -> LatentSpec:
        """The latent space."""
        return self.sampler.latent

    @property
    def resume_command(self) -> str:
        """What to type to go on."""
        return resume_command(self.path, self._zoo.files)

    def stats(self) -> list[dict[str, Any]]:
        """The statistics of every tick, in order."""
        return self.directory.stats()

    def sample(self, n: int, *, seed: int = 0, first: int = 0, **given: Any) -> Tensor:
        """Generate samples ``first`` to ``first + n`` of the endless series that belongs to a seed.

        Args:
            n: how many.
            seed: names the series.
            first: index of the first.
            **given: variables to pin: a class index or name, a value, or one of these a sample.

        Returns:
            (n, *shape), float32 on the CPU, in the data's range.

        Raises:
            UsageError: a variable or value does not exist.
        """
        return self.sampler.sample(n, seed=seed, first=first, given=given)

    def sheet(self, n: int | None = None, *, seed: int = 0, **given: Any) -> Image:
        """The default picture of samples: a row a class where there are classes, otherwise a square grid.

        Args:
            n: how many; None for ten a class, or a hundred.
            seed: names the series.
            **given: variables to pin, as in ``sample``.
        """
        return self.sampler.sheet(n, seed=seed, given=given)

    def traverse(
        self,
        variable: str | None = None,
        component: int | None = None,
        *,
        rows: int = 10,
        steps: int = 10,
        seed: int = 0,
        **given: Any,
    ) -> list[Traversal]:
        """Samples along one component of one variable at a time.

        Args:
            variable: its name; None for every code, or where there is none every condition, or else the noise.
            component: index of its component; None for all.
            rows: rows of different noise, where rows are not classes.
            steps: values of a continuous component.
            seed: of the noise.
            **given: other variables to pin, as in ``sample``.
        """
        return self.sampler.traverse(variable, component, rows=rows, steps=steps, seed=seed, given=given)

    def encode(self, samples: Tensor) -> Latents:
        """The latents that the encoder gives samples, (N, *shape) in the data's range.

        Raises:
            UsageError: the model has no encoder, or these are not samples of its data.
        """
        return reconstruction.encode(self.sampler, samples)

    def reconstruct(self, samples: Tensor) -> Tensor:
        """What the generator makes of the latents that the encoder gives samples.

        Args:
            samples: (N, *shape), in the data's range.

        Returns:
            (N, *shape), float32 on the CPU, in the data's range; row k depends on sample k alone.

        Raises:
            UsageError: the model has no encoder, or these are not samples of its data.
        """
        return reconstruction.reconstruct(self.sampler, samples)

    def evaluate(
        self,
        *metrics: str,
        full: bool = False,
        extractor: str | None = None,
        samples: int | None = None,
        seed: int = 0,
    ) -> "Evaluation":
        """Measure the newest checkpoint, and add the scores to the run's ``metrics.jsonl``.

        Args:
            *metrics: names of metrics; by default all that the setting includes.
            full: more samples, and the slow metrics too.
            extractor: name of the features to measure in; by default the one that is meant for such data.
            samples: generated samples, instead of the setting's number.
            seed: of the generated samples.

        Raises:
            UsageError: there is no such metric or extractor, or it does not take such samples.
            RunError: the data have changed or cannot be read, or an extractor's weights cannot be had.
        """
        from ganzoo.evaluation.evaluate import evaluate

        return evaluate(
            self.directory, self._zoo, metrics=metrics, full=full, extractor=extractor, samples=samples, seed=seed
        )

    def name(
        self, names: Mapping[str, Sequence[str]] | None = None, *, labels: int = 100, variable: str | None = None
    ) -> Names:
        """Name the classes of a categorical code; samples, sheets and reports use the names from then on.

        Args:
            names: by variable the name of each class; None finds them from a few labelled training samples.
            labels: how many of these.
            variable: the code; the only categorical one unless given.

        Returns:
            Every name that the run has now.

        Raises:
            UsageError: there is no such code, no label, or the names are not one a class.
        """
        from ganzoo.evaluation.naming import name_categories, set_names

        self._sampler = None  # the next one reads the names
        if names is not None:
            return set_names(self.directory, self._zoo, names)
        return name_categories(self.directory, self._zoo, labels, variable)

    def __repr__(self) -> str:
        record = self.record
        return f"Run({str(self.path)!r}: {record.config.model}, {record.status} at {record.images:,} images)"


def build(model: str | type[Model], data: str | None = None, **options: Any) -> Game:
    """Put a model together for a data set, untrained; printed, it is the model's documentation.

    Raises:
        UsageError: a name or option is wrong.
    """
    configured = configure(model, data=data, options=options)
    return Game.build(configured.model, configured.dataset.spec, configured.config.seed)


def plan(configured: Configured) -> Plan:
    """Build everything and play one round in memory; no file is written.

    Raises:
        UsageError: model and data do not go together.
        RunError: the round's losses are not finite, or the data cannot be read.
    """
    made, trainer = prepare(configured, joined())
    trainer.play_round()
    trainer.check_finite()
    return made


def start(
    configured: Configured, *, out: Path | str = "runs", observer: Observer | None = None, command: str = ""
) -> Run:
    """Train in a new run directory.

    Args:
        configured: what to do.
        out: folder of the runs.
        observer: whom to tell of the progress.
        command: what the user typed, for the record.

    Raises:
        UsageError: model and data do not go together; nothing was written.
        RunError: the run failed; its directory says why.
    """
    directory = begin(configured, out=out, observer=observer, command=command)
    return Run(directory, configured.zoo)


def resume(
    which: Path | str | int,
    *,
    out: Path | str = "runs",
    flags: Mapping[str, Any] | None = None,
    options: Options = (),
    data_options: Options = (),
    observer: Observer | None = None,
    zoo: Zoo | None = None,
) -> Run:
    """Go on with a run from its newest good checkpoint, as if it had never stopped.

    Args:
        which: the run's directory, number or name.
        out: folder of the runs.
        flags: settings; only the budget (``images`` or ``epochs``) may differ, and only upwards.
        options: the model's options; none may differ.
        data_options: the data set's options; none may differ.
        observer: whom to tell of the progress.
        zoo: where models and data sets are looked up.

    Raises:
        UsageError: there is no such run, or a setting differs.
        RunError: the run cannot go on.
    """
    zoo = zoo or default_zoo()
    directory = go_on(which, zoo, out=out, flags=flags, options=options, data_options=data_options, observer=observer)
    return Run(directory, zoo)


def train(
    model: str | type[Model],
    data: str | None = None,
    *,
    images: int | str | None = None,
    epochs: float | None = None,
    batch: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    graph: str | None = None,
    save_every: int | str | None = None,
    data_options: Mapping[str, Any] | None = None,
    out: Path | str = "runs",
    observer: Observer | None = None,
    **options: Any,
) -> Run:
    """Train a model in a new run directory, and open it.

    Args:
        model: name in the zoo, with a recipe's name after ``@`` if it is not the default one; or a class.
        data: name of a data set, or path of a folder of images; what ``ganzoo.toml`` says, or else MNIST,
            unless given.
        images: budget in real samples, such as 640_000 or "640k"; the recipe's unless given.
        epochs: the budget in passes over the data, instead of ``images``.
        batch: samples a turn.
        seed: what all randomness is derived from.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        precision: ``auto``, ``fp32`` or ``bf16``.
        graph: ``auto``, ``on`` or ``off``: whether a CUDA graph plays the rounds.
        save_every: images between checkpoints.
        data_options: the data set's options by name.
        out: folder of the runs.
        observer: whom to tell of the progress.
        **options: the model's options by name.

    Raises:
        UsageError: a name, setting or option is wrong; nothing was written.
        RunError: the run failed; its directory says why.
    """
    flags = {
        "images": images,
        "epochs": epochs,
        "batch": batch,
        "seed": seed,
        "device": device,
        "precision": precision,
        "graph": graph,
        "save_every": save_every,
    }
    configured = configure(model, data=data, flags=flags, options=options, data_options=data_options or {})
    return start(configured, out=out, observer=observer)


def open(which: Path | str | int, out: Path | str = "runs", *, zoo: Zoo | None = None) -> Run:
    """Open a run by its directory, its number, the beginning of its name, or as ``latest`` within ``out``.

    Raises:
        UsageError: there is no such run.
        RunError: its record is damaged, or from a newer ganzoo.
    """
    return Run(RunDirectory.open(which, out), zoo)
