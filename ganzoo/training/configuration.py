"""From a request to a run that could start: every setting resolved, the model and the data set made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ganzoo.core.data import Dataset
from ganzoo.core.errors import UsageError, unknown
from ganzoo.data.open import lasting_name, open_dataset
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.models.options import ModelOptions
from ganzoo.runs.config import RunConfig
from ganzoo.runs.record import RunRecord
from ganzoo.runs.resolve import resolve
from ganzoo.runs.settings import Layer, epochs_to_images, flag_layer, option_layer, read_toml, with_none
from ganzoo.training.distributed import ALONE, Processes, sharing_notes
from ganzoo.training.graphs import notes_on_graphs
from ganzoo.training.hardware import Hardware
from ganzoo.training.plan import Plan
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.catalogue import DEFAULT
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo, default_zoo

__all__ = ["Configured", "Options", "as_layer", "configure", "prepare", "resumed_config"]

SETTINGS_FILE = "ganzoo.toml"
DEFAULTS = Layer("default", {"data": "mnist"})
Options = Sequence[str] | Mapping[str, Any]
"""Options as ``key=value`` texts, or by name."""


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


def configure(
    model: str | type[Model],
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
        model: name in the zoo, with a recipe's name after ``@`` if it is not the default one; or a class, which
            joins the zoo for the life of the process.
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
    if not isinstance(model, str):
        model = join(zoo, model)
    name, _, recipe_name = model.partition("@")
    model_class = zoo.model(name)
    given = dict(flags or {})
    epochs = given.pop("epochs", None)
    files = [Path(SETTINGS_FILE)] if Path(SETTINGS_FILE).is_file() else []
    files += [config] if config is not None else []
    layers = [layer for file in files for layer in read_toml(file, model_class.name)]
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
        refuse_two_budgets(given)
        images = epochs_to_images(epochs, dataset.spec.size)
        layers.append(Layer("--epochs", {"images": images}))
    layers = [with_none(layer, model_class.Options) for layer in layers]
    resolved, origins = resolve(layers, model_class.Options)
    resolved = resolved.model_copy(update={"data": lasting_name(data, dataset)})
    return Configured(resolved, origins, model_class(**resolved.options), dataset, zoo)


def refuse_two_budgets(flags: Mapping[str, Any]) -> None:
    """Refuse a budget in images where one in epochs was given."""
    if flags.get("images") is not None:
        raise UsageError("--images and --epochs both set the budget; give one of them")


def recipe_layers(zoo: Zoo, model: str, recipe: str, data: str) -> list[Layer]:
    """The model's name and the settings of the recipe, if one is written down for this data."""
    chosen = Layer("the command line", {"model": model})
    entry = zoo.entry(model)
    if entry is None:
        if recipe:
            raise unknown(f"recipe of {model}", recipe, [])
        return [chosen]
    found = entry.recipe(data, recipe or DEFAULT)
    if found is None:
        return [chosen]
    values = {f"options.{key}": value for key, value in found.options.items()}
    values |= {"images": found.images, "batch": found.batch, "recipe": recipe or DEFAULT}
    if found.half_life is not None:
        values["half_life"] = found.half_life
    return [chosen, Layer(f"recipe {model}@{recipe or DEFAULT}", values)]


def as_layer(options: Options, flag: str, table: str) -> Layer:
    """Options as text or by name, as a layer of settings."""
    if isinstance(options, Mapping):
        values = {f"{table}.{key}": value for key, value in options.items()}
        return Layer("the call", values)
    return option_layer(options, flag, table)


def join(zoo: Zoo, model: type[Model]) -> str:
    """Make a class known to the zoo, as a plugin of its own; returns its name.

    Raises:
        UsageError: the class is no model, or its name is another model's.
    """
    try:
        known = zoo.model(model.name)
    except UsageError:
        zoo.register(SimpleNamespace(ganzoo_register_models=hookimpl(lambda: [model])), model.name)
        return model.name
    if known is not model:
        raise UsageError(f"{known!r} is called {model.name!r} already; give the class {model!r} another name")
    return model.name


def prepare(configured: Configured, processes: Processes = ALONE) -> tuple[Plan, Trainer]:
    """Build the game and its trainer, which is one of several where ``processes`` says so; nothing is written."""
    config = configured.config
    hardware = Hardware.choose(config.device, config.precision)
    hardware.prepare()
    game = Game.build(configured.model, configured.dataset.spec, config.seed)
    if config.batch == 1 and game.has_batch_statistics:
        raise UsageError(
            "batch normalisation needs batches of at least 2; raise --batch, or choose generator_norm and critic_norm"
        )
    notes = [*game.notes, *sharing_notes(processes, game, config.batch, hardware.device)]
    notes += notes_on_graphs(config.graph, hardware.device, processes)
    splits = {source: configured.dataset.split("train", source) for source in game.data.sources}
    made = Plan(game, config, configured.origins, hardware, notes, configured.zoo.files)
    return made, Trainer(game, splits, config, hardware, processes)


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
        refuse_two_budgets(given)
        given["images"] = epochs_to_images(epochs, size)
    before = record.config
    given_options = [with_none(layer, options_class) for layer in layers]
    after, _ = resolve([Layer("the run", before.flat()), flag_layer(given), *given_options], options_class)
    difference = before.difference(after)
    for may_change in ("images", "graph"):
        difference.pop(may_change, None)
    if difference:
        shown = ", ".join(f"{key} is {was!r}, not {now!r}" for key, (was, now) in difference.items())
        raise UsageError(f"a run goes on with the settings that it started with, save for a larger budget: {shown}")
    if after.images < before.images:
        raise UsageError(
            f"the budget of this run is {before.images:,} images; it can be raised, but not lowered to {after.images:,}"
        )
    # The rest stays as it is recorded: an option that is None is left out where settings are resolved once more.
    return before.model_copy(update={"images": after.images, "graph": after.graph})
