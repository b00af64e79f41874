"""``metrics.jsonl``: the scores of a run, each line whole in itself."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import RunError
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import Setting
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import saving

__all__ = ["FILE", "Record", "append_records", "newest", "read_records"]

FILE = "metrics.jsonl"
SCHEMA_VERSION = 1


class Record(BaseModel):
    """A line of ``metrics.jsonl``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    metric: str = Field(description="the metric that found the score")
    images: int = Field(ge=0, description="the checkpoint that was evaluated")
    setting: str = Field(description="fast or full")
    requested: int = Field(description="generated samples that the evaluation asked for")
    seed: int = Field(description="of the generated samples")
    ganzoo: str = Field(default_factory=lambda: version("ganzoo"))
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    score: Score

    @classmethod
    def of(cls, score: Score, metric: str, images: int, setting: Setting, seed: int) -> Self:
        """A score with what it belongs to."""
        return cls(
            metric=metric, images=images, setting=setting.name, requested=setting.samples, seed=seed, score=score
        )


def append_records(run: RunDirectory, records: Sequence[Record]) -> None:
    """Adds lines to a run's ``metrics.jsonl``.

    Raises:
        RunError: they could not be written.
    """
    if not records:
        return
    path = run.path / FILE
    lines = "".join(record.model_dump_json() + "\n" for record in records).encode()
    with saving(str(path)), path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read() != b"\n":  # a crash tore the last line; end it, so that it takes no other with it
                lines = b"\n" + lines
        file.write(lines)


def read_records(run: RunDirectory) -> list[Record]:
    """The lines of a run's ``metrics.jsonl``, oldest first; a line that a crash tore is left out.

    Raises:
        RunError: a line is damaged or from a newer ganzoo, or the file cannot be read.
    """
    path = run.path / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    records = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            values = json.loads(line)
        except ValueError:
            continue
        schema = values.get("schema_version") if isinstance(values, dict) else None
        if isinstance(schema, int) and schema > SCHEMA_VERSION:
            raise RunError(f"line {number} of {path} was written by a newer ganzoo: `pip install -U ganzoo`")
        try:
            records.append(Record.model_validate(values))
        except ValidationError as error:
            raise RunError(f"line {number} of {path} is damaged: {validation_sentence(error)}; remove it") from error
    return records


def newest(records: Sequence[Record]) -> dict[str, Record]:
    """The newest record of each score's name, among those of the newest checkpoint."""
    images = max((record.images for record in records), default=0)
    return {record.score.name: record for record in records if record.images == images}
