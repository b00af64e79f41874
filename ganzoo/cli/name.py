"""``ganzoo name``: names for what a run's codes have found."""

import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from ganzoo.cli.options import device_option, examples, find_run, json_option, plugin_option, root_option, run_argument
from ganzoo.core.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.runs.names import Names
    from ganzoo.sampling.sampler import Sampler

__all__ = ["name"]

PICTURES = 10
"""Samples of a category that the prompt shows."""


@click.command(
    epilog=examples(
        "ganzoo name latest --labels 100                # 100 labelled training samples find the names",
        "ganzoo name latest                             # look at each category's samples and type its name",
        "ganzoo name 12 --set category=three,one,four,seven,zero,two,five,six,nine,eight",
        "ganzoo sample latest -n 20 --given category=three",
        "ganzoo name latest --clear",
    )
)
@run_argument()
@click.option("--labels", type=click.IntRange(min=1), metavar="N", help="Let N labelled training samples find names.")
@click.option("--set", "chosen", multiple=True, metavar="CODE=NAME,…", help="Give names by hand; may be repeated.")
@click.option("--clear", is_flag=True, help="Forget the names.")
@click.option("--variable", metavar="CODE", help="Which code.  [default: the only categorical one]")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other labelled samples."
)
@device_option
@plugin_option
@root_option
@json_option
def name(
    run: str,
    labels: int | None,
    chosen: tuple[str, ...],
    clear: bool,
    variable: str | None,
    seed: int,
    device: str,
    root: str,
    as_json: bool,
) -> None:
    """Name the categories of RUN's codes, which training leaves without names.

    The names are stored with the run. From then on they can be given ("--given category=three"), and pictures
    show and sort by them. A name that is a number is a name: where categories are called 0 to 9, "--given
    category=3" means the one called 3, wherever it stands. Without --labels or --set, in a terminal, each
    category's samples are shown and its name is asked for.
    """
    if sum((labels is not None, bool(chosen), clear)) > 1:
        raise UsageError("--labels, --set and --clear exclude each other; choose one of them")
    if chosen and variable is not None:
        raise UsageError("--set names the code itself, as in --set category=three,one; leave --variable out")
    path = find_run(run, root)

    from ganzoo.runs.directory import RunDirectory
    from ganzoo.runs.names import clear_names, read_names

    directory = RunDirectory.open(path)
    directory.expect_own()
    if clear:
        clear_names(directory, variable)
        show(read_names(directory) if variable is not None else None, path, as_json)
        return
    if labels is None and not chosen and not is_terminal():
        raise UsageError("names can only be asked for in a terminal; use --labels 100, or --set category=three,one,…")

    from ganzoo.evaluation.naming import category_of, name_categories, set_names
    from ganzoo.training.hardware import Hardware
    from ganzoo.zoo.manager import default_zoo

    zoo = default_zoo()
    if labels is not None:
        where = Hardware.choose(device).device
        names = name_categories(directory, zoo, labels, variable, seed, where)
    elif chosen:
        names = set_names(directory, zoo, dict(map(assigned, chosen)))
    else:
        from ganzoo.cli.drawing import open_sampler

        sampler = open_sampler(path, device)
        code = category_of(sampler.latent, variable)
        names = set_names(directory, zoo, {code: asked(sampler, code)})
    show(names, path, as_json)


def assigned(item: str) -> tuple[str, list[str]]:
    """The code and the names in one ``code=name,name,…``."""
    code, equals, text = (part.strip() for part in item.partition("="))
    if not equals or not text:
        raise UsageError(f"--set takes code=name,name,…, such as category=three,one, not {item!r}")
    return code, text.split(",")


def is_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def asked(sampler: "Sampler", code: str) -> list[str]:
    """A name for each category, from whoever looks at its samples; what it was called before stands ready."""
    from rich.console import Console

    from ganzoo.cli.live import preview_of

    console = Console(highlight=False)
    variable = sampler.latent[code]
    before: Sequence[str] = getattr(variable, "names", None) or [f"unknown {index}" for index in range(variable.size)]
    names: list[str] = []
    for index, old in enumerate(before):
        picture = preview_of(sampler.sample(PICTURES, given={code: index}), sampler.data, console, used=2)
        if picture is not None:
            console.print(picture)
        names.append(click.prompt(f"{code} {index} is called", default=old))
    return names


def show(names: "Names | None", path: Path, as_json: bool) -> None:
    """Prints the names of a run's categories, and what to type next."""
    from ganzoo.cli.text import print_json, print_table

    variables = {} if names is None else names.variables
    if as_json:
        print_json({code: each.model_dump(mode="json") for code, each in variables.items()})
        return
    if not variables:
        click.echo(f"The categories of {path} have no names.")
    for code, each in variables.items():
        print_table([code, "is called"], [[str(index), word] for index, word in enumerate(each.names)], nothing="")
        if each.agreement is not None:
            click.echo(f"{each.agreement:.0%} of {each.labels:,} labelled training samples have the code of that name.")
        word = each.names[each.order[0]]
        click.echo(f"\ntype next\n  ganzoo sample {quote(str(path))} -n 20 --given {quote(f'{code}={word}')}")
