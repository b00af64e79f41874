"""From a request to a plan: who takes part, which runs there are already, and how long the others will take."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from ganzoo.comparison.entrants import Contender, options_by_label, understood
from ganzoo.comparison.places import choose_place, refuse_place
from ganzoo.comparison.plan import ComparisonPlan, PlannedEntrant, PlannedRun, training_rate
from ganzoo.comparison.protocol import Terms, differences, find, identity, precision_of, refuse_mixture
from ganzoo.comparison.request import Request
from ganzoo.comparison.scores import Examination
from ganzoo.comparison.training import Training
from ganzoo.core.errors import UsageError
from ganzoo.evaluation.evaluate import choose_extractor, included, setting_for
from ganzoo.models.game import Game
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.settings import parse_count
from ganzoo.training.configuration import SETTINGS_FILE, Configured, configure
from ganzoo.training.hardware import Hardware
from ganzoo.training.launch import shared
from ganzoo.training.start import checksum_of, versions_of

__all__ = ["IMAGES", "plan_comparison"]

IMAGES = 200_000
"""The budget of a comparison unless it is given: minutes on two cores, and enough for digits to be told apart."""


def plan_comparison(request: Request) -> ComparisonPlan:
    """Find out what a comparison would do; nothing is written, but a few rounds are played in memory for its ETA.

    Raises:
        UsageError: a name or setting is wrong, or the protocols are unequal.
        RunError: a run or the data cannot be read, an extractor's weights cannot be had, or a cluster not reached.
    """
    if shared():
        raise UsageError(
            "a comparison starts its trainings itself, so it is not for torchrun; type `ganzoo compare` alone, with "
            "--jobs for several trainings at once or --on ray for a cluster"
        )
    for name, number in (("seeds", request.seeds), ("jobs", request.jobs)):
        if number is not None and number < 1:
            raise UsageError(f"--{name} {number} trains nothing; it must be 1 or more")
    refuse_place(request)
    contenders = understood(request.entrants, request.zoo, request.runs)
    options = options_by_label(contenders, request.options)
    request = _settled(request, contenders)
    configured = {label: _configured(request, label, given) for label, given in options.items()}
    checksum = _checksum(configured)
    terms = [_terms(contender, configured, checksum) for contender in contenders]
    refuse_mixture(terms)
    unequal = differences(terms)
    if unequal and not request.force:
        raise UsageError(f"unequal protocols: {'; '.join(unequal)}; --force compares them all the same and says so")
    hardware = Hardware.choose(request.device or "auto", request.precision or "auto")
    entrants = _planned(request, contenders, options, configured, checksum)
    examination = Examination(
        metrics={name: request.zoo.metric(name) for name in request.metrics} or included(request.zoo, request.full),
        setting=setting_for(request.full, request.samples),
        asked=request.extractor,
        extractor=choose_extractor(request.zoo, request.extractor, entrants[0].game.data, hardware.device),
        seed=0,
        device=hardware.device,
    )
    trainings = [run.training for entrant in entrants for run in entrant.runs if run.training is not None]
    place = choose_place(request, trainings, hardware, checksum)
    return ComparisonPlan(
        name=_name(entrants, terms[0], examination),
        entrants=entrants,
        zoo=request.zoo,
        data=entrants[0].config.data,
        data_options=terms[0].data_options,
        checksum=terms[0].checksum,
        images=terms[0].images,
        seeds=tuple(sorted({run.seed for entrant in entrants for run in entrant.runs})),
        examination=examination,
        place=place,
        rates=_rates(entrants, place.threads),
        differences=tuple(unequal),
        notes=(*(each.clash for each in contenders if each.clash), *place.notes, *_remarks(entrants)),
        machine=f"{platform.system()} {platform.machine()}, {hardware.name}"
        + (f"; trained on {place.words}" if place.words else ""),
        root=str(request.runs),
        out=str(request.out),
        command=request.command,
    )


def _settled(request: Request, contenders: Sequence[Contender]) -> Request:
    """The request with the data and budget of the runs that are given, where it names none."""
    runs = [contender.run for contender in contenders if contender.run is not None]
    if not runs:
        return request
    config = runs[0].record.config
    changes: dict[str, Any] = {"images": config.images if request.images is None else request.images}
    if request.data is None:
        changes["data"] = config.data
        own = [f"{key}={json.dumps(value)}" for key, value in config.data_options.items() if value is not None]
        changes["data_options"] = (*own, *request.data_options)
    return replace(request, **changes)


def _configured(request: Request, model: str, options: Sequence[str]) -> list[Configured]:
    """A model's settings for each seed."""

    def settings(seed: int, images: int | str | None) -> Configured:
        asked = {"images": images, "batch": request.batch, "seed": seed}
        return configure(
            model,
            data=request.data,
            flags={**asked, "device": request.device, "precision": request.precision},
            options=options,
            data_options=request.data_options,
            zoo=request.zoo,
        )

    images = request.images
    if images is None:
        # The settings file is the user's word for all models; a recipe's budget is its own.
        own = settings(0, None)
        images = own.config.images if own.origins["images"] == SETTINGS_FILE else IMAGES
    images = parse_count(images)
    return [settings(seed, images) for seed in range(request.seeds)]


