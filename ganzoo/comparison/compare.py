"""The comparison itself: train what is missing, measure everything in the same way, and save the table."""

from pathlib import Path
from typing import Any

from ganzoo.comparison.model import Comparison, Entrant, EntrantRun, Protocol, Row
from ganzoo.comparison.plan import ComparisonPlan, PlannedEntrant, PlannedRun, median_rate
from ganzoo.comparison.planning import plan_comparison
from ganzoo.comparison.protocol import precision_of
from ganzoo.comparison.request import Request
from ganzoo.comparison.scores import Measured, measure
from ganzoo.comparison.table import cost_rows, csv_text, score_rows
from ganzoo.comparison.training import Interrupted, Outcome, Watcher
from ganzoo.core.errors import RunError
from ganzoo.models.model import Model
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import write_atomically
from ganzoo.runs.record import installed_versions, plugin_versions
from ganzoo.training.start import versions_of

__all__ = ["carry_out", "compare", "folder_of"]


def compare(*entrants: str | type[Model], watcher: Watcher | None = None, **settings: Any) -> Comparison:
    """Compare models and runs under one protocol; what is missing is trained first.

    Args:
        *entrants: ``MODEL[@RECIPE]``, model classes, or runs by directory, number or name.
        watcher: whom to tell of the progress.
        **settings: as the attributes of ``Request``.

    Returns:
        The comparison, which is saved in its folder as ``comparison.json``, ``table.csv`` and ``report.html``.

    Raises:
        UsageError: a name or setting is wrong, or the protocols are unequal; nothing was trained.
        RunError: every training failed, or a run cannot be evaluated.
        Interrupted: it was asked to stop; what was done is saved, and the same call goes on.
    """
    return carry_out(plan_comparison(Request(entrants, **settings)), watcher or Watcher())


def carry_out(plan: ComparisonPlan, watcher: Watcher) -> Comparison:
    """Do what was planned.

    Raises:
        RunError: every training failed, or a run cannot be evaluated.
        Interrupted: it was asked to stop; what was done is saved.
    """
    try:
        outcomes = _train(plan, watcher)
        failures = [
            f"{each.training.name} failed, and is left out: {each.error}" for each in outcomes if each.run is None
        ]
        trained = {(each.training.label, each.training.seed): each.run for each in outcomes}
        runs = {
            entrant.label: [
                (planned, run)
                for planned in entrant.runs
                if (run := trained.get((entrant.label, planned.seed), planned.run)) is not None
            ]
            for entrant in plan.entrants
        }
        taking_part = [entrant for entrant in plan.entrants if runs[entrant.label]]
        if not taking_part:
            raise RunError(failures[0])
        measured = _measured(plan, runs, watcher)
    except (Interrupted, KeyboardInterrupt) as error:
        again = f": {plan.command}" if plan.command else ""
        raise Interrupted(
            f"interrupted; what is done is saved, and the same command goes on from there{again}"
        ) from error
    finally:
        watcher.close()
    entrants = [_entrant(each, runs[each.label], measured[each.label]) for each in taking_part]
    rows = score_rows(measured, plan.examination.metrics)
    comparison = Comparison(
        name=plan.name,
        command=plan.command,
        versions=_versions(plan),
        machine=plan.machine,
        protocol=_protocol(plan),
        entrants=tuple(entrants),
        rows=(*rows, *cost_rows(entrants)),
        notes=(
            *failures,
            *(each.note for each in outcomes if each.note),
            *_left_out(plan, rows, measured),
            *plan.notes,
        ),
        failures=tuple(failures),
    )
    _save(comparison, plan)
    return comparison


def folder_of(plan: ComparisonPlan) -> Path:
    """Where a comparison is saved."""
    return Path(plan.out) / plan.name


def _train(plan: ComparisonPlan, watcher: Watcher) -> list[Outcome]:
    return [_as_planned(outcome) for outcome in plan.place.train(plan.trainings, plan.root, watcher)]


def _as_planned(outcome: Outcome) -> Outcome:
    """The outcome, unless another process has found other code of the plugin than this one has."""
    planned = plugin_versions(versions_of(outcome.training.configured))
    if outcome.run is None or plugin_versions(outcome.run.record.versions) == planned:
        return outcome
    said = "its plugin was edited after the comparison had begun; the same command trains it anew"
    return Outcome(outcome.training, None, said)


def _measured(
    plan: ComparisonPlan, runs: dict[str, list[tuple[PlannedRun, RunDirectory]]], watcher: Watcher
) -> dict[str, list[Measured]]:
    """What is known of every run, by entrant."""
    found: dict[str, list[Measured]] = {}
    for label, own in runs.items():
        for planned, run in own:
            name = f"{label}, seed {planned.seed}"

            def progress(metric: str, done: int, total: int, name: str = name) -> None:
                watcher.measuring(name, metric, done, total)

            found.setdefault(label, []).append(measure(run, plan.zoo, plan.examination, progress))
    return found


def _entrant(entrant: PlannedEntrant, runs: list[tuple[PlannedRun, RunDirectory]], measured: list[Measured]) -> Entrant:
    return Entrant(
        label=entrant.label,
        model=entrant.config.model,
        recipe=entrant.config.recipe,
        batch=entrant.config.batch,
        precision=precision_of(entrant.config),
        device=entrant.config.device,
        options=entrant.config.options,
        parameters=entrant.game.parameter_counts(),
        runs=tuple(
            EntrantRun(
                seed=planned.seed,
                path=str(run.path),
                origin=planned.origin,
                images=known.images,
                seconds=run.record.seconds,
                images_per_second=median_rate(run),
                peak_memory=run.record.peak_memory,
                ganzoo=run.record.versions.get("ganzoo", ""),
            )
            for (planned, run), known in zip(runs, measured, strict=True)
        ),
    )


def _versions(plan: ComparisonPlan) -> dict[str, str]:
    """Of the software that compared, with the plugins of all that took part."""
    extractor = plan.examination.extractor
    models = [type(entrant.game.model) for entrant in plan.entrants]
    features = [type(extractor)] if extractor else []
    return installed_versions(plan.zoo.versions(*models, *plan.examination.metrics.values(), *features))


def _left_out(plan: ComparisonPlan, rows: list[Row], measured: dict[str, list[Measured]]) -> list[str]:
    """The metrics that apply to no entrant, and why not."""
    found = {row.metric for row in rows}
    reasons = {metric: reason for runs in measured.values() for run in runs for metric, reason in run.skipped.items()}
    return [f"{metric} was left out: {reasons[metric]}" for metric in plan.examination.metrics if metric not in found]


def _protocol(plan: ComparisonPlan) -> Protocol:
    examination = plan.examination
    extractor, sha256 = examination.extractor.identity if examination.extractor else (None, None)
    return Protocol(
        data=plan.data,
        data_options=dict(plan.data_options),
        data_checksum=plan.checksum,
        images=plan.images,
        seeds=plan.seeds,
        setting=examination.setting.name,
        samples=examination.setting.samples,
        evaluation_seed=examination.seed,
        extractor=extractor,
        extractor_sha256=sha256,
        differences=plan.differences,
    )


def _save(comparison: Comparison, plan: ComparisonPlan) -> None:
    """Writes ``comparison.json``, ``table.csv`` and ``report.html``."""
    from ganzoo.comparison.report import write_comparison_report

    folder = folder_of(plan)
    write_atomically(folder / "comparison.json", comparison.model_dump_json(indent=2) + "\n")
    write_atomically(folder / "table.csv", csv_text(comparison))
    write_comparison_report(comparison, folder / "report.html", plan.zoo, plan.examination.device)
