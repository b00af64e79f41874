"""``report.html``: what there is to see and to know of a run, or of a comparison, on one page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import torch
from markupsafe import Markup

from ganzoo.comparison import curves, figures, sections
from ganzoo.comparison.explorer import Explorer, explore, sprites_each
from ganzoo.comparison.layout import DIE, MOST_DRAWS, lay_out
from ganzoo.comparison.model import Comparison, Entrant
from ganzoo.comparison.page import render_page
from ganzoo.comparison.wording import duration, plain, reproduce
from ganzoo.core.errors import GanzooError
from ganzoo.evaluation.diagnosis import diagnose
from ganzoo.evaluation.records import newest, read_records
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import write_atomically
from ganzoo.runs.pretrained import outputs
from ganzoo.sampling.sampler import Sampler
from ganzoo.zoo.manager import Zoo, default_zoo

__all__ = ["FILE", "write_comparison_report", "write_run_report"]

FILE = "report.html"


def write_run_report(
    run: RunDirectory, zoo: Zoo, path: Path | str | None = None, device: torch.device | str = "cpu"
) -> Path:
    """Make the page of a run.

    Args:
        run: the run; its newest whole checkpoint is shown.
        zoo: where its model and the metrics are looked up.
        path: where to; ``report.html`` in the run's directory unless given (see ``pretrained.outputs``).
        device: where to generate the samples.

    Returns:
        The page's path.

    Raises:
        UsageError: the run's model is not installed.
        RunError: the run has no whole checkpoint, or the page could not be written.
    """
    target = outputs(run.path) / FILE if path is None else Path(path)
    sampler = Sampler(run, zoo, device)
    assert sampler.checkpoint is not None  # a run's sampler has one
    record, config = run.record, run.record.config
    records = newest(read_records(run))
    scores = {name: score for name, (_, score) in records.items()}
    page = render_page(
        "run.html.j2",
        eyebrow=run.name,
        title=f"{config.model} on {record.data_spec.name}",
        lead=record.message or f"Trained on {record.images:,} of {config.images:,} images.",
        tags=sections.run_tags(run),
        explorer=explore(sampler, run.name),
        samples=figures.samples_figure(sampler),
        traversals=figures.traversal_figures(sampler),
        charts=_drawn([curves.Training(config.model, run.stats(), sampler.latent)]),
        diagnosis=diagnose(scores, config.options, record.data_spec) if scores else "",
        groups=sections.score_rows(records.values(), zoo),
        eval_command=f"ganzoo eval {quote(str(run.path))}" if sampler.checkpoint.complete else "",
        confusions=[found for score in scores.values() for found in sections.confusion(score, sampler.latent)],
        provenance=sections.run_provenance(run, sampler),
        reproduce=reproduce(record),
        settings=[(key, plain(value), record.origins.get(key, "")) for key, value in config.flat().items()],
    )
    write_atomically(target, page)
    return target


def write_comparison_report(
    comparison: Comparison, path: Path | str, zoo: Zoo | None = None, device: torch.device | str = "cpu"
) -> Path:
    """Make the page of a comparison.

    Pictures are of each entrant's first run. Of a run that cannot be opened any more there are only its numbers.

    Args:
        comparison: what was found; the paths of its runs are looked up from the working directory.
        path: where to.
        zoo: where models are looked up; the installed one unless given.
        device: where to generate the samples.

    Returns:
        The page's path.

    Raises:
        RunError: the page could not be written.
    """
    zoo = zoo or default_zoo()
    protocol, entrants = comparison.protocol, comparison.entrants
    seed = protocol.evaluation_seed
    seen = [_seen(entrant, zoo, device) for entrant in entrants]
    shown = [each for each in seen if each.sampler is not None]
    draws = _common_draws(shown)
    for each in shown:
        assert each.sampler is not None
        each.explorer = explore(each.sampler, each.run, len(shown), draws, seed)
        each.samples = figures.samples_figure(each.sampler, seed, each.label)
    trainings = [training for each in seen for training in each.trainings]
    groups, remarks = sections.comparison_rows(comparison)
    labels = [entrant.label for entrant in entrants]
    page = render_page(
        "comparison.html.j2",
        eyebrow=comparison.name,
        title=f"{sections.listed(labels)} on {Path(protocol.data).name}",
        lead=sections.comparison_protocol(comparison),
        differences=protocol.differences,
        labels=labels,
        groups=groups,
        remarks=remarks,
        legend=sections.comparison_legend(comparison),
        notes=comparison.notes,
        entrants=seen,
        seed=seed,
        charts=_drawn(trainings) if trainings else [],
        provenance=sections.comparison_provenance(comparison),
        command=comparison.command,
    )
    write_atomically(Path(path), page)
    return Path(path)


@dataclass
class _Seen:
    """What a comparison's page shows of an entrant.

    Attributes:
        label: names it.
        summary: a few words.
        facts: what it is.
        run: name of the run that the pictures are of.
        sampler: of that run; None where no run could be opened.
        trainings: what is drawn of each run.
        runs: a table of the runs.
        missing: why there are no pictures.
        explorer: of the run.
        samples: of the run.
    """

    label: str
    summary: str
    facts: list[tuple[str, str]]
    run: str = ""
    sampler: Sampler | None = None
    trainings: list[curves.Training] = field(default_factory=list)
    runs: list[list[str]] = field(default_factory=list)
    missing: str = ""
    explorer: Explorer | None = None
    samples: figures.Figure | None = None


def _seen(entrant: Entrant, zoo: Zoo, device: torch.device | str) -> _Seen:
    options = ", ".join(f"{name} = {plain(value)}" for name, value in entrant.options.items())
    seen = _Seen(
        label=entrant.label,
        summary=f"{entrant.model}, {entrant.total_parameters:,} parameters",
        facts=[
            ("Model", entrant.model + (f", recipe {entrant.recipe}" if entrant.recipe else "")),
            ("Batch, precision, device", f"{entrant.batch}, {entrant.precision}, {entrant.device}"),
            ("Parameters", ", ".join(f"{name} {count:,}" for name, count in entrant.parameters.items())),
            ("Options", options),
        ],
    )
    for each in entrant.runs:
        digest = "–"
        try:
            run = RunDirectory.open(each.path)
            sampler = Sampler(run, zoo, device)
        except GanzooError as error:
            seen.missing = f"There are no pictures: {error}."
        else:
            seen.trainings.append(curves.Training(entrant.label, run.stats(), sampler.latent))
            digest = sections.weights_sha256(sampler)
            if seen.sampler is None:
                seen.run, seen.sampler = run.name, sampler
        took = duration(each.seconds)
        seen.runs.append([str(each.seed), each.path, each.origin, f"{each.images:,}", took, each.ganzoo, digest])
    return seen


def _common_draws(shown: Sequence[_Seen]) -> int:
    """As many draws of the noise as every explorer has room for, so that one die moves them all."""
    samplers = [each.sampler for each in shown if each.sampler is not None]
    layouts = [lay_out(sampler.latent, sampler.data, sprites_each(len(shown))) for sampler in samplers]
    return min((len(axis) for each in layouts for axis in each.axes if axis.key == DIE), default=MOST_DRAWS)


def _drawn(trainings: Sequence[curves.Training]) -> list[tuple[curves.Chart, Markup]]:
    return [(chart, curves.draw(chart)) for chart in curves.charts(trainings)]
