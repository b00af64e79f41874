"""What Python users call: configure, plan, train, resume, open; and the run that they get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec
from ganzoo.core.errors import RunError, UsageError, unknown
from ganzoo.core.latent import LatentSpec
from ganzoo.data.open import lasting_name, open_dataset
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.models.options import ModelOptions
from ganzoo.runs import checkpoint
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.runs.resolve import resolve
from ganzoo.runs.settings import Layer, epochs_to_images, flag_layer, option_layer, read_toml
from ganzoo.sampling.sampler import Sampler
from ganzoo.sampling.traversal import Traversal
from ganzoo.training.events import Observer
from ganzoo.training.hardware import Hardware
from ganzoo.training.plan import Plan
from ganzoo.training.session import Session
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.catalogue import DEFAULT
from ganzoo.zoo.manager import Zoo, default_zoo

__all__ = ["Configured", "Run", "build", "configure", "open", "plan", "resume", "start", "train"]

SETTINGS_FILE = "ganzoo.toml"
Options = Sequence[str] | Mapping[str, Any]


@dataclass(frozen=True)
class Configured:
    """A run whose every setting is resolved.

    Attributes:
        config: the settings.
        origins: where each comes from, by dotted key.
        model: the model with its options.
        dataset: the data set with its options.
        zoo: where both were found.
    """

    config: RunConfig
    origins: dict[str, str]
    model: Model
    dataset: Dataset
    zoo: Zoo


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
        return f"ganzoo train --resume {quote(str(self.path))}"

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

    def traverse(
        self, variable: str | None = None, *, rows: int = 10, steps: int = 10, seed: int = 0
    ) -> list[Traversal]:
        """Samples along one variable at a time; all codes unless one is named."""
        return self.sampler.traverse(variable, rows=rows, steps=steps, seed=seed)

    def __repr__(self) -> str:
        record = self.record
        return f"Run({str(self.path)!r}: {record.config.model}, {record.status} at {record.images:,} images)"


def configure(
    model: str,
    *,
    data: str | None = None,
    flags: Mapping[str, Any] | None = None,
    options: Options = (),
    data_options: Options = (),
    config: Path | None = None,
    zoo: Zoo | None = None,
) -> Configured:
    """Resolve every setting of a run, and make its model and data set.

    Built-in defaults < the model's options < the recipe < ``ganzoo.toml`` in the working directory <
    ``config`` < ``data`` and ``flags`` < ``options``.

    Args:
        model: name in the zoo, with a recipe's name after ``@`` if it is not the default one.
        data: name of a data set, or path of a folder of images.
        flags: settings by name; None where not given. ``epochs`` stands for ``images``.
        options: the model's options, as ``key=value`` or by name.
        data_options: the data set's options, likewise.
        config: a settings file like ``ganzoo.toml``.
        zoo: where models and data sets are looked up.

    Raises:
        UsageError: a name, setting, option or file is wrong.
    """
    zoo = zoo or default_zoo()
    name, _, recipe_name = model.partition("@")
    model_class = zoo.model(name)
    name = model_class.name
    given = dict(flags or {})
    epochs = given.pop("epochs", None)
    files = [Path(SETTINGS_FILE)] if Path(SETTINGS_FILE).is_file() else []
    files += [config] if config is not None else []
    layers = [layer for file in files for layer in read_toml(file, name)]
    layers += [flag_layer({"data": data, **given})]
    layers += [as_layer(data_options, "-d", "data_options"), as_layer(options, "-o", "options")]
    data = [layer.values["data"] for layer in [DEFAULTS, *layers] if "data" in layer.values][-1]
    layers = [DEFAULTS, *recipe_layers(zoo, name, recipe_name, data), *layers]
    wanted = {
        key.removeprefix("data_options."): value
        for layer in layers
        for key, value in layer.values.items()
        if key.startswith("data_options.")
    }
    dataset = open_dataset(zoo, data, **wanted)
    if epochs is not None:
        if given.get("images") is not None:
            raise UsageError("--images and --epochs both set the budget; give one of them")
        images = epochs_to_images(epochs, dataset.spec.size)
        layers.append(Layer("--epochs", {"images": images}))
    resolved, origins = resolve(layers, model_class.Options)
    resolved = resolved.model_copy(update={"data": lasting_name(data, dataset)})
    return Configured(resolved, origins, model_class(**resolved.options), dataset, zoo)


DEFAULTS = Layer("default", {"data": "mnist"})


def recipe_layers(zoo: Zoo, model: str, recipe: str, data: str) -> list[Layer]:
    """The model's name and the settings of the recipe, if the catalogue has one for this data."""
    chosen = Layer("the command line", {"model": model})
    entry = zoo.catalogue.models.get(model)
    if entry is None:
        if recipe:
            raise unknown(f"recipe of {model}", recipe, [])
        return [chosen]
    found = entry.recipe(data, recipe or DEFAULT)
    if found is None:
        return [chosen]
    values = {f"options.{key}": value for key, value in found.options.items()}
    values |= {"images": found.images, "batch": found.batch, "recipe": recipe or DEFAULT}
    return [chosen, Layer(f"recipe {model}@{recipe or DEFAULT}", values)]


