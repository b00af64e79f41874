"""From a configuration to a run directory that is trained, and from a run to where it goes on."""

import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ganzoo.core.data import Split
from ganzoo.core.errors import RunError
from ganzoo.data.open import open_dataset
from ganzoo.runs import checkpoint
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import check_size, expect_complete, model_of
from ganzoo.runs.record import RunRecord, installed_versions, plugin_versions
from ganzoo.training.configuration import Configured, Options, as_layer, prepare, resumed_config
from ganzoo.training.distributed import joined
from ganzoo.training.events import Observer
from ganzoo.training.launch import launched
from ganzoo.training.observers import WithPlugins
from ganzoo.training.session import Session
from ganzoo.zoo.manager import Zoo

__all__ = ["WAITING", "begin", "checksum_of", "go_on", "set_up", "versions_of"]

WAITING = "it waits for a process to train it"
"""What the record of a run says that is set up."""


def begin(
    configured: Configured, *, out: Path | str = "runs", observer: Observer | None = None, command: str = ""
) -> RunDirectory:
    """Train in a new run directory.

    Of several processes, the first alone writes. One that torchrun has restarted goes on with the run that it
    began before.

    Args:
        configured: what to do.
        out: folder of the runs.
        observer: whom to tell of the progress.
        command: what the user typed, for the record.

    Raises:
        UsageError: model and data do not go together; nothing was written.
        RunError: the run failed; its directory says why.
    """
    processes, launch = joined(), launched()
    begun = processes.tell(launch.next_run() if processes.first else "")
    if begun:
        return go_on(begun, configured.zoo, observer=observer)
    made, trainer = prepare(configured, processes)
    record = _record(configured, checksum_of(trainer.splits), command)
    processes.expect_same("the checksum of the data", record.data_checksum)
    if not processes.first:
        directory = RunDirectory(Path(processes.tell("")), record)
        Session(made, trainer, directory, Observer()).play()
        return directory
    watching = WithPlugins(observer or Observer(), configured.zoo)
    directory = RunDirectory.create(out, record)
    launch.remember(processes.tell(str(directory.path)))
    with directory.lock():
        Session(made, trainer, directory, watching).play()
    return directory


def set_up(configured: Configured, checksum: str, *, out: Path | str = "runs", command: str = "") -> RunDirectory:
    """Make the directory of a run that another process trains: it goes on with the run, which is at its start.

    Args:
        configured: what is going to be done.
        checksum: of the training data; the other process makes sure that it has the same.
        out: folder of the runs.
        command: what the user typed, for the record.

    Raises:
        RunError: the directory could not be made.
    """
    record = _record(configured, checksum, command)
    return RunDirectory.create(out, record.model_copy(update={"status": "interrupted", "message": WAITING}))


def _record(configured: Configured, checksum: str, command: str) -> RunRecord:
    return RunRecord(
        config=configured.config,
        origins=configured.origins,
        versions=versions_of(configured),
        data=configured.dataset.spec.model_dump(mode="json"),
        data_checksum=checksum,
        command=command,
    )


def go_on(
    which: Path | str | int,
    zoo: Zoo,
    *,
    out: Path | str = "runs",
    flags: Mapping[str, Any] | None = None,
    options: Options = (),
    data_options: Options = (),
    observer: Observer | None = None,
    wait: float = 0,
) -> RunDirectory:
    """Go on with a run from its newest good checkpoint, as if it had never stopped.

    Args:
        which: the run's directory, number or name.
        zoo: where models and data sets are looked up.
        out: folder of the runs.
        flags: settings; only the budget (``images`` or ``epochs``) may differ, and only upwards.
        options: the model's options; none may differ.
        data_options: the data set's options; none may differ.
        observer: whom to tell of the progress.
        wait: seconds in which another process may let go of the run.

    Raises:
        UsageError: there is no such run, or a setting differs.
        RunError: the run cannot go on.
    """
    processes = joined()
    found = RunDirectory.open(which, out) if processes.first else None
    path = processes.tell(str(found.path) if found is not None else "")
    directory = found if found is not None else RunDirectory.open(path)
    with directory.lock(wait) if processes.first else nullcontext():
        # Whoever held the lock until now may have changed the record.
        directory.record = record = RunRecord.read(directory.path / "run.json")
        model_class = model_of(directory, zoo)
        newest = checkpoint.latest(directory) if any(directory.checkpoints.glob("[0-9]*")) else None
        if newest is not None:
            expect_complete(directory, newest)
            check_size(directory, zoo, newest)
        dataset = open_dataset(zoo, record.config.data, **record.config.data_options)
        layers = [as_layer(data_options, "-d", "data_options"), as_layer(options, "-o", "options")]
        config = resumed_config(record, model_class.Options, dataset.spec.size, flags or {}, layers)
        configured = Configured(config, record.origins, model_class(**config.options), dataset, zoo)
        made, trainer = prepare(configured, processes)
        watching = WithPlugins(observer or Observer(), zoo) if processes.first else Observer()
        if checksum_of(trainer.splits) != record.data_checksum:
            raise RunError(
                f"the data of {directory.path.name} have changed since it started (their checksum differs), so it "
                "cannot go on as if it had never stopped; put the old data back, or start a new run"
            )
        if newest is not None:
            for complaint in newest.damaged if processes.first else ():
                warnings.warn(f"{complaint}; going on from {newest.path} instead", stacklevel=3)
            trainer.restore(newest)
        processes.expect_same("the progress in images", str(trainer.images))
        if processes.first:
            directory.trim_stats(trainer.images)
            directory.update(config=config, versions=_versions(record, configured, afresh=newest is None))
        Session(made, trainer, directory, watching).play()
    return directory


def versions_of(configured: Configured) -> dict[str, str]:
    """Of all software that makes such a run, by name; that of the model's plugin too, if it is not built in."""
    return installed_versions(configured.zoo.versions(type(configured.model)))


def _versions(record: RunRecord, configured: Configured, *, afresh: bool) -> dict[str, str]:
    """The versions that make a run which goes on; of a plugin that is another by now, both."""
    found = dict(record.versions)
    for name, now in plugin_versions(versions_of(configured)).items():
        before = found.get(name, "unknown")
        if afresh or not before.endswith(now):
            found[name] = now if afresh else f"{before}, then {now}"
    return found


def checksum_of(splits: Mapping[str, Split]) -> str:
    """The checksums of every source's training samples, joined."""
    return "+".join(split.checksum for split in splits.values())
