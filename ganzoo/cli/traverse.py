"""``ganzoo traverse``: what each code, label or noise variable of a trained run does."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import (
    device_option,
    examples,
    find_run,
    given_option,
    is_folder,
    plugin_option,
    root_option,
    run_argument,
    seed_option,
)
from ganzoo.core.errors import UsageError

if TYPE_CHECKING:
    from ganzoo.sampling.sampler import Sampler
    from ganzoo.sampling.traversal import Traversal

__all__ = ["traverse"]


@click.command(
    epilog=examples(
        "ganzoo traverse latest                         # every code",
        "ganzoo traverse 12 style --component 1 --steps 15 --gif",
        "ganzoo traverse latest category --out category.png",
        "ganzoo traverse latest style --given category=3 --rows 4 --out pictures/",
        "ganzoo traverse latest style --given category=0,1,2 --rows 3  # a row each",
    )
)
@run_argument(required=False)
@click.argument("variable", required=False)
@click.option("--component", type=click.IntRange(min=0), metavar="K", help="Only this component of VARIABLE.")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Rows of different noise, where rows are not classes.",
)
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Samples in a row.")
@given_option
@seed_option
@click.option("--gif", is_flag=True, help="Write a film of each traversal beside its picture.")
@click.option("--out", metavar="DIR|FILE", help="A folder, or one picture (.png) or film (.gif).  [default: in RUN]")
@device_option
@plugin_option
@root_option
def traverse(
    run: str,
    variable: str | None,
    component: int | None,
    rows: int,
    steps: int,
    given: tuple[str, ...],
    seed: int,
    gif: bool,
    out: str | None,
    device: str,
    root: str,
) -> None:
    """Move along one variable of RUN at a time and print where the pictures are.

    RUN is a folder, a number, the beginning of a name, or 'latest', and VARIABLE one of its latent
    variables: every code unless one is named (without codes every label, else the noise). Rows are the
    classes of a code or label; columns are quantiles of VARIABLE's own distribution, from 1 % to 99 %.
    """  # fmt: skip
    one_file = out is not None and not is_folder(out, ".png", ".gif")
    path = find_run(run, root)

    import_torch()
    from ganzoo.cli.drawing import file_stem, open_sampler, pinned, taking_turns
    from ganzoo.runs.pretrained import outputs

    sampler = open_sampler(path, device)
    values = pinned(given, sampler.latent)
    if taking_turns(given, sampler.latent):
        if variable is None:
            names = ", ".join(sampler.latent)
            raise UsageError(f"several values in --given are taken in turns along one variable; name one of: {names}")
        values = pinned(given, sampler.latent, noise_draws(sampler, variable, values, rows, steps))
    found = sampler.traverse(variable, component, rows=rows, steps=steps, seed=seed, given=values)
    if out is not None and one_file:
        if len(found) > 1:
            names = ", ".join(f"{each.variable} {each.component}" for each in found)
            raise UsageError(
                f"{out} is one file and there are {len(found)} traversals ({names}); let --out be a folder"
            )
        target = Path(out)
        draw(found[0], target, film=gif or target.suffix == ".gif", still=target.suffix == ".png")
        return
    folder = Path(out) if out is not None else outputs(path) / "traversals"
    for each in found:
        stem = file_stem(each.variable, str(each.component), f"seed{seed}" if seed else "", *given)
        draw(each, folder / f"{stem}.png", film=gif)


def noise_draws(sampler: "Sampler", variable: str, given: Mapping[str, Any], rows: int, steps: int) -> int:
    """How often a variable's traversal draws noise: once a row, or a column where its own classes are the rows."""
    from ganzoo.core.variables import Categorical
    from ganzoo.sampling.traversal import row_classes

    if isinstance(sampler.latent[variable], Categorical):
        return steps
    classes = row_classes(sampler.latent, given, sampler.order)
    return rows if classes is None else len(classes[1])


def draw(traversal: "Traversal", target: Path, *, film: bool, still: bool = True) -> None:
    """Writes a traversal as a picture, a film or both, and prints the paths."""
    from ganzoo.sampling.pictures import save_gif, save_png

    if still:
        save_png(traversal.picture(), target)
        click.echo(str(target))
    if film:
        save_gif(traversal.frames(), target.with_suffix(".gif"))
        click.echo(str(target.with_suffix(".gif")))