def _checksum(configured: Mapping[str, Sequence[Configured]]) -> str:
    """Of the training data of whatever is to be trained, which is the same for all; empty where nothing is."""
    for seeds in configured.values():
        dataset = seeds[0].dataset
        return checksum_of({source: dataset.split("train", source) for source in dataset.spec.sources})
    return ""


def _terms(contender: Contender, configured: Mapping[str, Sequence[Configured]], checksum: str) -> Terms:
    if contender.run is not None:
        return Terms.of_run(contender.run)
    first = configured[contender.label][0]
    return Terms.of(contender.label, first.config, first.dataset.spec.name, checksum, versions_of(first))


def _planned(
    request: Request,
    contenders: Sequence[Contender],
    options: Mapping[str, Sequence[str]],
    configured: Mapping[str, Sequence[Configured]],
    checksum: str,
) -> tuple[PlannedEntrant, ...]:
    """Who takes part, each with the runs that exist and those that do not yet."""
    known = RunDirectory.list(request.runs) if configured else []
    taken: dict[str, str] = {}
    entrants = []
    for contender in contenders:
        if contender.run is not None:
            record = contender.run.record
            game = Game.build(contender.model(**record.config.options), record.data_spec, record.config.seed)
            given = PlannedRun(record.config.seed, "given", contender.run)
            entrants.append(PlannedEntrant(contender.label, record.config, game, (given,)))
            continue
        runs = []
        for each in configured[contender.label]:
            wanted = identity(each.config, checksum, versions_of(each))
            twin = taken.setdefault(json.dumps(wanted, sort_keys=True), contender.label)
            if twin != contender.label:
                raise UsageError(f"{twin} and {contender.label} come to the same settings; leave one of them out")
            run, origin = find(known, wanted)
            arguments = _arguments(request, contender.label, options[contender.label], each.config)
            training = None if origin == "reused" else Training(contender.label, each.config.seed, each, arguments, run)
            runs.append(PlannedRun(each.config.seed, origin, run, training))
        first = configured[contender.label][0]
        game = Game.build(first.model, first.dataset.spec, first.config.seed)
        entrants.append(PlannedEntrant(contender.label, first.config, game, tuple(runs)))
    return tuple(entrants)


def _arguments(request: Request, label: str, options: Sequence[str], config: RunConfig) -> tuple[str, ...]:
    """What to type behind ``ganzoo`` to have the same training."""
    asked = {
        "--data": request.data,
        "--images": config.images,
        "--batch": request.batch,
        "--seed": config.seed,
        "--device": request.device,
        "--precision": request.precision,
    }
    flags = [text for flag, value in asked.items() if value is not None for text in (flag, str(value))]
    data_options = [text for option in request.data_options for text in ("-d", option)]
    own = [text for option in options for text in ("-o", option)]
    return ("train", label, *flags, *data_options, *own)


def _rates(entrants: Sequence[PlannedEntrant], threads: int) -> dict[str, float]:
    """Images a second of whatever is to be trained; what does not go together is found out here."""
    rates = {}
    for entrant in entrants:
        for run in entrant.runs:
            if run.training is not None and entrant.label not in rates:
                rates[entrant.label] = training_rate(run.training.configured, threads)
    return rates


def _remarks(entrants: Sequence[PlannedEntrant]) -> list[str]:
    """What may differ between entrants, and does."""
    remarks = []
    for what, values in (
        ("batch", {entrant.label: str(entrant.config.batch) for entrant in entrants}),
        ("precision", {entrant.label: precision_of(entrant.config) for entrant in entrants}),
        ("number of seeds", {entrant.label: str(len(entrant.runs)) for entrant in entrants}),
    ):
        if len(set(values.values())) > 1:
            said = ", ".join(f"{label} {value}" for label, value in values.items())
            remarks.append(f"The {what} is not the same for all: {said}.")
    if all(len(entrant.runs) == 1 for entrant in entrants):
        remarks.append("One seed each: no spread is claimed, and nothing is marked as best; see --seeds.")
    return remarks


def _name(entrants: Sequence[PlannedEntrant], terms: Terms, examination: Examination) -> str:
    """A folder's name that is the same for the same comparison, and another for any other."""
    extractor = examination.extractor
    said = {
        "entrants": [
            [entrant.label, entrant.config.flat(), [run.run.name if run.origin == "given" and run.run else run.seed]]
            for entrant in entrants
            for run in entrant.runs
        ],
        "checksum": terms.checksum,
        "setting": [examination.setting.name, examination.setting.samples, list(examination.metrics)],
        "extractor": [extractor.name, extractor.sha256] if extractor else None,
    }
    digest = blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=3).hexdigest()
    images = f"{terms.images // 1000}k" if terms.images % 1000 == 0 else str(terms.images)
    words = "-".join([*(entrant.label for entrant in entrants), terms.data, images])
    return f"{re.sub(r'[^A-Za-z0-9_.]+', '-', words)[:80].strip('-.')}-{digest}"
