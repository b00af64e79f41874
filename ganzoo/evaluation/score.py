"""A score: one number, with everything that one has to know to compare it with another."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ganzoo.core.errors import Unavailable

__all__ = ["Score", "Skipped", "Unavailable", "amount", "decimals"]


class Score(BaseModel):
    """One number that a metric found; immutable.

    Two scores may be compared only where ``name`` and ``protocol`` are the same.
    """

    # A number among the details that is not finite is stored as null, JSON having no other word for it.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    name: str = Field(min_length=1, description="what was measured, such as code_error/category; unique in a run")
    value: float | None = Field(description="the number; None where it is not finite")
    unit: Literal["", "share", "nats"] = Field("", description="share: between 0 and 1, shown in percent")
    better: Literal["lower", "higher"] | None = Field(None, description="which direction is better, if one is")
    floor: float | None = Field(
        None,
        description="the same of real samples in place of generated ones: training samples where these are held "
        "against test samples, else test samples",
    )
    ceiling: float | None = Field(None, description="the same of noise, in place of generated samples")
    protocol: str = Field(description="how it was measured: features, split, numbers of samples")
    extractor: str | None = Field(None, description="the features that it rests on, if any")
    extractor_sha256: str | None = Field(None, description="identifies the extractor's weights")
    samples: int | None = Field(None, ge=0, description="generated samples that were used")
    real: int | None = Field(None, ge=0, description="real samples that were used")
    split: str | None = Field(None, description="where the real samples are from")
    note: str = Field("", description="what to know about this number, in a sentence")
    details: dict[str, Any] = Field(default_factory=dict, description="more of it, as plain data")

    @field_validator("value", "floor", "ceiling")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        return value if value is not None and math.isfinite(value) else None


class Skipped(BaseModel):
    """A metric that could not be computed, or not whole, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    reason: str
    lacks: str = Field(
        "", pattern=r"^\w*$", description="the Python package that has to be installed for it, if that is the reason"
    )


def amount(value: float | None, unit: str = "") -> str:
    """A measured number with its unit: ``4.1 %``, ``2.29 nats``, ``1.35``; a dash where there is none."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:,.{0 if value == round(value) else decimals(value)}f} {unit}".strip()


def decimals(value: float, digits: int = 3) -> int:
    """Places behind the point that show so many digits that count; those before the point are all shown."""
    return max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
