"""``ganzoo compare``: which model is better, under one protocol."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ganzoo.cli.eval import extractor_option, full_option, samples_option
from ganzoo.cli.options import complete_datasets, complete_models, complete_runs, examples, plugin_option, root_option

if TYPE_CHECKING:
    from ganzoo.comparison.model import Comparison
    from ganzoo.comparison.plan import ComparisonPlan

__all__ = ["compare"]

FAILED, INTERRUPTED = 1, 130


def complete_entrants(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models with their recipes, and runs."""
    return [*complete_models(ctx, param, incomplete), *complete_runs(ctx, param, incomplete)]


@click.command(
    epilog=examples(
        "ganzoo compare acgan infogan",
        "ganzoo compare gan cgan acgan infogan --seeds 3 --images 200k",
        "ganzoo compare infogan infogan@paper --seeds 3",
        "ganzoo compare gan infogan -o infogan.noise=32 -o width=0.5",
        "ganzoo compare gan infogan --seeds 5 --on ray --gpus-per-run 0.25",
        "ganzoo compare 3 7                          # runs, by number",
        "ganzoo compare acgan infogan --dry-run      # what would be done, and how long it would take",
    )
)
@click.argument("entrants", metavar="MODEL[@RECIPE]|RUN...", nargs=-1, shell_complete=complete_entrants)
@click.option(
    "--data",
    metavar="NAME|DIR",
    shell_complete=complete_datasets,
    help="Data set, or a folder of images.  [default: mnist, or the runs' own]",
)
@click.option("-d", "data_options", multiple=True, metavar="KEY=VALUE", help="Option of the data set; may be repeated.")
@click.option("--images", metavar="N", help="Budget in images of every training.  [default: 200k, or the runs' own]")
@click.option(
    "--seeds",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Trainings of each model, with seeds 0, 1, …; with one there is no spread.",
)
@click.option("--batch", type=int, metavar="N", help="Images per step, for all.  [default: each recipe's own]")
@click.option(
    "-o",
    "options",
    multiple=True,
    metavar="[MODEL.]KEY=VALUE",
    help="Option of one model, or of every model that has it; may be repeated.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@extractor_option
@full_option
@samples_option
@click.option("--jobs", type=int, metavar="N", help="Trainings at once.  [default: one a core on a CPU, else 1]")
@click.option(
    "--on",
    default="here",
    show_default=True,
    metavar="here|ray",
    help="Where to train: on this machine, or by Ray on the cluster that RAY_ADDRESS names.",
)
@click.option("--cpus-per-run", type=int, metavar="N", help="Cores of each training, with --on ray.  [default: 1]")
@click.option(
    "--gpus-per-run",
    type=float,
    metavar="SHARE",
    help="Share of a GPU of each training, with --on ray.  [default: 1 if there are any, else 0]",
)
@click.option("--force", is_flag=True, help="Compare runs of unequal protocols too, and say so.")
@click.option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option("--precision", metavar="auto|fp32|bf16", help="Number format of the networks.")
@click.option("--out", default="comparisons", show_default=True, metavar="DIR", help="Folder of the comparisons.")
@plugin_option
@root_option
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the table there as well.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan with its ETA, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else on stdout.")
def compare(
    entrants: tuple[str, ...],
    root: str,
    csv_file: Path | None,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Compare models and runs: train what is missing, measure all in the same way, print the table.

    A MODEL is trained under this comparison's budget and seeds, unless there is a run of exactly that protocol:
    a finished one is used again, an interrupted one goes on. So the same command, typed again, goes on after an
    interruption, and ends in seconds when all is there. A name that is a model's and a run's means the model.
    """  # fmt: skip
    from ganzoo.cli.compare_display import print_comparison, print_plan, watcher_for
    from ganzoo.cli.text import print_json
    from ganzoo.comparison.compare import carry_out, folder_of
    from ganzoo.comparison.planning import plan_comparison
    from ganzoo.comparison.request import Request
    from ganzoo.comparison.table import csv_text
    from ganzoo.comparison.training import Interrupted
    from ganzoo.runs.files import write_atomically

    command = shlex.join(["ganzoo", *sys.argv[1:]])
    plan = plan_comparison(Request(entrants, runs=root, command=command, **asked))
    if dry_run and as_json:
        print_json(plan.as_dict())
        return
    if not as_json:
        print_plan(plan)
    if dry_run:
        return
    try:
        comparison = carry_out(plan, watcher_for(plan, quiet=as_json))
    except Interrupted as error:
        click.echo(f"\n{error}", err=True)
        click.get_current_context().exit(INTERRUPTED)
    if csv_file is not None:
        write_atomically(csv_file, csv_text(comparison))
    if as_json:
        click.echo(comparison.model_dump_json(indent=2))
    else:
        print_comparison(comparison)
        print_next(comparison, plan, folder_of(plan))
    if comparison.failures:
        click.get_current_context().exit(FAILED)


def print_next(comparison: "Comparison", plan: "ComparisonPlan", folder: Path) -> None:
    """What to look at and to type now."""
    from ganzoo.training.summary import typed

    run = typed(comparison.entrants[-1].runs[0].path, plan.zoo.files)
    click.echo(f"\nOpen {folder / 'report.html'} in a browser; the table is in {folder / 'table.csv'} as well.")
    click.echo(f"Type next: ganzoo sample {run}, ganzoo traverse {run}, or this comparison with more --seeds.")
