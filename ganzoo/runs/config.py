"""What is asked of a run: every setting resolved, so that the run directory alone can repeat it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import to_jsonable_python

__all__ = ["MAX_COUNT", "RunConfig", "default_schedule"]

MAX_COUNT = 10**15
"""The largest number of images, bytes or seconds that a run may speak of: floats count so far exactly."""


# JSON's own types from the start (a tuple becomes a list), so that a configuration equals its reread self.
JsonDict = Annotated[dict[str, Any], BeforeValidator(to_jsonable_python)]
_NESTED = ("data_options", "options")


class RunConfig(BaseModel):
    """The resolved configuration of a run; immutable, and equal to itself after a trip through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1, description="the model's name in the zoo")
    recipe: str | None = Field(None, description="the registry's recipe, where one was used")
    data: str = Field(min_length=1, description="the data set's name, or a folder of images")
    data_options: JsonDict = Field(default_factory=dict, description="the data set's options")
    images: int = Field(640_000, ge=1, le=MAX_COUNT, description="the budget, in real samples")
    batch: int = Field(128, ge=1, le=1_000_000, description="samples a turn, over all processes")
    seed: int = Field(0, ge=0, lt=2**63, description="what all randomness of the run is derived from")
    device: str = Field("auto", min_length=1, description="auto, cpu, cuda, cuda:1, mps, …")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="of the networks' arithmetic")
    graph: Literal["auto", "on", "off"] = Field("auto", description="whether a CUDA graph plays the rounds")
    schedule: int = Field(
        ge=1, le=MAX_COUNT, description="images over which progress runs from 0 to 1, for all schedules"
    )
    half_life: int = Field(ge=1, le=MAX_COUNT, description="images after which averaged weights have half forgotten")
    tick: int = Field(ge=1, le=MAX_COUNT, description="images between two lines of statistics")
    save_every: int = Field(ge=1, le=MAX_COUNT, description="images between two checkpoints")
    options: JsonDict = Field(default_factory=dict, description="the model's options, all of them")

    def flat(self) -> dict[str, Any]:
        """The settings by dotted key: ``batch``, ``data_options.size``, ``options.noise``; JSON's types."""
        result: dict[str, Any] = {}
        for key, value in self.model_dump(mode="json").items():
            if key in _NESTED:
                result |= {f"{key}.{name}": inner for name, inner in value.items()}
            else:
                result[key] = value
        return result

    @classmethod
    def from_flat(cls, settings: dict[str, Any]) -> Self:
        """The inverse of ``flat``; settings that are left out have their defaults.

        Raises:
            pydantic.ValidationError: a setting is missing, unknown or impossible.
        """
        values: dict[str, Any] = {}
        for key, value in settings.items():
            table, dot, name = key.partition(".")
            if dot and table in _NESTED:
                values.setdefault(table, {})[name] = value
            else:
                values[key] = value
        return cls.model_validate(values)

    def difference(self, other: "RunConfig") -> dict[str, tuple[Any, Any]]:
        """The settings that differ: by dotted key, the value here and there (None where there is none)."""
        here, there = self.flat(), other.flat()
        return {key: (here.get(key), there.get(key)) for key in here | there if here.get(key) != there.get(key)}


def default_schedule(images: int, batch: int) -> dict[str, int]:
    """The settings that follow from the budget unless they are given.

    Schedules last as long as the budget; there are a hundred ticks, of at least one turn and at most
    10,000 images, and ten checkpoints; and averaged weights forget half within 10,000 images (a twentieth
    of a budget below 200,000, which would otherwise end before they have left the first weights behind).
    All are resolved once: a run that goes on with a raised budget keeps them.

    Args:
        images: the budget, at least 1.
        batch: samples a turn, at least 1.

    Returns:
        ``schedule``, ``half_life``, ``tick`` and ``save_every``, in images.
    """
    return {
        "schedule": images,
        "half_life": max(1, min(10_000, images // 20)),
        "tick": max(batch, min(10_000, images // 100)),
        "save_every": max(10 * batch, images // 10),
    }
