"""The directory of a run: its number, its record and its statistics; nothing else is needed to use a run."""

import builtins
import json
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from os.path import samestat
from pathlib import Path
from shutil import rmtree
from typing import Any, Self

from filelock import FileLock, Timeout

from ganzoo.core.errors import RunError, UsageError, unknown
from ganzoo.core.reading import parse_json, read_file
from ganzoo.runs.files import saving, sync_file, sync_folder, unfinished, write_atomically
from ganzoo.runs.links import refuse_links
from ganzoo.runs.pretrained import find_shipped, is_shipped, shipped
from ganzoo.runs.record import RunRecord

__all__ = ["LATEST", "RunDirectory"]

LATEST = "latest"
"""What the run with the highest number can be opened by."""

_MAX_STATS = 24 << 20
"""Bytes of ``stats.jsonl``: 60,000 lines of twenty values, of which a run of the usual settings has a hundred. Python
needs up to ten times as much memory for them."""
_MAX_PARTS = 400_000
"""Objects and lists in it, since an empty one costs more memory than its bytes say."""

_NUMBERED = re.compile(r"(\d{5,})-.+")
_NUMBERING_TIMEOUT = 60  # seconds; making a directory takes milliseconds


@dataclass
class RunDirectory:
    """One run on the disk: ``run.json``, ``stats.jsonl``, samples, traversals and checkpoints.

    Attributes:
        path: the directory.
        record: what its ``run.json`` says.
    """

    path: Path
    record: RunRecord
    _held: os.stat_result | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def create(cls, root: Path | str, record: RunRecord) -> Self:
        """Makes the next numbered directory, such as ``runs/00012-infogan-mnist``.

        Args:
            root: folder of the runs; made where it is missing.
            record: what is known at the start.

        Returns:
            The run; however many processes make runs at once, no two have one number.

        Raises:
            RunError: the directory could not be made; nothing of it is left.
        """
        root = Path(root)
        name = f"{_safe(record.config.model)}-{_safe(str(record.data.get('name', record.config.data)))}"
        with saving(f"a run in {root}"):
            root.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(root / ".lock", timeout=_NUMBERING_TIMEOUT):
                    number = max((number for number, _ in _numbered(root)), default=0) + 1
                    return cls._make(root / f"{number:05d}-{name}", record)
            except Timeout as error:
                raise RunError(f"{root / '.lock'} has been held for a minute by another process") from error

    @classmethod
    def _make(cls, path: Path, record: RunRecord) -> Self:
        """Fills a directory under another name, so that it appears whole or not at all."""
        hidden = cls(path.with_name(".making"), record)
        rmtree(hidden.path, ignore_errors=True)  # what a crash may have left
        try:
            hidden.path.mkdir()
            for folder in (hidden.samples, hidden.traversals, hidden.checkpoints):
                folder.mkdir()
            hidden._write()
            hidden.path.rename(path)
        except BaseException:
            rmtree(hidden.path, ignore_errors=True)
            raise
        sync_folder(path.parent)
        return cls(path, record)

    @classmethod
    def open(cls, which: Path | str | int, root: Path | str = "runs") -> Self:
        """Opens a run by its directory, or by its number, the beginning of its name or ``latest`` within ``root``.

        Where that finds none, the name may be that of a run that is part of ganzoo.

        Raises:
            UsageError: there is no such run, or several, or the directory is not a run's.
            RunError: its record is damaged or was written by a newer ganzoo, or a link leads out of it.
        """
        text, root = str(which), Path(root)
        path = Path(text)
        if (path / "run.json").is_file():
            return cls._of(path)
        known = _numbered(root)
        if text == LATEST:
            known = [each for each in known if (each[1] / "run.json").is_file()]
            if not known:
                raise UsageError(f"there is no run in {root} yet; `ganzoo train infogan --data mnist` makes one")
            found = [known[-1][1]]
        elif text.isdecimal():
            found = [each for number, each in known if number == int(text)]
        else:
            found = [each for _, each in known if each.name.startswith(text)]
            found = [each for each in found if each.name == text] or found
        if len(found) == 1:
            return cls._of(found[0])
        if found:
            one = f"such as {found[-1].name}"
            raise UsageError(f"{text!r} could be any of {len(found)} runs, {one}: write its name")
        if (part_of_ganzoo := find_shipped(text)) is not None:
            return cls._of(part_of_ganzoo)
        if path.exists():
            raise UsageError(f"{path} is not a run directory: it has no run.json")
        if len(path.parts) > 1:
            raise UsageError(f"there is no run directory {path}; `ganzoo runs --runs {path.parent}` lists those there")
        names = [each.name for _, each in known]
        # A close name where there is one, otherwise the newest few: hundreds of runs are no help.
        raise unknown("run", text, get_close_matches(text, [*names, *shipped()]) or names[-5:], where=str(root))

    @classmethod
    def list(cls, root: Path | str = "runs") -> builtins.list[Self]:
        """The runs in ``root`` by number; only their ``run.json`` is read.

        One that cannot be read is left out with a warning, for it should not hide the others.
        """
        runs = []
        for _, path in _numbered(Path(root)):
            try:
                runs.append(cls(path, RunRecord.read(path / "run.json")))
            except UsageError:
                continue  # a folder without a record: not a run, or one that is being made right now
            except RunError as error:
                warnings.warn(f"left out: {error}", stacklevel=2)
        return runs

    @property
    def name(self) -> str:
        """The directory's name, ``00012-infogan-mnist``."""
        return self.path.name

    @property
    def samples(self) -> Path:
        """Folder of sample grids."""
        return self.path / "samples"

    @property
    def traversals(self) -> Path:
        """Folder of traversal pictures."""
        return self.path / "traversals"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    def update(self, **changes: Any) -> None:
        """Replaces fields of the record, in memory and, atomically, in ``run.json``.

        Raises:
            RunError: the file could not be written; it and ``record`` are as before.
        """
        before = self.record
        # dict() keeps the values as they are, where model_dump() would also take nested ones apart.
        self.record = RunRecord.model_validate(dict(before) | changes)
        try:
            self._write()
        except RunError:
            self.record = before
            raise

    def append_stats(self, values: Mapping[str, Any]) -> None:
        """Adds one line to ``stats.jsonl``; it is sure to be on the disk after ``sync_stats``.

        Args:
            values: plain data; ``images`` says at what progress.

        Raises:
            RunError: the line could not be written.
        """
        self.expect_in_place()
        line = json.dumps(dict(values)).encode() + b"\n"
        with saving(str(self._stats)), self._stats.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read() != b"\n":  # a crash tore the last line; it must not tear this one too
                    file.truncate(self._stats.read_bytes().rfind(b"\n") + 1)
            file.write(line)

    def sync_stats(self) -> None:
        """Returns once all lines are on the disk, as they must be before a checkpoint that goes on from them.

        Raises:
            RunError: the disk refused.
        """
        with saving(str(self._stats)):
            if self._stats.exists():
                sync_file(self._stats)

    def stats(self) -> builtins.list[dict[str, Any]]:
        """Every line of ``stats.jsonl``, oldest first; a last line torn by a crash is left out.

        Raises:
            RunError: another line is damaged.
        """
        return self._undamaged(self._lines())

    def trim_stats(self, images: int) -> None:
        """Forgets what was noted after ``images``, where a resumed run goes on from, damaged lines included.

        Raises:
            RunError: a line from before is damaged, or the file could not be written.
        """
        kept = [line for line in self._lines() if line is None or line.get("images", 0) <= images]
        while kept and kept[-1] is None:
            kept.pop()
        write_atomically(self._stats, "".join(json.dumps(line) + "\n" for line in self._undamaged(kept)))

    def tidy(self) -> None:
        """Removes files that a crash left half-written; the caller holds ``lock()``.

        Another process may be drawing a traversal into the run at this moment, since that needs no lock; it writes
        once more. What only such processes write, names and films, is left alone.

        Raises:
            RunError: one could not be removed.
        """
        with saving(f"to {self.path}, to remove what was left half-written"):
            for path in (self.path / "run.json", self._stats, self.samples / "*.png", self.traversals / "*.png"):
                for leftover in unfinished(path):
                    leftover.unlink(missing_ok=True)

    @contextmanager
    def lock(self, wait: float = 0) -> Iterator[None]:
        """Holds the run for writing; it is let go at the end of the block, or with the process.

        Args:
            wait: seconds in which another holder may let it go.

        Raises:
            RunError: another process (or another holder in this one) is writing to the run, or it is part of ganzoo.
        """
        self.expect_own()
        lock = FileLock(self.path / ".lock", timeout=wait)
        with saving(str(self.path / ".lock")):
            try:
                lock.acquire()
            except Timeout as error:
                raise RunError(f"{self.path} is in use by another process: wait for that to end") from error
            # The lock keeps the file open, so that no other can be taken for it.
            self._held = (self.path / ".lock").stat()
        try:
            yield
        finally:
            self._held = None
            lock.release()

    def expect_own(self) -> None:
        """Refuses to change a run that is part of ganzoo.

        Raises:
            RunError: it is one.
        """
        if is_shipped(self.path):
            raise RunError(
                f"{self.name} is part of ganzoo, its generator alone, and stays as it is; "
                f"`ganzoo export {self.name} DIR` makes a copy of your own"
            )

    def expect_in_place(self) -> None:
        """Refuses to write where the directory is gone, or is another one by now.

        Otherwise a run whose directory is removed would come back in part, or mix with a new run of its name.

        Raises:
            RunError: says so.
        """
        if not self.path.is_dir():
            raise RunError(f"{self.path} is gone: it was removed or renamed while the run was writing to it")
        if self._held is None:
            return
        with suppress(FileNotFoundError):  # removing the file of the lock is no harm as yet
            if not samestat((self.path / ".lock").stat(), self._held):
                raise RunError(f"{self.path} is another run by now: its own was removed while it was writing to it")

    def _lines(self) -> builtins.list[dict[str, Any] | None]:
        """The lines of ``stats.jsonl``, None for a damaged one; a last one without an end is left out.

        Raises:
            RunError: it cannot be read, or is larger than that of any run.
        """
        try:
            content = read_file(self._stats, _MAX_STATS)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"{self._stats} cannot be read: {(error.strerror or str(error)).lower()}") from error
        if sum(map(content.count, (b"\n", b"{", b"["))) > 2 * _MAX_PARTS:
            raise RunError(f"{self._stats} cannot be read: it has over {_MAX_PARTS:,} objects and lists")
        *lines, _torn = content.split(b"\n")
        result: builtins.list[dict[str, Any] | None] = []
        for line in lines:
            try:
                result.append(_line(parse_json(line)))
            except ValueError:
                result.append(None)
        return result

    def _undamaged(self, lines: Iterable[dict[str, Any] | None]) -> builtins.list[dict[str, Any]]:
        result = []
        for number, line in enumerate(lines, start=1):
            if line is None:
                raise RunError(f"line {number} of {self._stats} is damaged: remove it")
            result.append(line)
        return result

    @classmethod
    def _of(cls, path: Path) -> Self:
        record = RunRecord.read(path / "run.json")
        refuse_links(path)
        return cls(path, record)

    @property
    def _stats(self) -> Path:
        return self.path / "stats.jsonl"

    def _write(self) -> None:
        self.expect_in_place()
        write_atomically(self.path / "run.json", self.record.text())


def _line(values: Any) -> dict[str, Any]:
    """A line of statistics, its names shared with the other lines'.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(values, dict):
        raise ValueError("expected an object")
    return {sys.intern(name): value for name, value in values.items()}


def _safe(name: str) -> str:
    """A name without separators, spaces or leading dots, so that it can be part of a directory's."""
    return re.sub(r"[^\w.]+", "-", name)[:60].strip("-.") or "unnamed"


def _numbered(root: Path) -> list[tuple[int, Path]]:
    """The numbered directories of ``root``, smallest number first; a run and its copy may share one."""
    if not root.is_dir():
        return []
    matches = ((_NUMBERED.fullmatch(path.name), path) for path in root.iterdir() if path.is_dir())
    return sorted((int(match[1]), path) for match, path in matches if match)
