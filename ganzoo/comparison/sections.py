"""What the parts of a page say, as plain texts and numbers that a template only lays out."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo.comparison.model import Comparison, Row
from ganzoo.comparison.wording import amount, better, duration, with_spread
from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation.metric import GROUPS
from ganzoo.evaluation.score import Score
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.sampler import Sampler
from ganzoo.zoo.manager import Zoo

__all__ = [
    "STAR",
    "Confusion",
    "comparison_legend",
    "comparison_protocol",
    "comparison_provenance",
    "comparison_rows",
    "confusion",
    "listed",
    "run_provenance",
    "run_tags",
    "score_rows",
    "weights_sha256",
]

STAR = (
    "marks what is better than every other by Welch's t test at 5 %, so that of twenty rows of equal models about one "
    "has it by chance at the most; what is better than real data counts as they do"
)
"""What a star says of a cell."""

_LEVELS = 5
"""Shades of a table of shares, beside no shade at all."""


class Cell(NamedTuple):
    """A share in a table: its text, and how dark its ground is."""

    text: str
    level: int


class Confusion(NamedTuple):
    """Codes against classes, a row a code.

    Attributes:
        name: of the code.
        classes: the columns.
        rows: a label and a cell for each class; codes in the order of the classes that they stand for.
        said: what the table comes to, in a sentence.
    """

    name: str
    classes: list[str]
    rows: list[tuple[str, list[Cell]]]
    said: str


def run_tags(run: RunDirectory) -> list[str]:
    """The run in a few words."""
    record = run.record
    return [
        f"{record.images:,} images",
        *([duration(record.seconds)] if record.seconds else []),
        f"seed {record.config.seed}",
        record.status,
    ]


def score_rows(found: Iterable[tuple[str, Score]], zoo: Zoo) -> list[tuple[str, list[dict[str, str]]]]:
    """The scores, given with their metrics, by group, in the order of the groups, each as texts."""
    metrics = zoo.metrics()
    groups: dict[str, list[dict[str, str]]] = {group: [] for group in GROUPS}
    for name, score in found:
        metric = metrics.get(name)  # its plugin may be gone
        groups[metric.group if metric else "other"].append(
            {
                "name": score.name,
                "protocol": score.protocol,
                "note": score.note,
                "value": amount(score.value, score.unit),
                "floor": "" if score.floor is None else amount(score.floor, score.unit),
                "ceiling": "" if score.ceiling is None else amount(score.ceiling, score.unit),
                "better": better(score.better),
            }
        )
    return [(group.capitalize(), rows) for group, rows in groups.items() if rows]


def confusion(score: Score, latent: LatentSpec) -> Iterator[Confusion]:
    """The table of a code's values against the classes, if this is the score that rests on one."""
    kind, _, name = score.name.partition("/")
    if kind != "code_error" or "confusion" not in score.details:
        return
    classes, counts = list(map(str, score.details["classes"])), score.details["confusion"]
    matching = score.details["matching"]
    # As they are called now, which may be since after the evaluation.
    names = getattr(latent[name], "names", None) or list(map(str, range(len(counts))))
    # In this order a perfect code has a diagonal; codes that stand for no class come last.
    order = sorted(range(len(counts)), key=lambda code: (matching[code] is None, matching[code], code))
    rows = []
    for code in order:
        total = sum(counts[code])
        shares = [count / total if total else 0.0 for count in counts[code]]
        rows.append((str(names[code]), [_share(share) for share in shares]))
    said = (
        "" if score.value is None else f"Matched one to one, {amount(score.value, 'share')} of the samples are wrong."
    )
    yield Confusion(name, classes, rows, said)


def run_provenance(run: RunDirectory, sampler: Sampler) -> list[tuple[str, str]]:
    """Where the run comes from: data, seed, software, weights."""
    record, config = run.record, run.record.config
    versions = ", ".join(f"{name} {number}" for name, number in sorted(record.versions.items()))
    facts = [
        ("Model", config.model + (f", recipe {config.recipe}" if config.recipe else "")),
        ("Latent space", str(sampler.latent)),
        ("Data", f"{config.data}, {record.data_spec.size:,} training samples"),
        ("Data's SHA-256", record.data_checksum),
        ("Seed", str(config.seed)),
        ("Images", f"{record.images:,} of {config.images:,}"),
        ("Begun", f"{record.created:%Y-%m-%d %H:%M} UTC"),
        ("Software", versions),
        ("Device, precision", f"{config.device}, {config.precision}"),
    ]
    if sampler.checkpoint is not None:
        facts.append(("Checkpoint", sampler.checkpoint.path.name))
        facts.append(("Averaged weights' SHA-256", weights_sha256(sampler)))
    if record.command:
        facts.append(("Typed", record.command))
    return facts


