"""Train InfoGAN on MNIST with one ingredient changed at a time, over several seeds, and score the categorical code.

python benchmarks/ablation.py                                  # every row, seeds 100-102, 200k images, training split
python benchmarks/ablation.py strong paper --seeds 0-4 --images 640k --split test
python benchmarks/ablation.py --workers 8                      # on a GPU, which has room for several runs
python benchmarks/ablation.py --table                          # what has been measured, as Markdown

Runs go into a folder, a line of scores for each checkpoint into its ``scores.jsonl``: what is there is not trained
again, and a run that was cut off goes on. No label takes part in training, nor in deciding when it ends.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch

import ganzoo
from ganzoo.evaluation.evaluate import open_subject
from ganzoo.evaluation.matching import contingency, error, many_to_one, one_to_one
from ganzoo.evaluation.metrics.codes import read_code
from ganzoo.evaluation.subject import Part
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.hardware import Hardware
from ganzoo.zoo.manager import default_zoo

MAPS = Path(__file__).with_name("maps.py")
"""The plugin whose data sets are MNIST with other maps."""

PLAIN = {"critic_lr": 2e-4, "recognition_lr": 2e-4, "instance_noise": 0.0, "augmentation": 0.0}
"""The default recipe without what it adds: the paper's objective and rates on the default networks."""

_recipe = default_zoo().catalogue.models["infogan"].recipes["mnist"]["strong"]
STRONG = {**_recipe.options, "batch": _recipe.batch, "half_life": _recipe.half_life}
"""The strong recipe's settings, for data sets that have no recipe."""

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "paper": ("infogan@paper", {}),
    "default": ("infogan", {}),
    "strong": ("infogan@strong", {}),
    "plain": ("infogan", PLAIN),
    "head's rate": ("infogan", PLAIN | {"recognition_lr": 1e-3}),
    "rates": ("infogan", PLAIN | {"critic_lr": 5e-4, "recognition_lr": 1e-3}),
    "noise": ("infogan", PLAIN | {"instance_noise": 0.6}),
    "maps": ("infogan", PLAIN | {"augmentation": 0.5}),
    "consistency": ("infogan", PLAIN | {"consistency": 1.0}),
    "r1": ("infogan", PLAIN | {"r1": 0.25}),
    "spectral norm": ("infogan", PLAIN | {"spectral_norm": True, "critic_norm": "none"}),
    "default, paper's rates": ("infogan", {"critic_lr": 2e-4, "recognition_lr": 2e-4}),
    "default, critic's rate 2e-4": ("infogan", {"critic_lr": 2e-4}),
    "default, no noise": ("infogan", {"instance_noise": 0.0}),
    "default, no maps": ("infogan", {"augmentation": 0.0}),
    "default, batch 64": ("infogan", {"batch": 64}),
    "default, batch 256": ("infogan", {"batch": 256}),
    "default, no averaging": ("infogan", {"half_life": 1}),
    "default, r1": ("infogan", {"r1": 0.25}),
    "default, spectral norm": ("infogan", {"spectral_norm": True, "critic_norm": "none"}),
    "default, 20 codes": ("infogan", {"categories": [20]}),
    "strong, critic's rate 2e-4": ("infogan@strong", {"critic_lr": 2e-4}),
    "strong, critic's rate 1e-3": ("infogan@strong", {"critic_lr": 1e-3}),
    "strong, no noise": ("infogan@strong", {"instance_noise": 0.0}),
    "strong, no maps for the critic": ("infogan@strong", {"augmentation": 0.0}),
    "strong, consistency 0.5": ("infogan@strong", {"consistency": 0.5}),
    "strong, consistency 2": ("infogan@strong", {"consistency": 2.0}),
    "strong, maps half as large": ("infogan", {"data": "mnist-half-maps", **STRONG}),
    "strong, maps twice as large": ("infogan", {"data": "mnist-double-maps", **STRONG}),
    "strong, noise 1": ("infogan@strong", {"instance_noise": 1.0}),
    "strong, head's rate 2e-3": ("infogan@strong", {"recognition_lr": 2e-3}),
    "strong, averaged shorter": ("infogan@strong", {"half_life": 10_000}),
    "strong, rates twice as fast": ("infogan@strong", {"critic_lr": 1e-3, "recognition_lr": 2e-3}),
    "strong, batch 256": ("infogan@strong", {"batch": 256}),
    "strong, 20 codes": ("infogan@strong", {"categories": [20]}),
}
"""By name: the recipe, and the settings that are other than its."""

SETTINGS = ("data", "batch", "half_life")
"""Those of the settings that are not the model's options."""


class Scorer(ganzoo.Observer):
    """Adds a line to the scores at each checkpoint of a run, with the time since the one before.

    The time is the processor's; on a GPU it is the clock's, which counts waiting for other runs too.
    """

    def __init__(self, file: Path, row: str, seed: int, part: Part) -> None:
        self.file, self.row, self.seed, self.part = file, row, seed, part
        self.run: RunDirectory | None = None
        self.device = Hardware.choose().device
        self.clock = time.process_time if self.device.type == "cpu" else time.perf_counter
        self.since = self.clock()

    def started(self, plan: Any, run: RunDirectory) -> None:
        """Remember where the run is."""
        self.run = run

    def saved(self, images: int, path: Path) -> None:
        """Score the checkpoint and append the line; a whole line at once, so that two processes may share a file."""
        assert self.run is not None
        line: dict[str, Any] = {"row": self.row, "seed": self.seed, "split": self.part, "images": images}
        line["seconds"] = round(self.clock() - self.since, 1)
        line |= measured(self.run, self.part, self.device)
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.since = self.clock()


