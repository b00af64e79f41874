"""Seconds of training until the code of a recipe finds the digits with an error of at most 5 %, over several seeds.

python benchmarks/seconds_to_error.py
python benchmarks/seconds_to_error.py infogan --seeds 0-9 --error 0.04 --every 16k

The clock runs while a run is set up and trained, and stands still while the code of the averaged critic is read from
10,000 samples of the test split, every few thousand images. Nothing is written: what ``ganzoo train`` spends on
statistics, checkpoints and pictures is not timed. One short training before makes the libraries ready and unpacks
MNIST; ``start`` says what it took. The score decides nothing but when the clock is read.
"""

import argparse
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import NamedTuple

import torch

from ganzoo import api
from ganzoo.benchmark.timing import wait_for
from ganzoo.core.data import Dataset
from ganzoo.data.open import open_dataset
from ganzoo.evaluation.matching import contingency, error, one_to_one
from ganzoo.evaluation.metrics.codes import read_code
from ganzoo.evaluation.subject import Subject
from ganzoo.runs.settings import parse_count
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.plan import Plan
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.manager import default_zoo


def read(plan: Plan, trainer: Trainer, dataset: Dataset) -> float:
    """Error of the categorical code on the test split, codes and digits matched one to one."""
    networks = {**plan.game.networks, "critic": deepcopy(trainer.averages["critic"]).eval()}
    sampler = Sampler.of(trainer.averages["generator"], plan.game.latent, plan.game.data)
    subject = Subject(None, replace(plan.game, networks=networks), sampler, dataset, None)  # type: ignore[arg-type]
    samples = subject.real("test", 10_000)
    codes = read_code(subject, samples.values, "category")
    table = contingency(codes, samples.labels["label"], plan.game.latent["category"].size, 10)
    return error(table, one_to_one(table))


class Look(NamedTuple):
    """A run at some moment: images used, seconds of training by then, error of its code."""

    images: int
    seconds: float
    error: float


def course(recipe: str, seed: int, every: int, dataset: Dataset, **flags: object) -> Iterator[Look]:
    """Train a seed, and look at it every so many images."""
    start = perf_counter()
    plan, trainer = api.prepare(api.configure(recipe, data="mnist", flags={"seed": seed, **flags}))
    seconds = 0.0
    while trainer.images < plan.config.images:
        until = min(trainer.images + every, plan.config.images)
        while trainer.images < until:
            trainer.play_round()
        wait_for(plan.hardware.device)
        seconds += perf_counter() - start
        yield Look(trainer.images, seconds, read(plan, trainer, dataset))
        start = perf_counter()


def main() -> None:
    """Train each seed until its error is low enough or its budget is used, and print the seconds."""
    parser = argparse.ArgumentParser(description="Seconds of training until the code has found the digits.")
    parser.add_argument("recipe", nargs="?", default="infogan@strong", help="model and recipe [infogan@strong]")
    parser.add_argument("--seeds", default="0-4", help="first and last [0-4]")
    parser.add_argument("--error", type=float, default=0.05, help="as a share [0.05]")
    parser.add_argument("--every", type=parse_count, default=8_000, help="images between two looks [8k]")
    parser.add_argument("--images", help="budget, which noise and rates of a recipe follow [the recipe's]")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    flags = {"device": asked.device, "precision": asked.precision, "images": asked.images}
    dataset = open_dataset(default_zoo(), "mnist")
    begun = perf_counter()
    next(course(asked.recipe, 10**6, 1_000, dataset, **flags))
    print(f"start: {perf_counter() - begun:.1f} s, {torch.get_num_threads()} threads", flush=True)
    reached = []
    for seed in range(int(first), int(last or first) + 1):
        for look in course(asked.recipe, seed, asked.every, dataset, **flags):
            if look.error <= asked.error:
                reached.append(look.seconds)
                break
        print(f"seed {seed}: {look.error:.2%} after {look.images:,} images, {look.seconds:.2f} s", flush=True)
    if reached:
        print(f"median of the {len(reached)} that got there: {median(reached):.2f} s, worst {max(reached):.2f} s")


if __name__ == "__main__":
    main()
