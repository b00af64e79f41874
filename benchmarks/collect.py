"""Finished runs as lines of docs/results/*.jsonl: from the folders of ablation.py, and from comparisons."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ablation import ROWS, SETTINGS, read

from ganzoo.comparison.model import Comparison
from ganzoo.evaluation.records import newest, read_records
from ganzoo.evaluation.setting import FAST
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import write_atomically

__all__ = ["DATA", "EVALUATED", "SCORES", "Line", "load", "of_ablation", "of_comparison", "store"]

DATA = Path(__file__).resolve().parents[1] / "docs" / "results"

CODE = (
    "argmax of Q(category | x), averaged critic with batch statistics of 2,500 training and as many generated samples, "
    "on 10,000 samples of the {} split, one-to-one (Hungarian) matching"
)
SCORES = {
    "mnist": {
        "agreement": ("class agreement", "share"),
        "worst_agreement": ("worst class", "share"),
        "train_on_fakes": ("GAN-train", "share"),
        "frechet_distance": ("Fréchet distance", ""),
        "recall": ("recall", "share"),
        "clusters_error/critic": ("clusters, error", "share"),
        "probe_error/critic": ("linear probe, error", "share"),
    },
    "sprites": {
        "factor_vae": ("FactorVAE score", ""),
        "mig": ("MIG", ""),
        "dci_disentanglement": ("DCI disentanglement", ""),
        "dci_completeness": ("DCI completeness", ""),
        "sap": ("SAP", ""),
        "beta_vae": ("BetaVAE score", ""),
    },
}
"""Of comparisons on a data set: by name what a column is called, and its unit. The lines are in ``zoo-DATA.jsonl``."""
EVALUATED = {
    "clusters_error/critic": ("k-means, error", "share"),
    "clusters_error/pixels": ("k-means of pixels", "share"),
    "probe_error/critic-100": ("probe, 100 labels", "share"),
    "probe_error/critic-1000": ("probe, 1,000 labels", "share"),
    "probe_error/pixels-1000": ("the same of pixels", "share"),
    "frechet_distance": ("Fréchet distance", ""),
    "recall": ("recall", "share"),
}
"""What is taken of ``ganzoo eval``, where it has been typed for a run of the ablation; as in ``SCORES``."""
AS_USUAL = (FAST.name, 0, FAST.samples)
"""Setting, seed and number of samples of the evaluations that count."""


@dataclass(frozen=True)
class Line:
    """A run.

    Attributes:
        row: what of a table it belongs to.
        recipe: ``model@recipe``, with any options that are other than its behind it.
        data: name of the data set.
        seed: of the training.
        split: that the scores are of.
        images: budget used.
        minutes: of training; on a GPU with whatever else ran there.
        machine: where.
        protocol: how the scores were measured.
        scores: by name.
        floors: what real samples have in place of generated ones, by name.
        curve: (images, error, information) of each checkpoint, for a code.
    """

    row: str
    recipe: str
    data: str
    seed: int
    split: str
    images: int
    minutes: float
    machine: str
    protocol: str
    scores: dict[str, float]
    floors: dict[str, float] = field(default_factory=dict)
    curve: list[list[float]] = field(default_factory=list)


def load(name: str) -> list[Line]:
    """The lines of a data file, in order."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [Line(**json.loads(line)) for line in text.splitlines()]


def store(name: str, found: Iterable[Line]) -> None:
    """Adds lines to a data file, each in place of that of the same run; rows are in the order of ``ablation.py``."""
    known = {(line.row, line.split, line.seed): line for line in [*load(name), *found]}
    rows = list(dict.fromkeys([*ROWS, *(line.row for line in known.values())]))
    ordered = sorted(known.values(), key=lambda line: (line.split, rows.index(line.row), line.seed))
    content = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in ordered)
    write_atomically(DATA / f"{name}.jsonl", content)


def of_ablation(folder: Path, machine: str) -> list[Line]:
    """The finished runs of a folder of ``ablation.py``, evaluated ones with that; says which are left out."""
    checkpoints: dict[tuple[str, int, str], list[dict[str, float]]] = {}
    for each in read(folder):
        checkpoints.setdefault((each["row"], each["seed"], each["split"]), []).append(each)
    found = []
    for (row, seed, split), lines in checkpoints.items():
        if row not in ROWS:
            print(f"left out: {row}, seed {seed}, which ablation.py does not know")
            continue
        run, last = RunDirectory.list(folder / f"{row}-{seed}")[-1], lines[-1]
        record, config = run.record, run.record.config
        if record.status != "finished" or last["images"] != record.images:
            print(f"left out: {row}, seed {seed}, {last['images']:,} of {config.images:,} images")
            continue
        records = [each for each in read_records(run) if (each.setting, each.seed, each.requested) == AS_USUAL]
        evaluated = newest(records) if split == "test" else {}
        changed = "".join(
            f" {key}={value}" if key in SETTINGS else f" -o {key}={json.dumps(value)}"
            for key, value in ROWS[row][1].items()
        )
        found.append(
            Line(
                row=row,
                recipe=f"{config.model}@{config.recipe}{changed}",
                data=config.data,
                seed=seed,
                split=split,
                images=record.images,
                minutes=round(sum(each["seconds"] for each in lines) / 60, 1),
                machine=machine,
                protocol=CODE.format(split),
                scores={name: last[name] for name in ("error", "many_to_one", "information")}
                | {name: evaluated[name][1].value for name in EVALUATED if name in evaluated},
                curve=[[each["images"], each["error"], round(each["information"], 4)] for each in lines],
            )
        )
    return found


def of_comparison(file: Path) -> list[Line]:
    """The runs of a comparison under one protocol, as ``comparison.json`` and ``ganzoo compare --json`` have them."""
    comparison = Comparison.model_validate_json(file.read_bytes())
    same = comparison.protocol
    if same.differences or comparison.failures:
        raise SystemExit(f"{file}: {'; '.join((*same.differences, *comparison.failures))}")
    if same.data not in SCORES:
        raise SystemExit(f"{file}: there is no page for {same.data}, only for {' and '.join(SCORES)}")
    rows = {row.name: row for row in comparison.rows if row.name in SCORES[same.data]}
    features = f", {same.extractor} features" if same.extractor else ""
    found = []
    for entrant in comparison.entrants:
        for index, run in enumerate(entrant.runs):
            values = {name: row.cells[entrant.label].values for name, row in rows.items()}
            complete = {name: each for name, each in values.items() if len(each) == len(entrant.runs)}
            scores = {name: each[index] for name, each in complete.items()}
            found.append(
                Line(
                    row=entrant.label,
                    recipe=f"{entrant.model}@{entrant.recipe or 'default'}",
                    data=same.data,
                    seed=run.seed,
                    split="test",
                    images=run.images,
                    minutes=round(run.seconds / 60, 1),
                    machine=f"{comparison.machine}, {entrant.precision}",
                    protocol=f"{same.setting} evaluation, {same.samples:,} samples{features}",
                    scores={name: value for name, value in scores.items() if value is not None},
                    floors={name: row.floor for name, row in rows.items() if row.floor is not None},
                )
            )
    return found
