"""Trainings on a cluster of Ray: the one that RAY_ADDRESS names, or one of this machine alone."""

import os
import signal
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import ray
from ray.exceptions import RayError, TaskCancelledError

from ganzoo.comparison.errand import Errand, Report, carry, variables
from ganzoo.comparison.places import Place
from ganzoo.comparison.tasks import RETRIES, Crew, in_tasks, room
from ganzoo.comparison.training import Outcome, Training, Watcher
from ganzoo.core.errors import RunError, UsageError

__all__ = ["OnRay", "RayCrew"]

ADDRESS = "RAY_ADDRESS"
STORE = 100 * 10**6
"""Bytes of shared memory for what tasks hand each other, which are a few words."""


@dataclass(frozen=True)
class OnRay(Place):
    """A cluster of Ray.

    Attributes:
        limit: tasks that are given out at once; None for all.
        gpus: share of a GPU of each training.
        checksum: of the training data.
        own: whether the connection is ours to end.
    """

    limit: int | None = None
    gpus: float = 0
    checksum: str = ""
    own: bool = True

    @classmethod
    def join(
        cls, trainings: Sequence[Training], checksum: str, limit: int | None, cpus: int, gpus: float | None
    ) -> Self:
        """Connect to the cluster, and see how many trainings it has room for.

        Args:
            trainings: what is to be trained, at least one.
            checksum: of the training data.
            limit: trainings at once; None for as many as there is room for.
            cpus: cores of each training.
            gpus: share of a GPU of each; None for 1 if there are any, else 0.

        Raises:
            UsageError: no machine can have room for such a training.
            RunError: the cluster cannot be reached.
        """
        own = not ray.is_initialized()
        if own:
            _connect()
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        device = trainings[0].configured.config.device
        if gpus is None:
            gpus = 1.0 if device != "cpu" and any(node.get("GPU") for node in nodes) else 0.0
        if device.startswith("cuda") and not gpus:
            raise UsageError(f"--device {device} on a cluster needs a share of a GPU for each training: --gpus-per-run")
        places = room(nodes, cpus, gpus)
        wanted = f"{cpus} {'core' if cpus == 1 else 'cores'}" + (f" and {gpus:g} of a GPU" if gpus else "")
        notes: tuple[str, ...] = ()
        if not places and ADDRESS not in os.environ:
            raise UsageError(f"a training is to have {wanted}, which this machine has not; see --cpus-per-run")
        if not places:
            notes = (f"No machine of the cluster has {wanted} now; the trainings wait until one has.",)
        jobs = max(1, min(len(trainings), places, limit or places))
        return cls(jobs, cpus, _words(nodes), notes, limit=limit, gpus=gpus, checksum=checksum, own=own)

    def train(self, trainings: Sequence[Training], root: Path | str, watcher: Watcher) -> list[Outcome]:
        """Do the trainings."""
        said = variables()
        if not self.gpus:
            said["CUDA_VISIBLE_DEVICES"] = ""  # a GPU that was not asked for may be somebody else's
        try:
            return in_tasks(
                trainings,
                root,
                watcher,
                RayCrew(self.threads, self.gpus),
                checksum=self.checksum,
                threads=self.threads,
                limit=self.limit,
                variables=said,
            )
        finally:
            if self.own:
                ray.shutdown()


class RayCrew(Crew):
    """The workers of Ray.

    Args:
        cpus: cores of each task.
        gpus: share of a GPU of each.
    """

    def __init__(self, cpus: int, gpus: float) -> None:
        # A worker is used once: what it takes in memory is one training's, and its threads are as they were set.
        self._task = ray.remote(
            num_cpus=cpus, num_gpus=gpus, max_calls=1, max_retries=RETRIES, scheduling_strategy="SPREAD"
        )(_carry)

    def give(self, errand: Errand) -> Hashable:
        """Give an errand out."""
        return cast(Hashable, self._task.options(name=errand.name).remote(errand))

    def done(self, handles: Sequence[Hashable], seconds: float) -> Sequence[Hashable]:
        """Those that are done."""
        ready, _ = ray.wait(list(handles), num_returns=len(handles), timeout=seconds)
        return cast(Sequence[Hashable], ready)

    def report(self, handle: Hashable) -> Report:
        """What became of an errand."""
        try:
            return Report(*ray.get(handle))
        except TaskCancelledError:
            return Report("interrupted")
        except RayError as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            return Report("failed", f"Ray gave it up after {RETRIES} retries at the most: {reason}")

    def stop(self, handle: Hashable) -> None:
        """Ask whoever has the errand to save and end."""
        ray.cancel(handle)


def _carry(errand: Errand) -> tuple[Any, ...]:
    # Ray cancels a task as Ctrl-C would; its workers may have inherited that nobody heeds that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return tuple(carry(errand))


def _connect() -> None:
    """Join the cluster that is named, or start one on this machine.

    Raises:
        RunError: it cannot be reached.
    """
    address = os.environ.get(ADDRESS)
    settings: dict[str, Any] = {"address": address}
    if not address:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # of a cluster, whoever started it decides that
        settings = {"address": "local", "include_dashboard": False, "object_store_memory": STORE}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of changes in Ray to come
            ray.init(**settings, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"there is no cluster of Ray at {address} ({ADDRESS})" if address else "Ray does not start here"
        raise RunError(f"{where}: {str(error).strip().splitlines()[0]}") from error
    # Ray prints on stdout that it lost a worker, among our lines and JSON; the outcome says it too.
    from ray._private import worker

    worker._worker_logs_enabled = False


def _words(nodes: Sequence[Mapping[str, float]]) -> str:
    """The cluster in words."""
    amounts = [f"{len(nodes)} {'machine' if len(nodes) == 1 else 'machines'}"]
    for resource, one, several in (("CPU", "core", "cores"), ("GPU", "GPU", "GPUs")):
        number = sum(node.get(resource, 0) for node in nodes)
        if number:
            amounts.append(f"{number:g} {one if number == 1 else several}")
    return f"Ray ({', '.join(amounts)})"
