"""Evaluation of a run: every metric that applies, each score stored with the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from ganzoo.core.data import Dataset, DataSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.open import open_dataset
from ganzoo.evaluation.extractor import Extractor
from ganzoo.evaluation.metric import GROUPS, Metric
from ganzoo.evaluation.records import Record, append_records
from ganzoo.evaluation.score import Score, Skipped, Unavailable
from ganzoo.evaluation.setting import FAST, FULL, Setting
from ganzoo.evaluation.subject import Subject
from ganzoo.models.game import Game
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import expect_complete, model_of
from ganzoo.sampling.sampler import Sampler
from ganzoo.zoo.manager import Zoo

__all__ = ["Evaluation", "choose_extractor", "evaluate", "included", "open_subject", "setting_for"]


@dataclass(frozen=True)
class Evaluation:
    """What came of an evaluation.

    Attributes:
        run: the run.
        images: the checkpoint that was evaluated.
        setting: how much was used.
        seed: of the generated samples.
        scores: in the order of the metrics.
        skipped: metrics that do not apply, or not to everything, each with the reason.
    """

    run: RunDirectory
    images: int
    setting: Setting
    seed: int
    scores: list[Score] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def __getitem__(self, name: str) -> Score:
        for score in self.scores:
            if score.name == name:
                return score
        raise KeyError(name)


def evaluate(
    run: RunDirectory,
    zoo: Zoo,
    *,
    metrics: Sequence[str] = (),
    full: bool = False,
    extractor: str | None = None,
    samples: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Evaluation:
    """Measure a run, and add the scores, and what does not apply, to its ``metrics.jsonl``.

    Args:
        run: the run; its newest whole checkpoint is evaluated.
        zoo: where models, data sets, metrics and extractors are looked up.
        metrics: names of the metrics; by default all that the setting includes.
        full: more samples, and the slow metrics too.
        extractor: name of the features to measure in; by default the one that is meant for such data.
        samples: generated samples, instead of the setting's number.
        seed: of the generated samples.
        device: where to compute.
        progress: told the name of each metric before it starts, how many are done, and of how many.

    Raises:
        UsageError: there is no such metric or extractor, or it does not take such samples.
        RunError: the run has no whole checkpoint, its data have changed or cannot be read, or an extractor's
            weights cannot be had.
    """
    setting = setting_for(full, samples)
    chosen = {name: zoo.metric(name) for name in metrics} or included(zoo, full)
    subject = open_subject(run, zoo, extractor=extractor, setting=setting, seed=seed, device=device)
    checkpoint = subject.sampler.checkpoint
    assert checkpoint is not None  # a run's sampler has one
    result = Evaluation(run, checkpoint.images, setting, seed)
    features = (type(subject.extractor),) if subject.extractor_identity[0] else ()
    for done, (name, metric) in enumerate(chosen.items()):
        progress(name, done, len(chosen))
        scores: list[Score] = []
        skipped: list[Skipped] = []
        try:
            for score in metric().scores(subject):
                scores.append(score)  # one at a time: what was found stays, whatever the rest lacks
            if not scores:
                raise Unavailable("it found nothing")
        except Unavailable as error:
            kept = ", ".join(score.name for score in scores)
            reason = f"{error}; found all the same: {kept}" if kept else str(error)
            skipped.append(Skipped(metric=name, reason=reason, lacks=_package(error)))
        result.scores.extend(scores)
        result.skipped.extend(skipped)
        # The scores come last: of two lines about a metric, readers go by the later.
        found: list[Score | Skipped] = [*skipped, *scores]
        plugins = zoo.versions(type(subject.game.model), metric, *features)
        belongs = (name, result.images, setting, seed, subject.extractor_identity, plugins)
        append_records(run, [Record.of(each, *belongs) for each in found])
    return result


def open_subject(
    run: RunDirectory,
    zoo: Zoo,
    *,
    extractor: str | None = None,
    setting: Setting = FAST,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Subject:
    """A run with its networks, data and extractor, ready to be measured.

    Raises:
        UsageError: there is no such extractor, or it does not take such samples.
        RunError: as for ``evaluate``.
    """
    sampler = Sampler(run, zoo, device)
    assert sampler.checkpoint is not None  # a run's sampler has one
    expect_complete(run, sampler.checkpoint)
    config = run.record.config
    game = Game.build(model_of(run, zoo)(**config.options), run.record.data_spec, config.seed)
    sampler.checkpoint.restore("networks", game.networks)
    averaged = "critic" in game.model.averaged and "critic" in sampler.checkpoint.networks("averaged")
    if averaged:
        sampler.checkpoint.restore("averaged", {"critic": game.networks["critic"]})
    for network in game.networks.values():
        network.to(device).eval().requires_grad_(False)
    dataset = open_dataset(zoo, config.data, **config.data_options)
    _same_data(run, dataset)
    chosen = choose_extractor(zoo, extractor, game.data, device)
    return Subject(run, game, sampler, dataset, chosen, setting, seed, averaged)


def setting_for(full: bool = False, samples: int | None = None) -> Setting:
    """How much an evaluation uses.

    Raises:
        UsageError: ``samples`` are too few to measure anything.
    """
    setting = FULL if full else FAST
    if samples is None:
        return setting
    if samples < 2:
        raise UsageError(f"--samples {samples} is too few to measure anything; 10000 is the default")
    return replace(setting, samples=samples)


def included(zoo: Zoo, full: bool) -> dict[str, type[Metric]]:
    """The metrics of a setting, in the order in which they are shown."""
    known = {name: metric for name, metric in zoo.metrics().items() if full or not metric.slow}
    return dict(sorted(known.items(), key=lambda item: GROUPS.index(item[1].group)))


def _package(error: Unavailable) -> str:
    """The package whose import failed, if that is why something is not to be had."""
    cause = error.__cause__ or error.__context__
    return (cause.name or "").partition(".")[0] if isinstance(cause, ImportError) else ""


def _same_data(run: RunDirectory, dataset: Dataset) -> None:
    """Scores against other data than the run was trained on would be wrong without a sign of it."""
    found = "+".join(dataset.split("train", source).checksum for source in run.record.data_spec.sources)
    if found != run.record.data_checksum:
        raise RunError(
            f"the data of {run.name} have changed since it was trained (their checksum differs); put the old data back"
        )


def choose_extractor(zoo: Zoo, name: str | None, data: DataSpec, device: torch.device | str) -> Extractor | None:
    """The extractor of that name, or else the one that is meant for such samples; None where there is none.

    Raises:
        UsageError: there is no extractor of that name, or it does not take such samples.
        RunError: its weights cannot be had.
    """
    if name is not None:
        chosen: type[Extractor] | None = zoo.extractor(name)
    else:
        chosen = next((known for known in zoo.extractors().values() if known.is_default_for(data)), None)
    return chosen(data, device) if chosen else None