@torch.no_grad()
def measured(run: RunDirectory, part: Part, device: torch.device) -> dict[str, float]:
    """Error of the code under the best matching, and the information bound, both of the newest checkpoint."""
    subject = open_subject(run, default_zoo(), device=device)
    samples = subject.real(part, 10_000)
    variable = subject.latent["category"]
    codes = read_code(subject, samples.values, "category")
    table = contingency(codes, samples.labels["label"], variable.size, 10)
    scores = {"error": error(table, one_to_one(table)), "many_to_one": error(table, many_to_one(table))}
    latents = subject.latents()
    parameters = subject.judge(subject.fakes()).recognised["category"]
    log_q = subject.latent.posterior("category", parameters).log_prob(latents["category"]).double()
    return scores | {"information": float(log_q.mean()) + math.log(variable.size)}


def train(task: tuple[str, int, str, Part, Path, dict[str, str]]) -> str:
    """Train one row with one seed to its end, or go on with it, on one thread."""
    row, seed, images, part, folder, more = task
    torch.set_num_threads(1)
    default_zoo().register_file(MAPS)
    recipe, options = ROWS[row]
    out = folder / f"{row}-{seed}"
    observer = Scorer(folder / "scores.jsonl", row, seed, part)
    begun = sorted(out.glob("0*"))
    if begun and ganzoo.open(begun[-1]).record.images:
        run = ganzoo.resume(begun[-1], flags={"images": images}, observer=observer)
    else:
        flags = {"images": images, "seed": seed, **more, **{key: options[key] for key in SETTINGS if key in options}}
        data = flags.pop("data", "mnist")
        chosen = {key: value for key, value in options.items() if key not in SETTINGS}
        configured = ganzoo.configure(recipe, data=data, flags=flags, options=chosen)
        run = ganzoo.start(configured, out=out, observer=observer)
    found = scores_of(folder, row, seed, part)
    if not found or found[-1]["images"] != run.record.images:  # finished before, and scored on the other split
        observer.run = run.directory
        observer.since = observer.clock() - sum(line["seconds"] for line in read(folder) if is_of(line, row, seed))
        observer.saved(run.record.images, run.path)
        found = scores_of(folder, row, seed, part)
    last = found[-1]
    return f"{row}, seed {seed}: {run.record.images:,} images, error {last['error']:.2%}"


def scores_of(folder: Path, row: str, seed: int, part: Part) -> list[dict[str, Any]]:
    """A run's lines of scores on a split."""
    return [line for line in read(folder) if is_of(line, row, seed) and line["split"] == part]


def is_of(line: dict[str, Any], row: str, seed: int) -> bool:
    """Whether a line of scores is of that run."""
    return (line["row"], line["seed"]) == (row, seed)


def read(folder: Path) -> list[dict[str, Any]]:
    """The lines of the scores, in their order; a later line of the same checkpoint replaces the one before."""
    file = folder / "scores.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return list({(line["row"], line["seed"], line["split"], line["images"]): line for line in lines}.values())


def tabled(lines: list[dict[str, Any]]) -> Iterator[str]:
    """The last line of every run, as a Markdown table with a line a row."""
    yield "| row | images | seeds | error, each seed | median | worst | information, median | minutes |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in ROWS:
        every = [line for line in lines if line["row"] == row]
        last = {line["seed"]: line for line in every}
        if not last:
            continue
        runs = [last[seed] for seed in sorted(last)]
        kind = "many_to_one" if "20 codes" in row else "error"
        errors = [run[kind] for run in runs]
        each = ", ".join(f"{100 * value:.1f}" for value in errors) + " %"
        shown = f"{row} (many-to-one)" if kind != "error" else row
        information = median(run["information"] for run in runs)
        minutes = median(sum(line["seconds"] for line in every if line["seed"] == seed) for seed in last) / 60
        yield (
            f"| {shown} | {max(run['images'] for run in runs):,} | {len(runs)} | {each} | {median(errors):.1%} | "
            f"{max(errors):.1%} | {information:.3f} | {minutes:.1f} |"
        )


def main() -> None:
    """Train what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="Train InfoGAN with one ingredient changed at a time.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} [all]")
    parser.add_argument("--seeds", default="100-102", help="first and last [100-102]")
    parser.add_argument("--images", default="200k", help="budget of each run [200k]")
    parser.add_argument("--every", help="images between two scores [a tenth of the budget]")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="what to score on [train]")
    parser.add_argument("--out", type=Path, default=Path("ablation"), help="folder of runs and scores [ablation]")
    parser.add_argument("--workers", type=int, default=2, help="runs at once, of one thread each [2]")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help="of the networks [auto]")
    parser.add_argument("--table", action="store_true", help="print what is there")
    asked = parser.parse_args()
    if asked.table:
        print("\n".join(tabled([line for line in read(asked.out) if line["split"] == asked.split])))
        return
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"there is no row {sorted(unknown)[0]!r}; there are {', '.join(ROWS)}")
    first, _, last = asked.seeds.partition("-")
    asked.out.mkdir(parents=True, exist_ok=True)
    more = {"precision": asked.precision} | ({"save_every": asked.every} if asked.every else {})
    tasks = [
        (row, seed, asked.images, asked.split, asked.out, more)
        for seed in range(int(first), int(last or first) + 1)
        for row in asked.rows or ROWS
    ]
    with ProcessPoolExecutor(asked.workers, get_context("spawn")) as pool:
        for told in pool.map(train, tasks):
            print(told, flush=True)


if __name__ == "__main__":
    main()
