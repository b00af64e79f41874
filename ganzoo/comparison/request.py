"""What is asked of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganzoo.models.model import Model
from ganzoo.zoo.manager import Zoo, default_zoo

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """What is asked of a comparison.

    Attributes:
        entrants: ``MODEL[@RECIPE]``, model classes, or runs by directory, number or name.
        data: name of a data set or path of a folder; by default that of the runs among the entrants, or MNIST.
        images: budget of every training; by default that of those runs, of ``ganzoo.toml``, or 200,000.
        seeds: trainings of each model, with seeds from 0.
        batch: samples a turn, for all; by default each recipe's own.
        options: ``model.key=value`` for one entrant, ``key=value`` for every model that has such an option.
        data_options: the data set's options, ``key=value``.
        metrics: names of metrics; by default all that the setting includes.
        extractor: name of the features to measure in; by default the one that is meant for such data.
        full: more samples, and the slow metrics too.
        samples: generated samples of each evaluation, instead of the setting's number.
        jobs: trainings at once; by default one a core on a CPU, else 1, and on a cluster as many as it has room for.
        on: where to train; ``here``, or ``ray`` for a cluster.
        cpus_per_run: cores of each training on a cluster; by default 1.
        gpus_per_run: share of a GPU of each training on a cluster; by default 1 if it has any, else 0.
        force: compare runs of unequal protocols, and say so.
        device: where to compute; ``auto``, ``cpu``, ``cuda``, ``mps``.
        precision: ``auto``, ``fp32`` or ``bf16``.
        out: folder of the comparisons.
        runs: folder of the runs.
        command: what the user typed, for the record.
        zoo: where models, data sets, metrics and extractors are looked up.
    """

    entrants: Sequence[str | type[Model]]
    data: str | None = None
    images: int | str | None = None
    seeds: int = 1
    batch: int | None = None
    options: Sequence[str] = ()
    data_options: Sequence[str] = ()
    metrics: Sequence[str] = ()
    extractor: str | None = None
    full: bool = False
    samples: int | None = None
    jobs: int | None = None
    on: str = "here"
    cpus_per_run: int | None = None
    gpus_per_run: float | None = None
    force: bool = False
    device: str | None = None
    precision: str | None = None
    out: Path | str = "comparisons"
    runs: Path | str = "runs"
    command: str = ""
    zoo: Zoo = field(default_factory=default_zoo)
