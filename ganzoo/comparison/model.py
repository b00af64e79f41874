"""What a comparison found, as plain data: the form of ``comparison.json``."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Cell", "Comparison", "Entrant", "EntrantRun", "Protocol", "Row"]

SCHEMA_VERSION = 1
"""Of ``comparison.json``; raised when an older ganzoo could not understand the file."""


class _Part(BaseModel):
    # A number that is not finite is stored as null, JSON having no other word for it.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Protocol(_Part):
    """What was the same for all entrants."""

    data: str = Field(description="the data set's name, or a folder of images")
    data_options: dict[str, Any] = Field(default_factory=dict, description="its options")
    data_checksum: str = Field(description="SHA-256 of the training data")
    images: int = Field(ge=1, description="budget of each training, in real samples")
    seeds: tuple[int, ...] = Field(description="of the trainings, each a run of its own")
    setting: str = Field(description="of the evaluation: fast or full")
    samples: int = Field(ge=2, description="generated samples that each evaluation asked for")
    evaluation_seed: int = Field(0, description="of the generated samples")
    extractor: str | None = Field(None, description="the features that distances rest on, if any")
    extractor_sha256: str | None = Field(None, description="identifies the extractor's weights")
    differences: tuple[str, ...] = Field((), description="what was not the same, a sentence each; empty unless forced")


class EntrantRun(_Part):
    """One training of an entrant."""

    seed: int
    path: str = Field(description="the run directory, as seen from where the comparison was made")
    origin: Literal["given", "reused", "resumed", "trained"] = Field(description="how the comparison came by it")
    images: int = Field(description="the checkpoint that was evaluated, in real samples")
    seconds: float = Field(description="time spent in training")
    images_per_second: float | None = Field(None, description="median of its ticks")
    peak_memory: int | None = Field(None, description="bytes at the most: of the device, or of the process on a CPU")
    ganzoo: str = Field("", description="version of ganzoo that trained it")


class Entrant(_Part):
    """A model with its options, under one label."""

    label: str = Field(min_length=1, description="unique in the comparison")
    model: str
    recipe: str | None = None
    batch: int = Field(ge=1)
    precision: str
    device: str = Field(description="as it was asked for; auto where nothing was")
    options: dict[str, Any] = Field(default_factory=dict, description="every option of the model, resolved")
    parameters: dict[str, int] = Field(description="by network and, one level down, by its named part")
    runs: tuple[EntrantRun, ...] = Field(description="one a seed")

    @property
    def total_parameters(self) -> int:
        """Parameters of all its networks."""
        return sum(count for name, count in self.parameters.items() if "." not in name)


class Cell(_Part):
    """One entrant's numbers in one row."""

    mean: float | None = Field(None, description="over the seeds; None where there is no number")
    spread: float | None = Field(None, description="standard deviation over the seeds (n - 1); None with one of them")
    values: tuple[float | None, ...] = Field(
        (), description="one a run that has the score, in the order of the entrant's runs"
    )
    best: bool = Field(False, description="better than every other entrant, as Welch's t test has it at 5 %")
    note: str = Field("", description="what to know about the number, in a sentence")
    skipped: str = Field("", description="why there is no number")


class Row(_Part):
    """One quantity, for every entrant that has it."""

    name: str = Field(min_length=1, description="the score's name, such as frechet_distance or code_error/category")
    group: str = Field(description="what it is about: a group of metrics, or cost")
    metric: str = Field("", description="the metric that found it; empty for costs")
    unit: Literal["", "share", "nats", "images/s", "seconds", "bytes"] = ""
    better: Literal["lower", "higher"] | None = None
    floor: float | None = Field(None, description="the same of real samples, in place of generated ones")
    ceiling: float | None = Field(None, description="the same of noise, in place of generated samples")
    protocol: str = Field("", description="how it was measured")
    cells: dict[str, Cell] = Field(description="by the entrants' labels, all of them, in their order")


class Comparison(_Part):
    """A comparison: its protocol, who took part, and the table."""

    schema_version: int = SCHEMA_VERSION
    name: str = Field(description="names its folder")
    command: str = Field("", description="what was typed")
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    versions: dict[str, str] = Field(default_factory=dict, description="software that compared, by name")
    machine: str = Field("", description="what it ran on, in words")
    protocol: Protocol
    entrants: tuple[Entrant, ...]
    rows: tuple[Row, ...] = Field(description="grouped, in the order in which they are shown")
    notes: tuple[str, ...] = Field((), description="what to know before comparing, a sentence each")
    failures: tuple[str, ...] = Field((), description="those of the notes that are of trainings that failed")

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)