def weights_sha256(sampler: Sampler) -> str:
    """The SHA-256 of the file of averaged weights, which the pictures are from."""
    files = sampler.checkpoint.manifest.files if sampler.checkpoint is not None else {}
    file = files.get("averaged.safetensors")
    return file.sha256 if file is not None else "–"


def comparison_rows(comparison: Comparison) -> tuple[list[tuple[str, list[dict[str, Any]]]], list[str]]:
    """The table by group, and the remarks that its cells refer to by number."""
    remarks: list[str] = []
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in comparison.rows:
        groups.setdefault(row.group, []).append(
            {
                "name": row.name,
                "protocol": row.protocol,
                "floor": "" if row.floor is None else amount(row.floor, row.unit),
                "ceiling": "" if row.ceiling is None else amount(row.ceiling, row.unit),
                "better": better(row.better),
                "cells": [_cell(row, entrant.label, remarks) for entrant in comparison.entrants],
            }
        )
    return [(group.capitalize(), rows) for group, rows in groups.items()], remarks


def comparison_protocol(comparison: Comparison) -> str:
    """What was the same for all, in a sentence."""
    protocol = comparison.protocol
    said = (
        f"Each model saw {protocol.images:,} images of {Path(protocol.data).name}, {_trained(comparison)}, "
        f"and was measured on {protocol.samples:,} samples of its averaged generator"
    )
    if protocol.extractor:
        digest = f" ({protocol.extractor_sha256[:8]})" if protocol.extractor_sha256 else ""
        said += f" in {protocol.extractor} features{digest}"
    return f"{said}."


def comparison_provenance(comparison: Comparison) -> list[tuple[str, str]]:
    """Where the comparison comes from: data, seeds, setting, software."""
    protocol = comparison.protocol
    facts = [
        ("Data", protocol.data),
        ("Data's SHA-256", protocol.data_checksum),
        ("Images of each training", f"{protocol.images:,}"),
        ("Seeds of the trainings", ", ".join(map(str, protocol.seeds))),
        ("Evaluation", f"{protocol.setting}, {protocol.samples:,} samples, seed {protocol.evaluation_seed}"),
        ("Made", f"{comparison.created:%Y-%m-%d %H:%M} UTC"),
        ("Software", ", ".join(f"{name} {number}" for name, number in sorted(comparison.versions.items()))),
        ("Machine", comparison.machine),
    ]
    if protocol.extractor:
        digest = f", SHA-256 {protocol.extractor_sha256}" if protocol.extractor_sha256 else ""
        facts.append(("Extractor", f"{protocol.extractor}{digest}"))
    return [(name, value) for name, value in facts if value]


def comparison_legend(comparison: Comparison) -> str:
    """How to read the table."""
    if any(len(entrant.runs) > 1 for entrant in comparison.entrants):
        said = f"Mean ± standard deviation over the seeds. A star {STAR}."
    else:
        said = "One seed each: the spread between trainings is not known, so none is claimed to be the best."
    return f"{said} “Real data” is the same number for real samples in place of generated ones."


def listed(names: Iterable[str]) -> str:
    """The names as one reads them out: ``gan, cgan and acgan``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _trained(comparison: Comparison) -> str:
    """With which seeds, as the runs have them; a training may have failed, and given runs have their own."""
    said = {entrant.label: _with([run.seed for run in entrant.runs]) for entrant in comparison.entrants}
    alike = len(set(said.values())) == 1
    return next(iter(said.values())) if alike else listed(f"{label} {seeds}" for label, seeds in said.items())


def _with(seeds: Sequence[int]) -> str:
    numbers = ", ".join(map(str, seeds))
    return f"with seed {numbers}" if len(seeds) == 1 else f"once with each of {len(seeds)} seeds ({numbers})"


def _cell(row: Row, label: str, remarks: list[str]) -> dict[str, Any]:
    cell = row.cells[label]
    remark = cell.skipped or cell.note
    if remark and remark not in remarks:
        remarks.append(remark)
    return {
        "text": with_spread(cell.mean, cell.spread, row.unit),
        "best": cell.best,
        "mark": str(remarks.index(remark) + 1) if remark else "",
    }


def _share(share: float) -> Cell:
    percent = round(100 * share)
    return Cell(f"{percent}" if percent else "·", min(_LEVELS, int(share * _LEVELS + 0.999)) if percent else 0)
