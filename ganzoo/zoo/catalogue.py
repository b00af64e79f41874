"""The catalogue: what ``registry.toml`` says of models, recipes, results and weight files."""

import reprlib
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.reading import open_file

__all__ = ["ANY", "Catalogue", "ModelEntry", "Paper", "Recipe", "Result", "Weight"]

ANY = "any"
"""The recipes of this name serve data sets that have none of their own."""
DEFAULT = "default"

# A registry is a few kilobytes of short lines. The bounds keep a hostile file from taking time and memory:
# what Python's parser needs for a dotted key grows with the square of its dots.
MAX_BYTES = 1 << 17
MAX_LINE = 300

# TOML has types: a number in quotes or a boolean for a number is a mistake to report, not one to convert.
Count = Annotated[int, Field(strict=True, ge=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


def _printable(text: str) -> str:
    """Refuses line ends, and characters that would steer a terminal: what is written here is printed as it is."""
    odd = next((character for character in text if not character.isprintable()), None)
    if odd is not None:
        raise ValueError(f"expected text that can be printed in one line, without {odd!r}")
    return text


Line = Annotated[str, AfterValidator(_printable)]
Text = Annotated[Line, Field(min_length=1)]


def _plain(value: object) -> object:
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, bool | int | float | str):
            raise ValueError(f"expected a number, text, a truth value or a list, not {reprlib.repr(part)}")
    return value


OptionValue = Annotated[Any, AfterValidator(_plain)]


class _Table(BaseModel):
    """A table of the file: immutable, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in values:
                if key not in cls.model_fields:
                    raise ValueError(str(unknown("key", key, cls.model_fields)))
        return values


class Paper(_Table):
    """Where a model was published."""

    title: Text
    authors: tuple[Text, ...] = Field(min_length=1)
    year: int = Field(strict=True, ge=1900, le=2100)
    arxiv: str | None = Field(None, pattern=r"^\d{4}\.\d{4,5}$", description="identifier, as in 1606.03657")


class Recipe(_Table):
    """Settings that are known to work together for a data set."""

    images: Count = Field(description="budget: real samples taken by the first player")
    batch: Count
    half_life: Count | None = Field(None, description="of the averaged weights, in images; None: from the budget")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the model, by name")
    note: Line = Field("", description="what to know about it, in a sentence")


class Result(_Table):
    """A figure measured with a recipe."""

    data: Name
    recipe: Name
    metric: Text
    mean: Number
    spread: Number | None = Field(None, ge=0, description="standard deviation over seeds, if several")
    seeds: Count = Field(description="number of runs, each with a seed of its own")
    protocol: Text = Field(description="how it was measured: split, extractor, selection")


class Weight(_Table):
    """A weight file that ships with ganzoo or is fetched for it."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: Count
    summary: Line = Field("", description="what it is, in a line")


class ModelEntry(_Table):
    """What the catalogue says of one model."""

    plugin: Name = Field(description="name of the entry point whose plugin brings the model")
    summary: Text = Field(description="one line")
    paper: Paper | None = None
    recipes: dict[Name, dict[Name, Recipe]] = Field(
        default_factory=dict, description="by data set (or 'any'), then by recipe name"
    )
    results: tuple[Result, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for data, recipes in self.recipes.items():
            if DEFAULT not in recipes:
                raise ValueError(f"recipes.{data} has no recipe called {DEFAULT!r}")
        for index, result in enumerate(self.results):
            try:
                found = self.recipe(result.data, result.recipe)
            except UsageError as error:
                raise ValueError(f"results.{index}: {error}") from error
            if found is None:
                raise ValueError(f"results.{index}: there is no recipe for data set {result.data!r}")
        return self

    def recipe(self, data: str, name: str = DEFAULT) -> Recipe | None:
        """The recipe of this name for a data set.

        Args:
            data: the data set's name; one without recipes of its own gets those for 'any'.
            name: the recipe's name.

        Returns:
            The recipe, or None if there are no recipes for this data set and the default one was asked for.

        Raises:
            UsageError: a recipe was asked for by name that does not exist.
        """
        recipes = self.recipes.get(data, self.recipes.get(ANY, {}))
        if name in recipes:
            return recipes[name]
        if not recipes and name == DEFAULT:
            return None
        raise UsageError(f"{unknown('recipe', name, recipes)} (data set {data!r})")


class Catalogue(_Table):
    """Everything that a registry file says."""

    models: dict[Name, ModelEntry] = Field(default_factory=dict)
    weights: dict[Text, Weight] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None = None, *, called: str = "") -> Self:
        """Reads a registry file.

        Args:
            path: the file; None is the one that ganzoo ships.
            called: what an error calls the file, if not by its path.

        Raises:
            UsageError: it cannot be read, is not TOML (with the line) or does not follow the schema (with the
                table and key).
        """
        path = Path(__file__).parents[1] / "registry.toml" if path is None else path
        called = called or str(path)
        try:
            return cls.model_validate(tomllib.loads(_text(path, called)))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"the registry {called} is not TOML: {error}") from error
        except ValidationError as error:
            raise UsageError(f"the registry {called} is wrong at {_complaint(error)}") from error
        except (RecursionError, ValueError) as error:  # brackets without end, or a number of 5,000 digits
            raise UsageError(f"the registry {called} is no registry: {error}") from error


def _text(path: Path, called: str) -> str:
    try:
        with open_file(path, sys.maxsize) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"the registry {called} cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"the registry {called} is larger than {MAX_BYTES} bytes, so it is no registry")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"the registry {called} is not UTF-8 text (at line {line})") from error
    for line, written in enumerate(text.splitlines(), start=1):
        if len(written) > MAX_LINE:
            raise UsageError(f"the registry {called} has over {MAX_LINE} characters in line {line}")
    return text


def _complaint(error: ValidationError) -> str:
    """The first complaint as one phrase: ``models.gan.paper.year: Input should be … (got 'x')``."""
    first = error.errors(include_url=False)[0]
    # Pydantic marks a complaint about a key, not its value, by a last step "[key]".
    where = ".".join(str(step) for step in first["loc"] if step != "[key]")
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] in ("missing", "value_error") else f" (got {reprlib.repr(first['input'])})"
    return f"{where}: {message}{got}" if where else f"the top level: {message}{got}"