def as_layer(options: Options, flag: str, table: str) -> Layer:
    """Options as text or by name, as a layer of settings."""
    if isinstance(options, Mapping):
        values = {f"{table}.{key}": value for key, value in options.items()}
        return Layer("the call", values)
    return option_layer(options, flag, table)


def build(model: str, data: str = "mnist", **options: Any) -> Game:
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
    made, trainer = prepare(configured)
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
    made, trainer = prepare(configured)
    splits = trainer.splits
    record = RunRecord(
        config=configured.config,
        origins=configured.origins,
        data=configured.dataset.spec.model_dump(mode="json"),
        data_checksum=checksum_of(splits),
        command=command,
    )
    directory = RunDirectory.create(out, record)
    with directory.lock():
        Session(made, trainer, directory, observer or Observer()).play()
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
    directory = RunDirectory.open(which, out)
    with directory.lock():
        record = directory.record
        model_class = zoo.model(record.config.model)
        dataset = open_dataset(zoo, record.config.data, **record.config.data_options)
        layers = [as_layer(data_options, "-d", "data_options"), as_layer(options, "-o", "options")]
        config = resumed_config(record, model_class.Options, dataset.spec.size, flags or {}, layers)
        configured = Configured(config, record.origins, model_class(**config.options), dataset, zoo)
        made, trainer = prepare(configured)
        if checksum_of(trainer.splits) != record.data_checksum:
            raise RunError(
                f"the data of {directory.path.name} have changed since it started (their checksum differs), so it "
                "cannot go on as if it had never stopped; put the old data back, or start a new run"
            )
        if any(directory.checkpoints.glob("[0-9]*")):
            trainer.restore(checkpoint.latest(directory))
        directory.trim_stats(trainer.images)
        directory.update(config=config)
        Session(made, trainer, directory, observer or Observer()).play()
    return Run(directory, zoo)


def train(
    model: str,
    data: str = "mnist",
    *,
    images: int | str | None = None,
    epochs: float | None = None,
    batch: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    save_every: int | str | None = None,
    data_options: Mapping[str, Any] | None = None,
    out: Path | str = "runs",
    observer: Observer | None = None,
    **options: Any,
) -> Run:
    """Train a model in a new run directory, and open it.

    Args:
        model: name in the zoo, with a recipe's name after ``@`` if it is not the default one.
        data: name of a data set, or path of a folder of images.
        images: budget in real samples, such as 640_000 or "640k"; the recipe's unless given.
        epochs: the budget in passes over the data, instead of ``images``.
        batch: samples a turn.
        seed: what all randomness is derived from.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        precision: ``auto``, ``fp32`` or ``bf16``.
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
        "save_every": save_every,
    }
    configured = configure(model, data=data, flags=flags, options=options, data_options=data_options or {})
    return start(configured, out=out, observer=observer)


def open(which: Path | str | int, out: Path | str = "runs") -> Run:
    """Open a run by its directory, its number, or the beginning of its name within ``out``.

    Raises:
        UsageError: there is no such run.
        RunError: its record is damaged, or from a newer ganzoo.
    """
    return Run(RunDirectory.open(which, out))


def prepare(configured: Configured) -> tuple[Plan, Trainer]:
    """Build the game and its trainer; nothing is written."""
    config = configured.config
    hardware = Hardware.choose(config.device, config.precision)
    hardware.prepare()
    game = Game.build(configured.model, configured.dataset.spec, config.seed)
    splits = {source: configured.dataset.split("train", source) for source in game.data.sources}
    made = Plan(game, config, configured.origins, hardware, game.notes)
    return made, Trainer(game, splits, config, hardware)


def checksum_of(splits: Mapping[str, Any]) -> str:
    """The checksums of every source's training samples, joined."""
    return "+".join(split.checksum for split in splits.values())


def resumed_config(
    record: RunRecord, options_class: type[ModelOptions], size: int, flags: Mapping[str, Any], layers: Sequence[Layer]
) -> RunConfig:
    """The configuration of a run that goes on, with its budget raised if that was asked for.

    Raises:
        UsageError: the budget would fall, or anything else would change; the difference is shown.
    """
    given = dict(flags)
    epochs = given.pop("epochs", None)
    if epochs is not None:
        given["images"] = epochs_to_images(epochs, size)
    before = record.config
    after, _ = resolve([Layer("the run", before.flat()), flag_layer(given), *layers], options_class)
    difference = before.difference(after)
    difference.pop("images", None)
    if difference:
        shown = ", ".join(f"{key} is {was!r}, not {now!r}" for key, (was, now) in difference.items())
        raise UsageError(f"a run goes on with the settings that it started with, save for a larger budget: {shown}")
    if after.images < before.images:
        raise UsageError(
            f"the budget of this run is {before.images:,} images; it can be raised, but not lowered to {after.images:,}"
        )
    return after
