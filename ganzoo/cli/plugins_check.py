"""``ganzoo plugins check``: the conformance kit, from the command line."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import complete_datasets, complete_models, examples, json_option
from ganzoo.core.errors import UsageError
from ganzoo.core.reading import MAX_TOML, parse_toml, read_file

if TYPE_CHECKING:
    from ganzoo.models.model import Model
    from ganzoo.testing.results import CheckResult, Status
    from ganzoo.zoo.manager import Zoo
    from ganzoo.zoo.status import PluginStatus

__all__ = ["check"]

WIDTH = 14
"""Columns for the name of a check."""
MARKS: "dict[Status, str]" = {"passed": "✓", "failed": "✗", "not run": "–", "expected failure": "–"}


@click.command(
    epilog=examples(
        "ganzoo plugins check hello-gan",
        "ganzoo plugins check my_gan.py                # a file",
        "ganzoo plugins check ./ganzoo-hello-gan       # a package that is not installed",
        "ganzoo plugins check hello-gan --json",
    )
)
@click.argument("what", metavar="NAME|PATH.py|PATH", shell_complete=complete_models)
@click.option("--data", metavar="NAME", shell_complete=complete_datasets, help="Try the models on this data set alone.")
@json_option
def check(what: str, data: str | None, as_json: bool) -> None:
    """Try a model, or every model of a plugin, and report what is wrong.

    It runs on the CPU, without the network, on tiny data of several shapes. The exit status is 1 if a check fails.
    """
    from ganzoo.cli.text import print_json
    from ganzoo.testing import checks_for
    from ganzoo.zoo.manager import default_zoo

    zoo = default_zoo()
    models, plugin = find_models(what, zoo)
    dataset = None if data is None else zoo.dataset(data)
    if not models and plugin is not None and not as_json:
        brings = ", ".join(plugin.brings) or "an observer of runs"
        click.echo(f"{plugin.name} is as a plugin should be and brings {brings}, but no model for the kit to check.")
    failed, reports = 0, {}
    for model in models:
        if not as_json:
            click.echo(f"{model.name}: {model.summary()}\n")
        results = []
        for result in (each.result() for each in checks_for(model, data=dataset)):
            results.append(result)
            if not as_json:
                print_result(result)
        failed += sum(result.status == "failed" for result in results)
        reports[model.name] = [asdict(result) for result in results]
        if not as_json:
            click.echo(f"\n{total(results)}")
    if as_json:
        print_json({"failed": failed, "models": reports})
    if failed:
        sys.exit(1)


def find_models(what: str, zoo: "Zoo") -> "tuple[list[type[Model]], PluginStatus | None]":
    """The models to check, and the plugin that they are from where a plugin was named.

    Args:
        what: a model's, plugin's or distribution's name; a Python file; or a package's folder.
        zoo: knows the names; a file or folder is added to it.

    Raises:
        UsageError: there is none of that name, or the plugin cannot be used.
    """
    from ganzoo.zoo.complaints import trouble
    from ganzoo.zoo.installed import normal
    from ganzoo.zoo.manager import NotOffered

    path = Path(what).expanduser()
    if path.suffix == ".py":
        return models_of(zoo.register_file(path), zoo)
    if "/" in what or path.is_dir():
        return models_of(register_folder(path, zoo), zoo)
    try:
        return [zoo.model(what)], None
    except UsageError as error:
        unknown = isinstance(error, NotOffered)  # else it is of a plugin that cannot be used, or of several
        for status in zoo.plugins():
            if normal(what) in (normal(status.name), normal(status.distribution)):
                if status.state != "loaded":
                    raise UsageError(
                        f"{trouble(status)} (its traceback: GANZOO_STRICT_PLUGINS=1 ganzoo plugins)"
                    ) from None
                if unknown:
                    return models_of(status, zoo)
        if not unknown:
            raise
        raise UsageError(f"{error}; or give a plugin's name, a file that ends in .py, or a package's folder") from error


def models_of(status: "PluginStatus", zoo: "Zoo") -> "tuple[list[type[Model]], PluginStatus]":
    """Every model that a plugin brings, and the plugin."""
    return [zoo.model(f"{status.distribution}:{name}") for name in status.models], status


def register_folder(folder: Path, zoo: "Zoo") -> "PluginStatus":
    """Adds the plugin of a package that need not be installed.

    Raises:
        UsageError: there is no such package, it names no plugin, or several, or it cannot be used.
    """
    from pkgutil import resolve_name

    from ganzoo.zoo.loading import Refused, guarded

    points = entry_points(folder)
    if len(points) != 1:
        raise UsageError(f"{folder}/pyproject.toml names {len(points)} entry points of the group ganzoo; expected one")
    ((name, target),) = points.items()
    sys.path[:0] = [str(each.resolve()) for each in (folder / "src", folder) if each.is_dir()]
    try:
        plugin = guarded("its import", lambda: resolve_name(target))
    except Refused as error:
        raise UsageError(f"the plugin in {folder} cannot be used: {error}") from error
    return zoo.register(plugin, name)


def entry_points(folder: Path) -> dict[str, str]:
    """The plugins that a package's ``pyproject.toml`` names, each with its module.

    Raises:
        UsageError: the file is not there, or not as it should be.
    """
    file = folder / "pyproject.toml"
    try:
        project: dict[str, Any] = parse_toml(read_file(file, MAX_TOML))
        points = project["project"]["entry-points"]["ganzoo"]
        return {str(name): str(target) for name, target in points.items()}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}; give the folder of a package") from error
    except ValueError as error:
        raise UsageError(f"{file} is not TOML: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} has no table [project.entry-points.ganzoo], which names a plugin") from error


def print_result(result: "CheckResult") -> None:
    """A line on a check, and the reason under one that did not pass."""
    click.echo(f"  {MARKS[result.status]} {result.name:{WIDTH}} {result.seconds:5.1f} s  {result.summary}")
    if result.message:
        click.echo(f"    {result.status}: {' '.join(result.message.split())}")


def total(results: "list[CheckResult]") -> str:
    """How many checks ended in which way, and the time that they took."""
    counts = Counter(result.status for result in results)
    told = ", ".join(f"{counts[status]} {status}" for status in MARKS if counts[status])
    return f"{told}, in {sum(result.seconds for result in results):.0f} s"
