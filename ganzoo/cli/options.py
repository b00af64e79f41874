"""Arguments and options that several commands share, and what the shell completes them with."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ganzoo.cli.plugin_files import plugin_option
from ganzoo.core.errors import UsageError

__all__ = [
    "DATASETS",
    "LATEST",
    "complete_models",
    "complete_runs",
    "device_option",
    "examples",
    "find_run",
    "given_option",
    "is_folder",
    "json_option",
    "model_argument",
    "plugin_option",
    "request",
    "request_options",
    "root_option",
    "run_argument",
    "seed_option",
]

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

DATASETS = ("mnist", "fashion-mnist", "kmnist", "svhn", "cifar10", "celeba", "sprites", "dsprites")
"""The built-in data sets by name, for the shell to complete without an import; any other is accepted too."""

LATEST = "latest"

OTHER_FILES = (".png", ".gif", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".pdf", ".mp4")
"""Endings that nobody gives to a folder."""


def examples(*lines: str) -> str:
    """The examples at the end of a command's help, kept line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def stacked(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Several decorators as one, the first on top."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def is_folder(out: str, *files: str) -> bool:
    """Whether ``--out`` means a folder rather than one file.

    Args:
        out: what the user wrote.
        *files: endings of what can be one file, by default a picture's.

    Raises:
        UsageError: it ends as a file of a kind that is not written here.
    """
    endings = files or (".png",)
    suffix = Path(out).suffix.lower()
    if out.endswith(("/", os.sep)) or Path(out).is_dir():
        return True
    if suffix in OTHER_FILES and suffix not in endings:
        raise UsageError(f"--out {out} cannot be written; end it in {' or '.join(endings)}, or name a folder")
    return suffix not in endings


def complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models of the catalogue; behind ``model@``, its recipes. Imports no plugin."""
    from ganzoo.core.errors import GanzooError
    from ganzoo.zoo.catalogue import Catalogue

    try:
        entries = Catalogue.read().models
    except GanzooError:
        return []
    name, at, _ = incomplete.partition("@")
    if at and name in entries:
        recipes = sorted({recipe for table in entries[name].recipes.values() for recipe in table})
        return matching(((f"{name}@{recipe}", "") for recipe in recipes), incomplete)
    return matching(((name, entry.summary) for name, entry in entries.items()), incomplete)


def complete_datasets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The built-in data sets, and folders once a path has begun."""
    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="dir")]
    return matching(((name, "") for name in DATASETS), incomplete)


def complete_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The runs by folder name, those that are part of ganzoo, and folders once a path has begun."""
    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="dir")]
    from ganzoo.runs.pretrained import shipped

    root = Path(ctx.params.get("root") or "runs")
    names = sorted(record.parent.name for record in root.glob("*/run.json"))
    return matching(((name, "") for name in [LATEST, *names, *shipped()]), incomplete)


def matching(items: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """Those (value, help) pairs whose value begins as typed."""
    return [CompletionItem(value, help=text or None) for value, text in items if value.startswith(incomplete)]


def model_argument(*, required: bool = True) -> Decorator[Any]:
    """The argument MODEL[@RECIPE]."""
    return click.argument("model", metavar="MODEL[@RECIPE]", required=required, shell_complete=complete_models)


def run_argument(*, required: bool = True) -> Decorator[Any]:
    """The argument RUN; the newest run where it may be left out."""
    return click.argument("run", required=required, default=None if required else LATEST, shell_complete=complete_runs)


def find_run(run: str, root: str) -> Path:
    """The directory of the run that the user means.

    Args:
        run: a path, number, beginning of a name, ``latest``, or the name of a run that is part of ganzoo.
        root: the folder that holds the runs.

    Returns:
        Its path.

    Raises:
        UsageError: there is no such run.
        RunError: its record is damaged.
    """
    from ganzoo.runs.directory import RunDirectory

    return RunDirectory.open(run, root).path


root_option = click.option(
    "--runs", "root", default="runs", show_default=True, metavar="DIR", help="Folder that holds the runs."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other samples."
)
given_option = click.option(
    "--given", multiple=True, metavar="NAME=VALUE", help="Pin a label or code, as in the examples; may be repeated."
)
device_option = click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps", help="Where to compute."
)
request_options = stacked(
    click.option("--data", metavar="NAME|DIR", shell_complete=complete_datasets,
                 help="Data set, or a folder of images.  [default: mnist]"),
    click.option("-d", "data_options", multiple=True, metavar="KEY=VALUE",
                 help="Option of the data set; may be repeated."),
    click.option("--data-root", metavar="DIR", help="Folder that downloads are kept in; the same as -d root=DIR."),
    click.option("--images", metavar="N", help="Budget in images, such as 640k or 2M."),
    click.option("--epochs", metavar="N", help="Budget in passes over the training data, instead of --images."),
    click.option("--batch", type=int, metavar="N", help="Images per step."),
    click.option("--seed", type=int, metavar="N", help="Seed of everything random in the run."),
    click.option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute."),
    click.option("--precision", metavar="auto|fp32|bf16", help="Number format of the networks."),
    click.option("--graph", metavar="auto|on|off", help="Whether a CUDA graph plays the rounds."),
    click.option("--save-every", metavar="N", help="Images between checkpoints."),
    click.option("--config", "config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="TOML file of settings and options."),
    click.option("-o", "options", multiple=True, metavar="KEY=VALUE",
                 help="Option of the model ('ganzoo show MODEL' lists them); may be repeated."),
    plugin_option,
)  # fmt: skip
"""Everything that decides a run's configuration, as ``train``, ``config`` and ``show`` take it."""

FLAGS = ("images", "epochs", "batch", "seed", "device", "precision", "graph", "save_every")


def request(params: Mapping[str, Any]) -> dict[str, Any]:
    """What ``request_options`` gathered, as the keyword arguments of ``ganzoo.api.configure``."""
    data_options = params["data_options"]
    if params["data_root"] is not None:
        # Quoted, or a folder called 2024 would be read as a number.
        data_options = (*data_options, f"root={json.dumps(params['data_root'])}")
    return {
        "data": params["data"],
        "flags": {flag: params[flag] for flag in FLAGS if params[flag] is not None},
        "options": params["options"],
        "data_options": data_options,
        "config": params["config"],
    }
