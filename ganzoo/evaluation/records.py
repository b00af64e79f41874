"""``metrics.jsonl``: the scores of a run, each line whole in itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import RunError
from ganzoo.core.reading import parse_json, read_file
from ganzoo.evaluation.score import Score, Skipped
from ganzoo.evaluation.setting import Setting
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import saving

__all__ = ["FILE", "Record", "append_records", "newest", "read_records"]

FILE = "metrics.jsonl"
SCHEMA_VERSION = 1
MAX_BYTES = 8 << 20
"""Bytes of ``metrics.jsonl``: an evaluation adds twenty thousand. Python needs up to 25 times as much memory."""


class Record(BaseModel):
    """A line of ``metrics.jsonl``: a score, or that a metric does not apply, so that it need not be tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    metric: str = Field(description="the metric that was computed")
    images: int = Field(ge=0, description="the checkpoint that was evaluated")
    setting: str = Field(description="fast or full")
    requested: int = Field(description="generated samples that the evaluation asked for")
    seed: int = Field(description="of the generated samples")
    extractor: str | None = Field(None, description="the features that there were, used or not")
    extractor_sha256: str | None = Field(None, description="identifies the extractor's weights")
    ganzoo: str = Field(default_factory=lambda: version("ganzoo"))
    plugins: dict[str, str] = Field(
        default_factory=dict, description="versions of the plugins that model, metric and features are from, if any"
    )
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    score: Score | None = Field(None, description="what it found, one line a score")
    skipped: Skipped | None = Field(None, description="why it does not apply, in place of a score")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.score is None) == (self.skipped is None):
            raise ValueError("it has to have either a score or a reason why there is none")
        return self

    @classmethod
    def of(
        cls,
        found: Score | Skipped,
        metric: str,
        images: int,
        setting: Setting,
        seed: int,
        extractor: tuple[str | None, str | None] = (None, None),
        plugins: Mapping[str, str] | None = None,
    ) -> Self:
        """A score, or why there is none, with what it belongs to; the extractor by its name and SHA-256."""
        name, sha256 = extractor
        return cls(
            metric=metric,
            images=images,
            setting=setting.name,
            requested=setting.samples,
            seed=seed,
            extractor=name,
            extractor_sha256=sha256,
            plugins=dict(plugins or {}),
            score=found if isinstance(found, Score) else None,
            skipped=found if isinstance(found, Skipped) else None,
        )


def append_records(run: RunDirectory, records: Sequence[Record]) -> None:
    """Adds lines to a run's ``metrics.jsonl``, all of them or none.

    Raises:
        RunError: they could not be written.
    """
    if not records:
        return
    path = run.path / FILE
    lines = "".join(record.model_dump_json() + "\n" for record in records).encode()
    with saving(str(path)), path.open("ab+", buffering=0) as file:
        end = file.tell()
        if end:
            file.seek(-1, 2)
            if file.read() != b"\n":  # a crash tore the last line; end it, so that it takes no other with it
                lines = b"\n" + lines
        try:
            while lines:  # a disk that is nearly full takes a part of them first
                lines = lines[file.write(lines) :]
        except OSError:
            file.truncate(end)
            raise


def read_records(run: RunDirectory) -> list[Record]:
    """The lines of a run's ``metrics.jsonl``, oldest first; a line that a crash tore is left out.

    Raises:
        RunError: a line is damaged or from a newer ganzoo, or the file cannot be read.
    """
    path = run.path / FILE
    try:
        content = read_file(path, MAX_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    records = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            values = parse_json(line)
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


def newest(records: Sequence[Record]) -> dict[str, tuple[str, Score]]:
    """The newest score of each name with its metric, among those of the newest checkpoint."""
    images = max((record.images for record in records), default=0)
    return {each.score.name: (each.metric, each.score) for each in records if each.score and each.images == images}
