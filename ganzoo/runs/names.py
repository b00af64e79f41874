"""``names.json``: what the categories of a run's codes are called."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.reading import parse_json, read_file
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import saving, write_atomically
from ganzoo.runs.record import MAX_BYTES

if TYPE_CHECKING:  # it brings torch, which showing a run has no need of
    from ganzoo.core.latent import LatentSpec

__all__ = ["FILE", "CategoryNames", "Names", "clear_names", "read_names", "told_apart", "write_names"]

FILE = "names.json"
SCHEMA_VERSION = 1


class CategoryNames(BaseModel):
    """What the categories of one variable are called, and how that was found; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    names: tuple[str, ...] = Field(min_length=1, description="name of each category, no two alike")
    classes: tuple[Annotated[int, Field(ge=0)] | None, ...] = Field(
        description="index of the class that each category stands for; None where it is not known"
    )
    label: str | None = Field(None, description="the label whose classes these are")
    labels: int | None = Field(None, ge=1, description="labelled samples that were used; None if named by hand")
    seed: int | None = Field(None, description="which samples these were")
    agreement: float | None = Field(None, ge=0, le=1, description="share of them that fit the names")
    images: int | None = Field(None, ge=0, description="the checkpoint whose critic read them")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(self.names) != len(self.classes):
            raise ValueError(f"{len(self.names)} names but {len(self.classes)} classes")
        for name in self.names:
            if not name.strip() or name != name.strip() or not name.isprintable():
                raise ValueError(f"{name!r} cannot name a category; use letters, digits and signs on one line")
        if len(set(self.names)) != len(self.names):
            raise ValueError("two categories have the same name")
        return self

    @property
    def order(self) -> tuple[int, ...]:
        """The categories in the order of their classes; those without a class last."""
        return tuple(
            sorted(range(len(self.classes)), key=lambda index: (self.classes[index] is None, self.classes[index] or 0))
        )


class Names(BaseModel):
    """What ``names.json`` says; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(SCHEMA_VERSION, le=SCHEMA_VERSION, description="version of this file's form")
    variables: dict[str, CategoryNames] = Field(default_factory=dict, description="by name of the variable")

    @property
    def order(self) -> dict[str, tuple[int, ...]]:
        """By variable its categories in the order of their classes."""
        return {name: each.order for name, each in self.variables.items()}

    def applied(self, latent: "LatentSpec") -> "LatentSpec":
        """The latent space with these names in it.

        Raises:
            UsageError: it has no such variable, or one of another size.
        """
        from ganzoo.core.variables import Categorical

        named = {}
        for name, each in self.variables.items():
            variable = latent[name]
            if not isinstance(variable, Categorical):
                raise UsageError(f"{name!r} has no categories that could have names")
            named[name] = replace(variable, names=each.names)
        return type(latent)(**{**latent, **named})


def read_names(run: RunDirectory) -> Names:
    """The names of a run's categories; none where nobody has named them.

    Raises:
        RunError: the file is damaged.
    """
    path = run.path / FILE
    try:
        values = parse_json(read_file(path, MAX_BYTES))
    except FileNotFoundError:
        return Names()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        raise damaged(path, error) from error
    try:
        return Names.model_validate(values)
    except ValidationError as error:
        from ganzoo.core.data import validation_sentence

        raise damaged(path, validation_sentence(error)) from error


def write_names(run: RunDirectory, names: Names) -> None:
    """Stores the names of a run's categories, in place of those there.

    Raises:
        RunError: the file could not be written, or the run is part of ganzoo.
    """
    run.expect_own()
    write_atomically(run.path / FILE, names.model_dump_json(indent=2) + "\n")


def clear_names(run: RunDirectory, variable: str | None = None) -> None:
    """Forgets the names of one variable, or all of them, even where the file is damaged.

    Raises:
        UsageError: the variable has no names.
        RunError: the file could not be changed, or the run is part of ganzoo.
    """
    run.expect_own()
    if variable is not None:
        kept = dict(read_names(run).variables)
        if kept.pop(variable, None) is None:
            raise UsageError(f"{variable!r} of {run.name} has no names to forget")
        if kept:
            write_names(run, Names(variables=kept))
            return
    with saving(str(run.path / FILE)):
        (run.path / FILE).unlink(missing_ok=True)


def told_apart(names: Iterable[str]) -> tuple[str, ...]:
    """The names, no two alike: of equal ones, the second becomes ``name (2)`` and so on."""
    found: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found.append(unique)
    return tuple(found)


def damaged(path: Path, problem: object) -> RunError:
    """The error for a file that cannot be understood, with the way out."""
    return RunError(f"{path} is damaged: {problem}; remove it, as `ganzoo name {path.parent} --clear` does")
