"""When two trainings are the same, and when two runs may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ganzoo.core.errors import UsageError
from ganzoo.runs import checkpoint
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import expect_complete
from ganzoo.runs.record import RunRecord, plugin_versions
from ganzoo.training.hardware import Hardware

__all__ = ["Terms", "differences", "find", "identity", "major", "precision_of", "refuse_mixture"]

BESIDE_THE_POINT = ("device", "recipe", "tick", "save_every", "precision", "graph")
"""Settings that change nothing about what is learned; precision does, and is compared as it turns out."""


def major(version: str) -> str:
    """The first part of a version number; runs of different ones are not the same training."""
    return version.partition(".")[0]


def precision_of(config: RunConfig) -> str:
    """The number format of a run, ``auto`` being what it comes to on this machine."""
    if config.precision != "auto":
        return config.precision
    try:
        return Hardware.choose(config.device).precision
    except UsageError:  # trained on a device that this machine has not
        return f"auto on {config.device}"


def identity(config: RunConfig, data_checksum: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """What makes a training the same as another; everything but the device and how often it is saved.

    Args:
        config: its settings.
        data_checksum: of the training data.
        versions: of software, by name; those of ganzoo and of the model's plugin count.
    """
    settings = config.model_dump(mode="json", exclude=set(BESIDE_THE_POINT))
    # An option that is None says as little as one that is left out, which a run that goes on may have made of it.
    settings["options"] = {key: value for key, value in settings["options"].items() if value is not None}
    # Where a download is kept says nothing about what is in it; the checksum does.
    settings["data_options"] = {key: value for key, value in config.data_options.items() if key != "root"}
    software = {"ganzoo": major(versions.get("ganzoo", "")), "plugins": plugin_versions(versions)}
    return settings | software | {"precision": precision_of(config), "data_checksum": data_checksum}


def find(
    runs: Sequence[RunDirectory], wanted: Mapping[str, Any]
) -> tuple[RunDirectory | None, Literal["reused", "resumed", "trained"]]:
    """The run that is this training, and what to do with it.

    Args:
        runs: the runs there are, oldest first.
        wanted: the training's ``identity``.

    Returns:
        The newest finished one to be reused; or else the unfinished one that is furthest, to be resumed; or None,
        and it is to be trained.
    """
    same = [run for run in runs if _identity_of(run.record) == wanted]
    finished = [run for run in same if run.record.status == "finished" and any(run.checkpoints.glob("[0-9]*"))]
    if finished:
        return finished[-1], "reused"
    begun = [run for run in same if run.record.status != "finished"]
    if begun:
        return max(begun, key=lambda run: run.record.images), "resumed"
    return None, "trained"


def _identity_of(record: RunRecord) -> dict[str, Any]:
    return identity(record.config, record.data_checksum, record.versions)


@dataclass(frozen=True)
class Terms:
    """What all entrants of a comparison have to share.

    Attributes:
        label: whose they are.
        data: name of the data set.
        checksum: of the training data.
        data_options: options of the data set, without the folder of its downloads.
        images: real samples seen in training.
        schedule: images over which the schedules ran.
        ganzoo: major version that trains.
    """

    label: str
    data: str
    checksum: str
    data_options: Mapping[str, Any]
    images: int
    schedule: int
    ganzoo: str

    @classmethod
    def of(cls, label: str, config: RunConfig, data: str, checksum: str, versions: Mapping[str, str]) -> "Terms":
        """Those of a training that uses its budget.

        Args:
            label: the entrant.
            config: its settings.
            data: name of the data set.
            checksum: of the training data.
            versions: of software, by name.
        """
        wanted = identity(config, checksum, versions)
        return cls(label, data, checksum, wanted["data_options"], config.images, config.schedule, wanted["ganzoo"])

    @classmethod
    def of_run(cls, run: RunDirectory) -> "Terms":
        """Those of a run as far as it is trained.

        Raises:
            RunError: it has no whole checkpoint, or is an exported run.
        """
        newest = checkpoint.latest(run)
        expect_complete(run, newest)
        record, images = run.record, newest.images
        terms = cls.of(run.name, record.config, str(record.data["name"]), record.data_checksum, record.versions)
        # The last round is played whole, so that a finished run may be a few images above its budget.
        return terms if record.status == "finished" else replace(terms, images=images)


def refuse_mixture(terms: Sequence[Terms]) -> None:
    """A comparison is on one data set.

    Raises:
        UsageError: it would be on several.
    """
    first = terms[0]
    for other in terms[1:]:
        if other.data != first.data:
            raise UsageError(
                f"a comparison is on one data set, but {first.label} is on {first.data} and {other.label} on "
                f"{other.data}; compare those of one data set at a time"
            )


def differences(terms: Sequence[Terms]) -> list[str]:
    """How the entrants' terms differ from the first one's, a phrase each."""
    first, found = terms[0], []
    for other in terms[1:]:
        pair = f"{other.label} {{}} and {first.label} {{}}"
        if other.images != first.images:
            found.append(pair.format(f"is trained on {other.images:,} images", f"on {first.images:,}"))
        elif other.schedule != first.schedule:
            found.append(pair.format(f"has schedules over {other.schedule:,} images", f"{first.schedule:,}"))
        if other.data_options != first.data_options:
            said = (_shown(each.data_options) for each in (other, first))
            found.append(pair.format(*(f"has data options {options}" for options in said)))
        elif other.checksum != first.checksum:
            found.append(pair.format("is trained on other data of that name", "on the present ones"))
        if other.ganzoo != first.ganzoo:
            found.append(pair.format(f"is of ganzoo {other.ganzoo}", f"of ganzoo {first.ganzoo}"))
    return found


def _shown(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "at their defaults"
