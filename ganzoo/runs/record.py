"""What ``run.json`` says of a run."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.reading import parse_json, read_file
from ganzoo.runs.config import MAX_COUNT, RunConfig

if TYPE_CHECKING:  # it brings torch, which listing runs has no need of
    from ganzoo.core.data import DataSpec

__all__ = ["MAX_BYTES", "SCHEMA_VERSION", "RunRecord", "installed_versions", "plugin_versions"]

SCHEMA_VERSION = 1
"""Of ``run.json``; raised when an older ganzoo could not understand the file."""

MAX_BYTES = 1 << 22
"""Bytes of a ``run.json``: a few thousand, or some hundred thousand where a folder of images has thousands of classes.
Python needs up to 25 times as much memory for what it reads from it."""


COMMON = ("python", "ganzoo", "torch")
"""What every run depends on."""


def installed_versions(plugins: Mapping[str, str] | None = None) -> dict[str, str]:
    """The versions that a run depends on: of ganzoo, torch and python, and those of plugins that are given."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("ganzoo", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source folder that is not installed
            found[name] = "not installed"
    # A plugin's file may be called torch.py.
    return found | {f"plugin {name}" if name in COMMON else name: number for name, number in (plugins or {}).items()}


def plugin_versions(versions: Mapping[str, str]) -> dict[str, str]:
    """Those of recorded versions that are of plugins; none of a built-in model's run."""
    return {name: number for name, number in versions.items() if name not in COMMON}


class RunRecord(BaseModel):
    """What ``run.json`` says of a run; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: int = Field(SCHEMA_VERSION, description="version of this file's form")
    config: RunConfig = Field(description="the resolved configuration")
    origins: dict[str, str] = Field(description="where each setting comes from, by dotted key")
    versions: dict[str, str] = Field(default_factory=installed_versions, description="software, by name")
    data: dict[str, Any] = Field(description="the DataSpec, as plain data")
    data_checksum: str = Field(description="SHA-256 of the training data")
    status: Literal["running", "finished", "interrupted", "failed"] = "running"
    images: int = Field(0, ge=0, le=MAX_COUNT, description="progress, in real samples")
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    seconds: float = Field(0.0, ge=0, le=MAX_COUNT, description="time spent in training")
    peak_memory: int | None = Field(
        None,
        ge=0,
        le=MAX_COUNT,
        description="bytes at the most: of the accelerator, or on a CPU of the process that trained",
    )
    message: str = Field("", description="why a run stopped early, or what came of it")
    command: str = Field("", description="the command that started the run")

    @property
    def data_spec(self) -> "DataSpec":
        """The specification of the data that the run was trained on."""
        from ganzoo.core.data import DataSpec

        return DataSpec.model_validate(self.data)

    def text(self) -> str:
        """The record as ``run.json`` holds it, for people to read as well."""
        return json.dumps(self.model_dump(mode="json"), indent=2) + "\n"

    @classmethod
    def read(cls, file: Path) -> Self:
        """Reads a ``run.json``.

        Raises:
            UsageError: there is no such file, so its folder is not a run's.
            RunError: the file is damaged, or was written by a newer ganzoo.
        """
        try:
            values = parse_json(read_file(file, MAX_BYTES))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"{file.parent} is not a run directory: it has no {file.name}") from error
        except OSError as error:
            raise RunError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
        except ValueError as error:
            raise RunError(f"{file} is damaged: {error}") from error
        if not isinstance(values, dict):
            raise RunError(f"{file} is damaged: it holds no record")
        schema, versions = values.get("schema_version"), values.get("versions")
        if isinstance(schema, int) and schema > SCHEMA_VERSION:
            writer = versions.get("ganzoo") if isinstance(versions, dict) else None
            needed = f"ganzoo {writer}" if writer else "a newer ganzoo"
            raise RunError(f"{file.parent} needs {needed}, which wrote it: `pip install -U ganzoo`")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            from ganzoo.core.data import validation_sentence

            raise RunError(f"{file} is damaged: {validation_sentence(error)}") from error
