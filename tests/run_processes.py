"""What tests have other processes do with runs.

A spawned process imports the module of its function by name, so it is one that ``tests/`` on the path holds: test
modules are called ``tests.…``, and that name may belong to a package that is installed.
"""

from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord

__all__ = ["create_at_once", "create_some", "hold"]


def create_some(root: Path, record: RunRecord, count: int) -> list[str]:
    """Makes run directories, and gives their names."""
    return [RunDirectory.create(root, record).name for _ in range(count)]


def create_at_once(barrier: Barrier, root: Path, record: RunRecord, count: int) -> None:
    """Makes run directories as soon as all others are ready to."""
    barrier.wait(60)
    create_some(root, record, count)


def hold(path: Path, ready: Event, done: Event) -> None:
    """Keeps a run locked."""
    with RunDirectory.open(path).lock():
        ready.set()
        done.wait(60)
