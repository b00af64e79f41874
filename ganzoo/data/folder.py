"""Any folder of images as a data set; its subfolders are the classes."""

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.decoding import SUFFIXES, Framing, decode_all
from ganzoo.data.file_split import FileSplit
from ganzoo.data.labels import LABEL, LabelledOptions, keep_labels, label_spec
from ganzoo.data.splits import SingleSource, TensorSplit, combined_checksum

__all__ = ["Folder"]

_TEST_FOLDERS = ("test", "val", "valid", "validation")
_NAMED_AT_MOST = 10
_MAX_FOLDERS = 100_000
"""Folders that are looked into; a link to the whole disk is noticed before the whole disk has been read."""


class _Image(NamedTuple):
    name: str
    """Path in the folder, with slashes."""
    kind: str | None
    """The class: the first folder on the way, None for an image that is in none."""


class _Readable(NamedTuple):
    images: list[_Image]
    pixels: Tensor | None
    checksum: str


class Folder(SingleSource):
    """The images below a folder, each made into a square.

    Every image is decoded once when the data set is opened: that finds the ones that are broken, which are
    named in a warning and left out, and the others stay in memory if they fit. Subfolders are classes, if
    there are two or more; an image deeper down belongs to the class of its first subfolder, one outside of
    any has no label. If there are the subfolders ``train`` and ``test`` (or ``val``), the classes are theirs;
    otherwise the test part is chosen by a hash of each path, so that adding images moves no other from one
    part to the other.

    Attributes:
        skipped: why an image was left out, by its path in the folder; grows as parts are read.
    """

    name: ClassVar[str] = "folder"
    summary: ClassVar[str] = "any folder of images, subfolders are classes: --data path/"
    offline: ClassVar[bool] = True

    class Options(LabelledOptions):
        """What a user may choose about a folder of images."""

        path: str = Field(min_length=1, description="the folder")
        size: int = Field(64, ge=4, le=1024, description="height and width in pixels")
        channels: Literal[1, 3] = Field(3, description="1 for grey, 3 for colour")
        crop: Literal["centre", "none"] = Field(
            "centre", description="centre cuts out the largest square, none squeezes the whole image into one"
        )
        test_share: float = Field(0.1, ge=0, lt=1, description="share of the images kept for testing")
        memory: int = Field(2**31, ge=0, description="bytes of images to hold in memory; more are streamed")

    options: Options

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self.skipped: dict[str, str] = {}
        self._path = Path(self.options.path).expanduser()
        self._framing = Framing(self.options.size, self.options.channels, self.options.crop)
        self._parts: dict[str, _Readable] = {}

    @property
    def spec(self) -> DataSpec:
        """The specification; the first call decodes the training part.

        Raises:
            UsageError: the folder does not exist or has no images, or the option ``labels`` is impossible.
            RunError: no image can be read.
        """
        train = self._readable("train")
        return DataSpec(
            name=re.sub(r"[^A-Za-z0-9._-]+", "-", self._path.resolve().name).strip("-.") or self.name,
            shape=self._framing.shape,
            size=len(train.images),
            labels=self._label_specs(),
        )

    def load(self, part: Literal["train", "test"]) -> Split:
        """Decodes one part, and the training part in any case, since that says what the classes are.

        Raises:
            UsageError: the folder does not exist or has no images, or the option ``labels`` is impossible.
            RunError: there is no image in this part that can be read.
        """
        classes = {kind: index for index, kind in enumerate(self._classes())}
        found = self._readable(part)
        labels: dict[str, Tensor] = {}
        keep = self.options.labels if part == "train" else None
        if self._label_specs():
            known = torch.tensor([classes.get(image.kind or "", -1) for image in found.images])
            counts = torch.bincount(known[known >= 0], minlength=len(classes)).tolist()
            labels[LABEL] = keep_labels(known, counts, keep, self.name)
        checksum = combined_checksum(found.checksum, f"labels={keep}")
        if found.pixels is not None:
            return TensorSplit(found.pixels, labels, checksum)
        names = [image.name for image in found.images]
        return FileSplit(self._path, names, self._framing, labels, checksum, memory=0)

    def _label_specs(self) -> dict[str, LabelSpec]:
        classes = self._classes()
        if len(classes) < 2:
            if self.options.labels is not None:
                raise UsageError(f"labels={self.options.labels} needs two or more subfolders in {self._path}")
            return {}
        counts = Counter(image.kind for image in self._readable("train").images)
        shown = ["".join(letter if letter.isprintable() else "?" for letter in kind) for kind in classes]
        return label_spec(shown, [counts[kind] for kind in classes], self.options.labels)

    def _classes(self) -> list[str]:
        kinds = {image.kind for image in self._readable("train").images if image.kind is not None}
        numbers = all(kind.isdecimal() for kind in kinds)
        return sorted(kinds, key=lambda kind: (int(kind) if numbers else 0, kind))

    def _readable(self, part: Literal["train", "test"]) -> _Readable:
        if part not in self._parts:
            self._parts[part] = self._decoded(self._listed(part), part)
        return self._parts[part]

    def _decoded(self, listed: list[_Image], part: str) -> _Readable:
        if not listed:
            more = "; a larger test_share keeps some for testing" if part == "test" else ""
            endings = ", ".join(sorted(SUFFIXES))
            raise UsageError(f"there are no images to {part} with in {self._path} ({endings}){more}")
        channels, height, width = self._framing.shape
        hold = len(listed) * channels * height * width <= self.options.memory
        decoded = decode_all([self._path / image.name for image in listed], self._framing, hold=hold)
        good = [index for index in range(len(listed)) if index not in decoded.failures]
        reasons = {listed[index].name: reason for index, reason in decoded.failures.items()}
        self.skipped |= reasons
        if not good:
            raise RunError(f"none of the {len(listed)} images in {self._path} can be read: {_named(reasons)}")
        pixels = decoded.pixels
        if reasons:
            pixels = pixels[torch.tensor(good)] if pixels is not None else None
            warnings.warn(
                f"{len(reasons)} of {len(listed)} images in {self._path} cannot be read and are left out: "
                f"{_named(reasons)}",
                stacklevel=2,
            )
        images = [listed[index] for index in good]
        contents = (text for index in good for text in (listed[index].name, decoded.digests[index]))
        return _Readable(images, pixels, combined_checksum(*contents))

    def _listed(self, part: Literal["train", "test"]) -> list[_Image]:
        if not self._path.is_dir():
            what = "is a file" if self._path.exists() else "does not exist"
            raise UsageError(f"{str(self._path)!r} {what}, where a folder of images was expected")
        tests = [name for name in _TEST_FOLDERS if (self._path / name).is_dir()]
        if tests and (self._path / "train").is_dir():
            return sorted(_images(self._path, "train" if part == "train" else tests[0]))
        images = sorted(_images(self._path, ""))
        share = self.options.test_share
        return [image for image in images if (_share(image.name) < share) == (part == "test")]


def _images(root: Path, below: str) -> Iterator[_Image]:
    """Images in ``root / below``, without hidden ones; a folder that links point to twice counts once."""
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(root / below, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        if len(seen) > _MAX_FOLDERS:
            raise UsageError(f"there are over {_MAX_FOLDERS:,} folders in {root}: choose a smaller one")
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        parents = Path(folder).relative_to(root / below).parts
        for name in files:
            path = Path(folder, name)
            if path.suffix.lower() in SUFFIXES and not name.startswith(".") and path.is_file():
                yield _Image(path.relative_to(root).as_posix(), parents[0] if parents else None)


def _share(name: str) -> float:
    """A number in [0, 1) that belongs to the name."""
    return int.from_bytes(sha256(os.fsencode(name)).digest()[:8]) / 2**64


def _named(reasons: dict[str, str]) -> str:
    named = [f"{name!r} ({reason})" for name, reason in list(reasons.items())[:_NAMED_AT_MOST]]
    more = len(reasons) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
