"""``ganzoo eval``: how good a trained run is, in the field's numbers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ganzoo.cli.importing import import_torch
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

__all__ = ["eval_", "extractor_option", "full_option", "samples_option"]

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

    Each score stands beside what real samples get in place of the generated ones, and what noise gets. Scores
    of one name may be compared where the line below the table that says how they were measured is the same.
    """
    path = find_run(run, root)

    import_torch()
    from ganzoo.cli.text import print_json
    from ganzoo.evaluation.diagnosis import diagnose
    from ganzoo.evaluation.evaluate import evaluate
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.training.hardware import Hardware
    from ganzoo.training.summary import typed
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
    page = f"ganzoo report {typed(path, default_zoo().files)}"
    click.echo(f"\n{diagnosis}\n\nStored in {path / 'metrics.jsonl'}; `{page}` makes a page of it.")


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
    """A table of the scores, how each was measured, what is to be known of it, and what was left out and why."""
    from ganzoo.cli.text import count, print_entries, print_table, together
    from ganzoo.evaluation.score import amount

    samples = f"{count(result.setting.samples)} generated samples, seed {result.seed}"
    click.echo(f"{result.run.path} at {count(result.images)} images: {result.setting.name}, {samples}\n")
    protocols = list(dict.fromkeys(score.protocol for score in result.scores))
    rows = [
        [
            score.name,
            amount(score.value, score.unit),
            "" if score.floor is None else amount(score.floor, score.unit),
            "" if score.ceiling is None else amount(score.ceiling, score.unit),
            {"lower": "↓", "higher": "↑", None: ""}[score.better],
            str(protocols.index(score.protocol) + 1),
        ]
        for score in result.scores
    ]
    columns = ["score", "value", "real data", "noise", "better", "how"]
    print_table(columns, rows, nothing="No metric applies to this run.", right=(1, 2, 3, 5))
    notes = gathered((score.note, score.name) for score in result.scores if score.note)
    skipped = gathered((each.reason, each.metric) for each in result.skipped)
    for entries in (
        [(str(number), protocol) for number, protocol in enumerate(protocols, start=1)],
        [("·", f"{together(names)}: {note}") for note, names in notes.items()],
        [("–", f"{', '.join(names)} left out: {reason}") for reason, names in skipped.items()],
    ):
        if entries:
            click.echo()
            print_entries(entries)


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By each text, in their order, the names that it is said of."""
    found: dict[str, list[str]] = {}
    for text, name in pairs:
        found.setdefault(text, []).append(name)
    return found
