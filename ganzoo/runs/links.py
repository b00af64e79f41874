"""A run directory ends at its own border: what ganzoo reads and writes in one must not lie behind a link out of it."""

import os
from collections.abc import Iterator
from pathlib import Path

from ganzoo.core.errors import RunError

__all__ = ["refuse_links"]

_FOLDERS = ("samples", "traversals", "checkpoints")


def refuse_links(run: Path) -> None:
    """Looks at every name in a run that ganzoo reads or writes.

    The run itself, and the folder of the runs, may be links.

    Args:
        run: the run's directory.

    Raises:
        RunError: one is a link to somewhere else, where a run of a stranger's could have files of the user's changed.
    """
    try:
        home = run.resolve(strict=True)
        for entry in _entries(run):
            if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(home):
                raise RunError(f"{entry.path} is a link out of the run, which ganzoo does not follow; remove it")
    except OSError as error:
        raise RunError(f"{run} cannot be read: {(error.strerror or str(error)).lower()}") from error


def _entries(run: Path) -> Iterator["os.DirEntry[str]"]:
    """What lies in the run and in its folders, and in each checkpoint."""
    with os.scandir(run) as entries:
        for entry in entries:
            yield entry
            if entry.name in _FOLDERS and entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, levels=2 if entry.name == "checkpoints" else 1)


def _below(folder: str, levels: int) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if levels > 1 and entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, levels - 1)
