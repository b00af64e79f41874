"""Checkpoints: tensors that are proved whole before they are used, and count only when they are."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors
from torch import Tensor
from torch.nn import Module

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import RunError
from ganzoo.core.reading import digest_file, open_file, read_file
from ganzoo.runs.config import MAX_COUNT
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import saving, sync_folder, write_synced

__all__ = ["MAX_BYTES", "MAX_HEADER", "MAX_MANIFEST", "Checkpoint", "Manifest", "latest", "prune", "save", "state_of"]

MAX_MANIFEST = 1 << 20
"""Bytes of a ``manifest.json``, which has a few thousand."""
MAX_HEADER = 4 << 20
"""Bytes of the names and shapes in a safetensors file: some 30,000 tensors'; the library would take 100 MB."""
MAX_BYTES = 4 << 30
"""Bytes of one file, half as many again as the largest of the stock networks' at their widest."""

_MANIFEST = "manifest.json"
_SAVING, _REMOVED = ".saving", ".removed"
# What safetensors calls torch's types; a module has no others.
_TYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.complex64: "C64",
}
# A plain name: no manifest can point at a file outside its own folder.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.safetensors$")]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=MAX_BYTES)
    half: bool = Field(False, description="what the model has in float32 is stored in float16")


class Manifest(BaseModel):
    """What ``manifest.json`` says: the files and what they must be, and the plain data beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int = Field(ge=0, le=MAX_COUNT)
    files: dict[_Name, _File]
    meta: dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on the disk: a folder of safetensors files and the manifest that vouches for them.

    Attributes:
        path: the folder, ``checkpoints/000640000``.
        manifest: what ``manifest.json`` says.
        damaged: what is wrong with the newer ones that were passed over, a sentence each.
    """

    path: Path
    manifest: Manifest
    damaged: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads a checkpoint's manifest, and nothing else.

        Raises:
            RunError: the manifest is missing, damaged, or belongs to another folder.
        """
        file = path / _MANIFEST
        try:
            manifest = Manifest.model_validate_json(read_file(file, MAX_MANIFEST))
        except FileNotFoundError as error:
            raise RunError(f"{path} is not whole: its manifest is missing") from error
        except OSError as error:
            raise RunError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
        except ValidationError as error:
            raise RunError(f"{file} is damaged: {validation_sentence(error)}") from error
        if path.name != _folder_name(manifest.images):
            raise RunError(f"{file} is of another checkpoint, the one at {manifest.images} images")
        return cls(path, manifest)

    @property
    def images(self) -> int:
        """The run's progress when it was saved, in real samples."""
        return self.manifest.images

    @property
    def complete(self) -> bool:
        """Whether it holds every network of the model, rather than the averaged ones that sampling needs."""
        return "networks.safetensors" in self.manifest.files

    @property
    def meta(self) -> dict[str, Any]:
        """The plain data that were saved beside the tensors."""
        return self.manifest.meta

    def verify(self, quick: bool = False) -> None:
        """Checks every file against the manifest and its safetensors header against its size.

        Args:
            quick: leave out the checksums, so that only a few kilobytes are read.

        Raises:
            RunError: a file is missing, truncated or altered.
        """
        for name in self.manifest.files:
            file = self.path / name
            try:
                self._compare(name, file.stat().st_size, None)
                # The header first: it alone says whether the content is worth the time of a checksum.
                self.shapes(Path(name).stem)
                if not quick:
                    self._compare(name, file.stat().st_size, digest_file(file, MAX_BYTES))
            except OSError as error:
                raise RunError(f"{file} cannot be read: {error.strerror or error}") from error

    def shapes(self, stem: str) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The type (as safetensors calls it, ``F32``) and shape of each tensor of one file; no tensor is read.

        Args:
            stem: the file's name without its ending.

        Raises:
            RunError: there is no such file, or it is not what was saved.
        """
        file = self.path / self._name(stem)
        try:
            with open_file(file, MAX_BYTES) as content:
                header = int.from_bytes(content.read(8), "little")
            if header > MAX_HEADER:
                raise RunError(f"{file} cannot be read: its header has {header:,} bytes, over {MAX_HEADER:,}")
            # The library checks all offsets and shapes against the file's size as it opens it.
            with safe_open(file, framework="pt") as tensors:
                slices = {key: tensors.get_slice(key) for key in tensors.keys()}  # noqa: SIM118 (it is no mapping)
                return {key: (each.get_dtype(), tuple(each.get_shape())) for key, each in slices.items()}
        except (OSError, SafetensorError) as error:
            raise RunError(f"{file} cannot be read: {error}") from error

    def networks(self, stem: str) -> set[str]:
        """Names of the networks that one file holds tensors of.

        Args:
            stem: the file's name without its ending.

        Raises:
            RunError: there is no such file, or it is not what was saved.
        """
        return {key.partition(".")[0] for key in self.shapes(stem)}

    def expect(self, stem: str, expected: Mapping[str, Tensor], names: Iterable[str] | None = None) -> None:
        """Compares the types and shapes of one file with those that a model has, before any tensor is read.

        Of a file that is said to be in half precision, float16 counts as float32.

        Args:
            stem: the file's name without its ending.
            expected: tensors by name, on any device, ``meta`` too.
            names: what names of the file to compare begin with; all of them unless given.

        Raises:
            RunError: they differ, or the file is damaged.
        """
        starts = None if names is None else tuple(f"{name}." for name in names)
        found = {key: each for key, each in self.shapes(stem).items() if starts is None or key.startswith(starts)}
        types = _TYPES | ({torch.float32: "F16"} if self.manifest.files[self._name(stem)].half else {})
        wanted = {key: (types.get(each.dtype, ""), tuple(each.shape)) for key, each in expected.items()}
        for key in wanted | found:
            (kind, here), (other, there) = (side.get(key, ("", "absent")) for side in (wanted, found))
            if here != there:
                raise RunError(f"{self.path} is of another model: {key} is {there} there and {here} here")
            if kind != other:
                raise RunError(f"{self.path} is of another model: {key} is of type {other} there and {kind} here")

    def tensors(self, stem: str, names: Iterable[str] | None = None) -> dict[str, Tensor]:
        """The tensors of one file, on the CPU; of a stranger's file, ``expect`` should come first.

        Args:
            stem: the file's name without its ending, as it was given to ``save``.
            names: which of them; all unless given. Memory is taken for these alone.

        Raises:
            RunError: there is no such file, or it is not what was saved.
        """
        name = self._name(stem)
        try:
            if names is not None:
                self._compare(name, (self.path / name).stat().st_size, digest_file(self.path / name, MAX_BYTES))
                with safe_open(self.path / name, framework="pt") as tensors:
                    return {key: tensors.get_tensor(key) for key in names}
            content = read_file(self.path / name, MAX_BYTES)
            self._compare(name, len(content), sha256(content).hexdigest())
            return load_tensors(content)
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise RunError(f"{self.path / name} cannot be read: {error}") from error

    def restore(self, stem: str, modules: Mapping[str, Module]) -> None:
        """Loads what ``state_of`` made of the same modules; all of them change, or none.

        Args:
            stem: the file's name without its ending.
            modules: by name; others that the file holds are left alone.

        Raises:
            RunError: the file is damaged, or its tensors are those of another model.
        """
        expected = state_of(modules)
        self.expect(stem, expected, modules)
        tensors = self.tensors(stem, expected)
        for key in expected:
            if tensors[key].is_floating_point() and not bool(tensors[key].isfinite().all()):
                raise RunError(f"{self.path} cannot be used: {key} has values that are not finite")
        for name, module in modules.items():
            prefix = f"{name}."
            # The module keeps its own types: what is stored in half precision is copied into float32.
            module.load_state_dict(
                {key.removeprefix(prefix): tensors[key] for key in expected if key.startswith(prefix)}
            )

    def _name(self, stem: str) -> str:
        name = f"{stem}.safetensors"
        if name not in self.manifest.files:
            known = ", ".join(sorted(Path(each).stem for each in self.manifest.files))
            raise RunError(f"{self.path} holds no {stem!r}, only: {known}")
        return name

    def _compare(self, name: str, size: int, digest: str | None) -> None:
        entry = self.manifest.files[name]
        if size != entry.bytes:
            raise RunError(f"{self.path / name} is not whole: it has {size} bytes of {entry.bytes}")
        if digest is not None and digest != entry.sha256:
            raise RunError(f"{self.path / name} has changed since it was saved (its SHA-256 differs)")


def state_of(modules: Mapping[str, Module]) -> dict[str, Tensor]:
    """Parameters and buffers of several modules in one dictionary: ``generator.trunk.0.weight``."""
    return {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}


def save(
    run: RunDirectory,
    images: int,
    tensors: Mapping[str, Mapping[str, Tensor]],
    meta: Mapping[str, Any],
    *,
    half: bool = False,
) -> Path:
    """Saves a checkpoint; it appears under its name only when all of it is on the disk.

    An intact checkpoint at the same number of images is kept as it is: the same seed and progress give
    the same tensors, and replacing it could lose both. The caller holds ``run.lock()``.

    Args:
        run: the run.
        images: its progress in real samples.
        tensors: by file stem, tensors by name, on any device; views and shared storage are fine.
        meta: plain data, such as the optimisers' step counts.
        half: store float32 in float16, which is enough to sample from and not to go on with.

    Returns:
        The checkpoint's folder.

    Raises:
        RunError: it could not be written; earlier checkpoints are intact and nothing is left of this one.
    """
    target = run.checkpoints / _folder_name(images)
    if _whole(target):
        return target
    temporary = run.checkpoints / _SAVING
    run.expect_in_place()
    with saving(f"the checkpoint at {images} images of {run.name}"):
        rmtree(temporary, ignore_errors=True)  # what a crash may have left
        run.checkpoints.mkdir(exist_ok=True)
        temporary.mkdir()
        try:
            files = {}
            for stem, named in tensors.items():
                content = dump_tensors({key: _plain(value, half) for key, value in named.items()})
                if len(content) > MAX_BYTES:
                    raise RunError(f"a checkpoint's files have at most {MAX_BYTES:,} bytes, and {stem} would have more")
                write_synced(temporary / f"{stem}.safetensors", content)
                digest = sha256(content).hexdigest()
                files[f"{stem}.safetensors"] = _File(sha256=digest, bytes=len(content), half=half)
            manifest = Manifest(images=images, files=files, meta=dict(meta))
            write_synced(
                temporary / _MANIFEST,
                json.dumps(manifest.model_dump(mode="json", exclude_defaults=True), indent=2) + "\n",
            )
            sync_folder(temporary)
            _discard(target)  # where there is a damaged one
            temporary.rename(target)
        except BaseException:
            rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(run.checkpoints)
    return target


def latest(run: RunDirectory) -> Checkpoint:
    """The newest checkpoint that is whole; ``damaged`` names the newer ones that are not.

    Raises:
        RunError: there is none.
    """
    damaged: list[str] = []
    for path in _newest_first(run):
        try:
            checkpoint = Checkpoint.open(path)
            checkpoint.verify()
        except RunError as error:
            damaged.append(str(error))
        else:
            return replace(checkpoint, damaged=tuple(damaged))
    if damaged:
        raise RunError(f"{run.path} has no checkpoint that is whole, so start the run again: {damaged[0]}")
    raise RunError(f"{run.path} has no checkpoint: it ended before the first was saved")


def prune(run: RunDirectory, keep: int = 3) -> None:
    """Removes all but the newest checkpoints; damaged ones do not count, so the last whole one always stays.

    What a crash left of others goes too. The caller holds ``run.lock()``.

    Args:
        run: the run.
        keep: how many whole checkpoints to keep, at least 1.

    Raises:
        RunError: one could not be removed.
    """
    if keep < 1:
        raise ValueError(f"keep must be at least 1, not {keep}")
    whole = 0
    with saving(f"to {run.checkpoints}, to remove old checkpoints"):
        for leftover in (run.checkpoints / _SAVING, run.checkpoints / _REMOVED):
            if leftover.exists():
                rmtree(leftover)
        for path in _newest_first(run):
            if whole >= keep:
                _discard(path)
            elif _whole(path):
                whole += 1


def _folder_name(images: int) -> str:
    return f"{images:09d}"


def _newest_first(run: RunDirectory) -> list[Path]:
    if not run.checkpoints.is_dir():
        return []
    paths = [path for path in run.checkpoints.iterdir() if path.name.isdecimal() and path.is_dir()]
    return sorted(paths, key=lambda path: int(path.name), reverse=True)


def _whole(path: Path) -> bool:
    try:
        Checkpoint.open(path).verify()
    except RunError:
        return False
    return True


def _discard(path: Path) -> None:
    """Removes a checkpoint so that a crash leaves it whole or hidden, never half there."""
    if path.exists():
        hidden = path.with_name(_REMOVED)
        rmtree(hidden, ignore_errors=True)
        path.rename(hidden)
        rmtree(hidden)


def _plain(tensor: Tensor, half: bool) -> Tensor:
    """A copy on the CPU with storage of its own, the only kind that safetensors takes."""
    dtype = torch.float16 if half and tensor.dtype == torch.float32 else tensor.dtype
    return tensor.detach().to("cpu", dtype, copy=True, memory_format=torch.contiguous_format)
