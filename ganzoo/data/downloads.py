"""Data sets that torchvision downloads and reads: where they go, and what is said when that fails."""

import os
import socket
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar, Literal

from filelock import FileLock
from pydantic import Field

from ganzoo.core.errors import RunError
from ganzoo.data.archives import Archive, fetch_archive, is_whole
from ganzoo.data.labels import LabelledOptions
from ganzoo.data.splits import SingleSource

__all__ = ["Download", "default_root", "patience"]

Part = Literal["train", "test"]

_PATIENCE = 60.0
"""Seconds without a byte after which a download is given up; torchvision itself would wait for ever."""


def default_root() -> Path:
    """The folder of downloads: ``$GANZOO_DATA``, or ``ganzoo`` in the user's cache folder (``~/.cache``)."""
    chosen = os.environ.get("GANZOO_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganzoo"


class Download(SingleSource):
    """A data set that torchvision knows how to download; torchvision is imported when the data are wanted.

    Subclasses say which of torchvision's classes it is and what is known of the data beforehand, so that a
    plan can be made without a download. The files lie in the root as torchvision puts them, and are found
    there if torchvision, or the user, has put them there before.
    """

    counts: ClassVar[dict[str, tuple[int, ...]]]
    """Samples of each class in each part; what is read must agree."""
    files: ClassVar[dict[str, tuple[str, ...]]]
    """What has to be in the root for each part."""
    archives: ClassVar[Mapping[str, Archive]]
    """What is fetched where a file is not there, by its place in the root; torchvision unpacks it."""
    needs: ClassVar[str | None] = None
    """A module that torchvision imports to read this set, beyond what ganzoo depends on."""

    class Options(LabelledOptions):
        """What a user may choose about a downloaded data set."""

        root: str | None = Field(
            None, min_length=1, description="folder of downloads (default: $GANZOO_DATA, or ~/.cache/ganzoo)"
        )

    options: Options

    @property
    def root(self) -> Path:
        """The folder of downloads."""
        return Path(self.options.root).expanduser() if self.options.root else default_root()

    @abstractmethod
    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's data set.

        Args:
            datasets: the module ``torchvision.datasets``.
            part: which part.
            download: fetch what is not there.
        """

    def fetch(self, part: Part) -> Any:
        """Torchvision's data set, downloaded if it is not in the root yet; one process at a time downloads.

        Raises:
            RunError: it cannot be had; the sentence says what was wanted, where it would go, and what needs
                no network.
        """
        if self.needs is not None and find_spec(self.needs) is None:
            raise RunError(f"the data set {self.name} is read with {self.needs}: pip install {self.needs}")
        try:
            datasets = import_module("torchvision.datasets")
        except (ImportError, RuntimeError) as error:  # RuntimeError: built for another version of torch
            raise RunError(f"the data set {self.name} needs torchvision, which fails: {error}") from error
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._impossible(f"the folder cannot be made: {error.strerror}") from error
        writable = os.access(self.root, os.W_OK)
        with FileLock(self.root / f".{self.name}.lock") if writable else nullcontext():
            present = all((self.root / file).exists() for file in self.files[part])
            if not present and not writable:
                raise self._impossible("the folder cannot be written to")
            try:
                with patience():
                    if present:
                        self.check_files(part)
                    else:
                        self._fetch_archives(part)
                    # With what it would fetch in place, torchvision only unpacks.
                    return self.opened(datasets, part, download=not present)
            # torchvision promises nothing: OSError, RuntimeError, AssertionError, HTTPException, …
            except Exception as error:
                reason = shorten(str(error), 200) or type(error).__name__
                raise self.damaged(part, reason) if present else self._impossible(reason) from error

    def fetch_archive(self, path: Path, archive: Archive) -> None:
        """Fetches one file, whose content is checked before it is in its place.

        Raises:
            OSError: it cannot be fetched or stored.
            ValueError: it is something else than was published.
        """
        fetch_archive(path, archive)

    def check_files(self, part: Part) -> None:
        """Looks at files that are there, before torchvision reads them; it compares some with a checksum itself.

        Raises:
            ValueError: one is not what was published.
        """
        for place in self.files[part]:
            if place in self.archives and not is_whole(self.root / place, self.archives[place]):
                raise ValueError(f"the SHA-256 of {place} is not the published one")

    def damaged(self, part: Part, reason: str) -> RunError:
        """The error for files that are there and not what they should be."""
        where = ", ".join(sorted({file.split("/")[0] for file in self.files[part]}))
        return RunError(
            f"the data set {self.name} in {self.root} is damaged ({reason}); delete {where} there and try "
            "again with a network"
        )

    def _fetch_archives(self, part: Part) -> None:
        """Fetches what is not there, or not as it was published; of files that need no unpacking, this part's."""
        needed = self.archives.keys() & set(self.files[part]) or self.archives.keys()
        for place in sorted(needed):
            if not is_whole(self.root / place, self.archives[place]):
                self.fetch_archive(self.root / place, self.archives[place])

    def _impossible(self, reason: str) -> RunError:
        return RunError(
            f"the data set {self.name} could not be downloaded into {self.root} ({reason}); without a "
            "network, put its files there by hand or use one that needs none: mnist, or any folder of images "
            "(--data path/)"
        )


@contextmanager
def patience(seconds: float = _PATIENCE) -> Iterator[None]:
    """Downloads in this block are given up after so many seconds without a byte."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
