"""The table of a comparison: a row a quantity, a cell an entrant, and the best marked where seeds allow it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from math import inf, isclose, isfinite
from statistics import fmean, stdev
from typing import Literal

from ganzoo.comparison.model import Cell, Comparison, Entrant, Row
from ganzoo.comparison.scores import Measured
from ganzoo.evaluation.metric import GROUPS, Metric
from ganzoo.evaluation.score import Score

__all__ = ["COST", "cell", "cost_rows", "csv_text", "marked", "score_rows"]

COST = "cost"
"""The group of what an entrant takes, which is shown below what it achieves."""

CHANCE = 0.05
"""How often one of two entrants that are equal is marked as better, at the most."""

COLUMNS = (
    *("group", "name", "unit", "better", "floor", "ceiling", "entrant", "mean", "spread", "values", "best"),
    *("note", "protocol"),
)


def cell(values: Sequence[float | None], note: str = "") -> Cell:
    """Mean and spread of one quantity over an entrant's runs.

    Args:
        values: one a run; None where it is not a finite number, and then there is no mean either.
        note: what to know about it.

    Returns:
        The cell; its spread is the standard deviation of the sample (n - 1 in the denominator).
    """
    finite = [value for value in values if value is not None and isfinite(value)]
    if len(finite) < len(values):
        missing = len(values) - len(finite)
        note = f"{note}; " if note else ""
        return Cell(values=tuple(values), note=f"{note}not a finite number in {missing} of {len(values)} runs")
    return Cell(
        mean=fmean(finite),
        spread=stdev(finite) if len(finite) > 1 else None,
        values=tuple(values),
        note=note,
    )


def marked(
    cells: Mapping[str, Cell], better: Literal["lower", "higher"] | None, floor: float | None = None
) -> dict[str, Cell]:
    """The cells, the best of them marked if seeds show that it is.

    The best is marked where Welch's t test finds it ahead of each of the others, at the level ``CHANCE``, two-sided.
    Without two runs of each there is no spread, and nothing is marked. Nothing is to be won beyond real data: a mean
    that is better counts as theirs.

    Args:
        cells: by entrant.
        better: which direction is; without one, there is no best.
        floor: the number of real data, if there is one.
    """
    compared = {label: each for label, each in cells.items() if each.mean is not None}
    if better is None or len(compared) < 2 or any(each.spread is None for each in compared.values()):
        return dict(cells)
    sign = 1 if better == "higher" else -1
    limit = inf if floor is None else sign * floor
    merits = {label: min(sign * (each.mean or 0.0), limit) for label, each in compared.items()}
    best = max(merits, key=lambda label: merits[label])
    for label, other in compared.items():
        if label != best and not _apart(merits[best] - merits[label], compared[best], other):
            return dict(cells)
    return {label: each.model_copy(update={"best": label == best}) for label, each in cells.items()}


def _apart(difference: float, one: Cell, other: Cell) -> bool:
    """Whether means that differ by so much are of different things; without any spread, they are if they differ."""
    from scipy.stats import ttest_ind_from_stats

    if not (one.spread or other.spread):
        return difference > 0
    ours, theirs = (difference, one.spread or 0.0, len(one.values)), (0.0, other.spread or 0.0, len(other.values))
    return bool(ttest_ind_from_stats(*ours, *theirs, equal_var=False).pvalue < CHANCE)


def score_rows(measured: Mapping[str, Sequence[Measured]], metrics: Mapping[str, type[Metric]]) -> list[Row]:
    """A row for each score that any entrant has, group by group.

    Args:
        measured: by entrant, what is known of each of its runs.
        metrics: by name, in the order in which they are shown.
    """
    names: dict[tuple[str, str], None] = {}
    for metric in metrics:
        for runs in measured.values():
            for run in runs:
                names |= dict.fromkeys(key for key in run.scores if key[0] == metric)
    rows = [_score_row(metric, name, measured, metrics[metric]) for metric, name in names]
    order = [*GROUPS, COST]
    return sorted(rows, key=lambda row: order.index(row.group))


def _score_row(metric: str, name: str, measured: Mapping[str, Sequence[Measured]], about: type[Metric]) -> Row:
    scores = {
        label: [run.scores[metric, name] for run in runs if (metric, name) in run.scores]
        for label, runs in measured.items()
    }
    known = [score for found in scores.values() for score in found]
    protocols = list(dict.fromkeys(score.protocol for score in known))
    comparable = len(protocols) == 1
    cells = {label: _score_cell(metric, found, measured[label], comparable) for label, found in scores.items()}
    better = next((score.better for score in known if score.better is not None), None)
    floor, ceiling = _common(score.floor for score in known), _common(score.ceiling for score in known)
    return Row(
        name=name,
        group=about.group,
        metric=metric,
        unit=known[0].unit,
        better=better,
        floor=floor,
        ceiling=ceiling,
        protocol=protocols[0] if comparable else "",
        # Numbers that were measured in different ways have no best among them.
        cells=marked(cells, better, floor) if comparable else cells,
    )


def _common(values: Iterable[float | None]) -> float | None:
    """The value, where all that are known are the same but for rounding; a run's own stands for no other's."""
    known = [value for value in values if value is not None]
    return known[0] if known and all(isclose(value, known[0], rel_tol=1e-4) for value in known) else None


def _score_cell(metric: str, found: Sequence[Score], runs: Sequence[Measured], comparable: bool) -> Cell:
    if not found:
        reasons = [run.skipped[metric] for run in runs if metric in run.skipped]
        return Cell(skipped=reasons[0] if reasons else "it has no such variable")
    notes = [score.note for score in found if score.note]
    if not comparable:
        notes.append(f"measured on {found[0].protocol}")
    if len(found) < len(runs):
        notes.append(f"of {len(found)} of its {len(runs)} runs")
    return cell([score.value for score in found], "; ".join(dict.fromkeys(notes)))


def cost_rows(entrants: Sequence[Entrant]) -> list[Row]:
    """Parameters, speed, time and memory of the entrants; none of them is marked, for they depend on the machine."""
    parameters = {each.label: Cell(mean=each.total_parameters) for each in entrants}
    rates = {each.label: [run.images_per_second for run in each.runs] for each in entrants}
    seconds = {each.label: [run.seconds for run in each.runs] for each in entrants}
    memory = {each.label: [run.peak_memory for run in each.runs] for each in entrants}
    return [
        Row(name="parameters", group=COST, protocol="of all its networks", cells=parameters),
        Row(
            name="images_per_second",
            group=COST,
            unit="images/s",
            protocol="median over the training",
            cells=_costs(rates),
        ),
        Row(name="seconds", group=COST, unit="seconds", protocol="spent in training", cells=_costs(seconds)),
        Row(
            name="peak_memory",
            group=COST,
            unit="bytes",
            protocol="at the most: of the accelerator, or on a CPU of the process that trained",
            cells=_costs(memory, "not known: its process did more than this training, or cannot tell"),
        ),
    ]


def _costs(values: Mapping[str, Sequence[float | None]], unknown: str = "not known") -> dict[str, Cell]:
    return {
        label: cell(known) if (known := [value for value in found if value is not None]) else Cell(skipped=unknown)
        for label, found in values.items()
    }


def csv_text(comparison: Comparison) -> str:
    """The table for other programs: a line for each row and entrant, numbers in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in comparison.rows:
        for label, each in row.cells.items():
            values = " ".join("" if value is None else repr(value) for value in each.values)
            writer.writerow(
                [
                    *(row.group, row.name, row.unit, row.better, row.floor, row.ceiling),
                    *(label, each.mean, each.spread, values, int(each.best)),
                    *(each.skipped or each.note, row.protocol),
                ]
            )
    return text.getvalue()
