"""``ganzoo eval``: how good a trained run is, in the field's numbers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ganzoo.cli.options import (
    device_option,
    examples,
    find_run,
    json_option,
    plugin_option,
    root_option,
    run_argument,
    seed_option,
)

if TYPE_CHECKING:
    from ganzoo.evaluation.evaluate import Evaluation

__all__ = ["eval_", "extractor_option", "full_option", "samples_option", "share_or_number"]

full_option = click.option("--full", is_flag=True, help="More samples, and the slow metrics too.")
extractor_option = click.option(
    "--extractor", metavar="NAME", help="Features to measure in, such as inception.  [default: the data's own]"
)
samples_option = click.option(
    "--samples", type=int, metavar="N", help="Generated samples.  [default: 10000, with --full 50000]"
)


@click.command(
    "eval",
    epilog=examples(
        "ganzoo eval latest",
        "ganzoo eval 12 --full",
        "ganzoo eval latest --metric frechet --metric codes",
        "ganzoo eval latest --extractor inception        # needs pip install ganzoo[inception]",
        "ganzoo eval latest --json",
    ),
)
@run_argument(required=False)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@full_option
@extractor_option
@samples_option
@seed_option
@json_option
@device_option
@plugin_option
@root_option
def eval_(
    run: str,
    metrics: tuple[str, ...],
    full: bool,
    extractor: str | None,
    samples: int | None,
    seed: int,
    as_json: bool,
    device: str,
    root: str,
) -> None:
    """Measure RUN, by default the newest, and store the scores in its metrics.jsonl.

    Each score stands beside what real training samples get in place of the generated ones, and what noise
    gets. Scores may be compared where the line below the table that says how they were measured is the same.
    """
    path = find_run(run, root)

    from ganzoo.cli.text import print_json
    from ganzoo.evaluation.diagnosis import diagnose
    from ganzoo.evaluation.evaluate import evaluate
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.training.hardware import Hardware
    from ganzoo.zoo.manager import default_zoo

    with reporting() as progress:
        result = evaluate(
            RunDirectory.open(path),
            default_zoo(),
            metrics=metrics,
            full=full,
            extractor=extractor,
            samples=samples,
            seed=seed,
            device=Hardware.choose(device).device,
            progress=progress,
        )
    record = result.run.record
    diagnosis = diagnose({score.name: score for score in result.scores}, record.config.options, record.data_spec)
    if as_json:
        print_json(
            {
                "run": str(path),
                "images": result.images,
                "setting": result.setting.name,
                "samples": result.setting.samples,
                "seed": seed,
                "scores": [score.model_dump() for score in result.scores],
                "skipped": [skipped.model_dump() for skipped in result.skipped],
                "diagnosis": diagnosis,
            }
        )
        return
    print_evaluation(result)
    click.echo(f"\n{diagnosis}\n\nStored in {path / 'metrics.jsonl'}; `ganzoo report {run}` makes a page of it.")


@contextmanager
def reporting() -> Iterator[Callable[[str, int, int], None]]:
    """Shows the metric that is being computed, on stderr and only in a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name, done, total: None
        return
    with console.status("opening the run") as status:
        yield lambda name, done, total: status.update(f"{name}, {done + 1} of {total}")


def print_evaluation(result: "Evaluation") -> None:
    """A table of the scores, then how each was measured, then what was not and why."""
    from ganzoo.cli.text import count, print_table

    click.echo(f"{result.run.path} at {count(result.images)} images\n")
    protocols = list(dict.fromkeys(score.protocol for score in result.scores))
    rows = [
        [
            score.name,
            share_or_number(score.value, score.unit),
            "" if score.floor is None else share_or_number(score.floor, score.unit),
            "" if score.ceiling is None else share_or_number(score.ceiling, score.unit),
            {"lower": "↓", "higher": "↑", None: ""}[score.better],
            str(protocols.index(score.protocol) + 1),
        ]
        for score in result.scores
    ]
    print_table(
        ["score", "value", "real data", "noise", "better", "how"], rows, nothing="No metric applies to this run."
    )
    click.echo()
    for number, protocol in enumerate(protocols, start=1):
        click.echo(f"{number:>3}  {protocol}")
    for note in dict.fromkeys(score.note for score in result.scores if score.note):
        click.echo(f"  *  {note}")
    for skipped in result.skipped:
        click.echo(f"  –  {skipped.metric} was left out: {skipped.reason}")


def share_or_number(value: float | None, unit: str) -> str:
    """A score's value with its unit: ``4.1 %``, ``2.29 nats``, ``1.35``; a dash where it is not finite."""
    from ganzoo.cli.text import number

    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{number(value)} nats" if unit == "nats" else number(value)
