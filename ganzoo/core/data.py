"""What a model may know of its data: the specification, the data set that fulfils it, and the samples."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor

from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.invariance import Invariance

__all__ = ["DataSpec", "Dataset", "FactorDataset", "LabelSpec", "Samples", "Split", "validation_sentence"]


_LONGEST = 500
"""Characters that are shown of what is wrong with a file."""

_MAX_VALUES = 1 << 24
"""Numbers in one sample, as many as a picture of 2048×2048 in colour has and some more."""


class LabelSpec(BaseModel):
    """One label of a data set: its classes and how often each occurs in the training split."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    classes: tuple[str, ...] = Field(min_length=1, description="class names, in index order")
    frequencies: tuple[float, ...] = Field(description="share of the labelled samples, sums to 1")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if len(self.classes) != len(self.frequencies):
            raise ValueError(f"{len(self.classes)} classes but {len(self.frequencies)} frequencies")
        if any(share < 0 for share in self.frequencies) or abs(sum(self.frequencies) - 1) > 1e-6:
            raise ValueError("frequencies must be non-negative and sum to 1")
        return self


class DataSpec(BaseModel):
    """What the samples of a data set are, apart from the samples themselves; immutable.

    A model is built from this alone, so that a run directory can be opened without its data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(description="the data set's name")
    shape: tuple[int, ...] = Field(min_length=1, description="shape of one sample, C×H×W for images")
    range: tuple[float, float] = Field((-1.0, 1.0), description="smallest and largest value of a sample")
    size: int = Field(ge=1, le=10**15, description="number of training samples of the first source")
    labels: dict[str, LabelSpec] = Field(default_factory=dict, description="the labels by name")
    sources: tuple[str, ...] = Field(("data",), min_length=1, description="domains that samples come from")
    invariances: tuple[Invariance, ...] = Field((), description="random maps that keep every label's meaning")
    drawn_as: Literal["image", "points", "heatmap"] = Field("image", description="how a sample is drawn")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if any(side < 1 for side in self.shape):
            raise ValueError(f"the sample shape {self.shape} has a side below 1")
        if len(self.shape) > 8 or prod(self.shape) > _MAX_VALUES:
            raise ValueError(f"the sample shape {self.shape} is too large: {_MAX_VALUES:,} values are the most")
        if not self.range[0] < self.range[1]:
            raise ValueError(f"the range {self.range} is empty")
        for name in self.labels:
            if not name.isidentifier() or name == "z":
                raise ValueError(f"{name!r} cannot name a label; use letters, digits and underscores (z is the noise)")
        if self.invariances and self.drawn_as != "image":
            raise ValueError("invariances are maps of images, and these samples are not drawn as such")
        if self.drawn_as == "image" and (len(self.shape) != 3 or self.shape[0] not in (1, 3)):
            raise ValueError(f"only 1×H×W and 3×H×W samples can be drawn as images, not {self.shape}")
        return self

    @property
    def numel(self) -> int:
        """Number of values in one sample."""
        return prod(self.shape)

    @property
    def is_image(self) -> bool:
        """Whether a sample is a C×H×W picture."""
        return self.drawn_as == "image"


class Samples(NamedTuple):
    """A batch from one source.

    Attributes:
        values: (N, *shape), floating point, in the specification's range.
        labels: per label name (N,) class indices, int64, −1 where the class is unknown.
    """

    values: Tensor
    labels: Mapping[str, Tensor]


class Split(ABC):
    """The training or test part of one source.

    Attributes:
        labels: per label name (M,) class indices, int64, −1 where unknown.
        checksum: SHA-256 (hex) that identifies the content.
        computed: whether samples are made faster than another process could hand them over, so that batches
            are read where they are used.
    """

    labels: Mapping[str, Tensor]
    checksum: str
    computed: bool = False

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples M."""

    @abstractmethod
    def __getitem__(self, index: int) -> Tensor:
        """Sample ``index`` as stored: (*shape), uint8 for images, float in the range otherwise."""

    def rows(self, indices: Tensor) -> Tensor:
        """Several samples as stored, (N, *shape); a split that can make them at once overrides this.

        Args:
            indices: (N,) int64, at least one, on the CPU.
        """
        return torch.stack([self[index] for index in indices.tolist()])

    def tensor(self) -> Tensor | None:
        """All samples at once, (M, *shape) as stored, or None where they should be streamed."""
        return None


class Dataset(ABC):
    """A data set; plugins register subclasses through ``ganzoo_register_datasets``.

    Args:
        options: an instance of the class's own ``Options``, or None for its defaults.
        **values: options by name, instead of ``options``.

    Raises:
        UsageError: an option is unknown or has an impossible value.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    offline: ClassVar[bool] = False
    """Whether the data are there without any network access."""

    class Options(BaseModel):
        """What a user may choose about the data set; subclasses add fields."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, options: Options | None = None, /, **values: Any) -> None:
        if options is not None and (values or not isinstance(options, type(self).Options)):
            raise TypeError(f"{type(self).__name__} takes an instance of its own Options, or options by name")
        try:
            self.options = options if options is not None else type(self).Options(**values)
        except ValidationError as error:
            unknown_keys = [str(e["loc"][0]) for e in error.errors() if e["type"] == "extra_forbidden"]
            if unknown_keys:
                known = type(self).Options.model_fields
                raise unknown(f"option of data set {self.name}", unknown_keys[0], known) from error
            raise UsageError(f"data set {self.name}: {validation_sentence(error)}") from error

    @property
    @abstractmethod
    def spec(self) -> DataSpec:
        """The specification of the samples that ``split`` returns."""

    @abstractmethod
    def split(self, part: Literal["train", "test"], source: str = "data") -> Split:
        """The samples of one part of one source.

        Raises:
            RunError: the files are missing, damaged or cannot be fetched.
        """


class FactorDataset(Dataset):
    """A data set whose samples are made by known factors, every combination of which can be had.

    Each factor is also a label of that name, and its classes are in the order of its values.
    """

    @property
    @abstractmethod
    def factors(self) -> Mapping[str, int]:
        """The factors by name, and how many values each takes."""

    @abstractmethod
    def observe(self, indices: Tensor) -> Tensor:
        """The samples of combinations of values.

        Args:
            indices: (N, number of factors) int64, the index of each factor's value, in the order of ``factors``.

        Returns:
            (N, *shape) as stored, uint8 for images; the same combination always gives the same sample.

        Raises:
            UsageError: there is no such value.
            RunError: the files are missing or damaged.
        """


def validation_sentence(error: ValidationError) -> str:
    """The first complaint of a pydantic error as one phrase: ``batch: Input should be … (got −1)``."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] in ("missing", "value_error") else f" (got {first['input']!r:.200})"
    sentence = f"{where}: {message}{got}" if where else f"{message}{got}"
    return "".join(character if character.isprintable() else " " for character in sentence[:_LONGEST])
