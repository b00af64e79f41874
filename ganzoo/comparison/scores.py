"""The scores of a run under a comparison's protocol: those that are known already, and the others measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec

import torch

from ganzoo.evaluation.evaluate import evaluate
from ganzoo.evaluation.extractor import Extractor
from ganzoo.evaluation.metric import Metric
from ganzoo.evaluation.records import Record, read_records
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import Setting
from ganzoo.runs import checkpoint
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import model_of
from ganzoo.zoo.manager import Zoo

__all__ = ["Examination", "Measured", "measure"]


@dataclass(frozen=True)
class Examination:
    """How every run of a comparison is measured.

    Attributes:
        metrics: by name, in the order in which they are shown.
        setting: how much of everything they use.
        asked: the name of the extractor that was asked for, None for the one meant for the data.
        extractor: that one, if the data have one.
        seed: of the generated samples.
        device: where to compute.
    """

    metrics: Mapping[str, type[Metric]]
    setting: Setting
    asked: str | None
    extractor: Extractor | None
    seed: int
    device: torch.device

    def plugins(self, run: RunDirectory, zoo: Zoo) -> dict[str, dict[str, str]]:
        """By metric, the versions of the plugins that its scores of a run rest on."""
        others = (model_of(run, zoo), *([type(self.extractor)] if self.extractor else []))
        return {name: zoo.versions(metric, *others) for name, metric in self.metrics.items()}

    def holds(self, record: Record, images: int, plugins: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether a stored line is what this examination of a checkpoint would find, ``plugins`` being the run's."""
        return (
            record.metric in self.metrics
            and (record.images, record.setting, record.requested, record.seed)
            == (images, self.setting.name, self.setting.samples, self.seed)
            and record.ganzoo == version("ganzoo")
            and record.plugins == plugins[record.metric]
            # What it lacked may have been installed since.
            and not (record.skipped and record.skipped.lacks and _installed(record.skipped.lacks))
            # Whether a score rests on the features or not, so that all scores of a metric are there or none.
            and (record.extractor, record.extractor_sha256)
            == (self.extractor.identity if self.extractor else (None, None))
        )


@dataclass(frozen=True)
class Measured:
    """What is known of a run.

    Attributes:
        images: the checkpoint that it is known of.
        scores: by metric and the score's name, in the order of the metrics.
        skipped: why a metric does not apply, by its name.
    """

    images: int
    scores: dict[tuple[str, str], Score] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> set[str]:
        """The metrics that were computed, or are known not to apply."""
        return {metric for metric, _ in self.scores} | set(self.skipped)


def measure(
    run: RunDirectory,
    zoo: Zoo,
    examination: Examination,
    progress: Callable[[str, int, int], None] = lambda metric, done, total: None,
) -> Measured:
    """The scores of a run's newest whole checkpoint; what its ``metrics.jsonl`` holds is not tried again.

    Args:
        run: the run.
        zoo: where models, data sets, metrics and extractors are looked up.
        examination: what to measure, and how.
        progress: told the name of each metric before it starts, how many are done, and of how many.

    Raises:
        RunError: the run cannot be evaluated.
    """
    images = checkpoint.latest(run).images
    plugins = examination.plugins(run, zoo)
    known = _known(run, examination, images, plugins)
    missing = [name for name in examination.metrics if name not in known.metrics]
    if missing:
        evaluate(
            run,
            zoo,
            metrics=missing,
            full=examination.setting.name == "full",
            extractor=examination.asked,
            samples=examination.setting.samples,
            seed=examination.seed,
            device=examination.device,
            progress=progress,
        )
        known = _known(run, examination, images, plugins)
    return known


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # somebody made the module himself
        return True


def _known(
    run: RunDirectory, examination: Examination, images: int, plugins: Mapping[str, Mapping[str, str]]
) -> Measured:
    """What the run's ``metrics.jsonl`` holds; of two lines about one thing, the later counts.

    A metric that stopped short has scores, and before them the reason why it has no others.
    """
    found: dict[str, dict[str, Score]] = {metric: {} for metric in examination.metrics}
    skipped: dict[str, str] = {}
    for record in read_records(run):
        if not examination.holds(record, images, plugins):
            continue
        if record.skipped is not None:
            skipped[record.metric] = record.skipped.reason
            found[record.metric] = {}
        elif record.score is not None:
            found[record.metric][record.score.name] = record.score
    scores = {(metric, name): score for metric, named in found.items() for name, score in named.items()}
    return Measured(images, scores, skipped)
