"""What a comparison is going to do, before it does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from statistics import median
from time import perf_counter
from typing import Any, Literal

import torch

from ganzoo.comparison.places import Place
from ganzoo.comparison.scores import Examination
from ganzoo.comparison.training import Training
from ganzoo.models.game import Game
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.configuration import Configured, prepare
from ganzoo.zoo.manager import Zoo

__all__ = ["ComparisonPlan", "PlannedEntrant", "PlannedRun", "makespan", "median_rate", "training_rate"]

TIMED = 0.3
"""Seconds of training that are enough to tell how fast it is."""


@dataclass(frozen=True)
class PlannedRun:
    """One run of an entrant.

    Attributes:
        seed: its seed.
        origin: what is done about it.
        run: the run, None where it does not exist yet.
        training: what is to be trained, None where nothing is.
    """

    seed: int
    origin: Literal["given", "reused", "resumed", "trained"]
    run: RunDirectory | None
    training: Training | None = None


@dataclass(frozen=True)
class PlannedEntrant:
    """An entrant with its runs.

    Attributes:
        label: its name in the comparison.
        config: the settings of its first run.
        game: its model put together for the data.
        runs: one a seed.
    """

    label: str
    config: RunConfig
    game: Game = field(repr=False)
    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True)
class ComparisonPlan:
    """A comparison that could be started.

    Attributes:
        name: of its folder.
        entrants: who takes part.
        zoo: where models, data sets, metrics and extractors are looked up.
        data: name of the data set as it is opened again, ``data_options`` its options, ``checksum`` its contents'.
        images: budget of each training.
        seeds: of the trainings.
        examination: how runs are measured.
        place: where the trainings are done.
        rates: images a second that a training is expected to do, by entrant, where something is to be trained.
        differences: in what the entrants are unequal, which was allowed.
        notes: what to know, a sentence each.
        machine: what it runs on, in words.
        root: folder of the runs.
        out: folder of the comparisons.
        command: what was typed.
    """

    name: str
    entrants: tuple[PlannedEntrant, ...]
    zoo: Zoo = field(repr=False)
    data: str
    data_options: Mapping[str, Any]
    checksum: str
    images: int
    seeds: tuple[int, ...]
    examination: Examination
    place: Place
    rates: Mapping[str, float]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    machine: str
    root: str
    out: str
    command: str

    @property
    def jobs(self) -> int:
        """Trainings at once."""
        return self.place.jobs

    @property
    def threads(self) -> int:
        """Of each training, on a CPU."""
        return self.place.threads

    @property
    def trainings(self) -> list[Training]:
        """What is to be trained, a seed of every entrant before the next seed."""
        runs = [planned for entrant in self.entrants for planned in entrant.runs]
        return [run.training for run in sorted(runs, key=lambda run: run.seed) if run.training is not None]

    @property
    def seconds(self) -> float:
        """Time that the trainings are expected to take."""
        return makespan([self.left(each) / self.rates[each.label] for each in self.trainings], self.jobs)

    @staticmethod
    def left(training: Training) -> int:
        """Images that a training has still to see."""
        return training.budget - training.done

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data."""
        extractor = self.examination.extractor
        return {
            "name": self.name,
            "data": self.data,
            "images": self.images,
            "seeds": list(self.seeds),
            "entrants": [
                {
                    "label": entrant.label,
                    "config": entrant.config.model_dump(mode="json"),
                    "parameters": entrant.game.parameter_counts(),
                    "runs": [
                        {"seed": run.seed, "origin": run.origin, "run": str(run.run.path) if run.run else None}
                        for run in entrant.runs
                    ],
                }
                for entrant in self.entrants
            ],
            "setting": self.examination.setting.name,
            "samples": self.examination.setting.samples,
            "metrics": list(self.examination.metrics),
            "extractor": extractor.name if extractor else None,
            "on": self.place.words or "here",
            "jobs": self.jobs,
            "threads": self.threads,
            "seconds": self.seconds,
            "differences": list(self.differences),
            "notes": list(self.notes),
        }


def makespan(seconds: Sequence[float], jobs: int) -> float:
    """When the last of several tasks is done, each begun in turn as soon as one of so many places is free."""
    places = [0.0] * max(1, jobs)
    heapify(places)
    for each in seconds:
        heapreplace(places, places[0] + each)
    return max(places)


def median_rate(run: RunDirectory) -> float | None:
    """Images a second of a run, the median of its ticks; None before the first."""
    rates = [rate for line in run.stats() if isinstance(rate := line.get("images_per_second"), int | float)]
    return median(rates) if rates else None


def training_rate(configured: Configured, threads: int) -> float:
    """Images a second that a training does with so many threads, tried out in memory.

    Raises:
        UsageError: model and data do not go together.
        RunError: the losses are not finite, or the data cannot be read.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        _, trainer = prepare(configured)
        trainer.warm_up()
        images, start = trainer.images, perf_counter()
        while (seconds := perf_counter() - start) < TIMED:
            trainer.play_round()
            trainer.check_finite()  # waits for the device
        return (trainer.images - images) / seconds
    finally:
        torch.set_num_threads(before)
