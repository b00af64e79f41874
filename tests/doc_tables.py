"""The tables in the documents that the code can write: options, recipes, settings, models, data sets, metrics."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ganzoo.cli.show import options_of, text_of
from ganzoo.evaluation.metric import GROUPS
from ganzoo.models.model import Model
from ganzoo.networks.stock import FAMILIES
from ganzoo.runs.config import RunConfig
from ganzoo.zoo.manager import default_zoo

__all__ = ["TABLES", "refreshed"]

MODELS = ("gan", "cgan", "acgan", "infogan", "infogan-cr", "bigan", "vaegan")
_TABLE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """A page with its tables as the code has them now."""
    return _TABLE.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)


def table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def code(value: object) -> str:
    """A value as it is typed; nothing for none."""
    return "" if value is None else f"`{text_of(value)}`"


def options(model: type[Model], without: type[Model] | None = None) -> str:
    """The options of a model that another does not have."""
    known = options_of(without) if without else {}
    rows = (
        [f"`{name}`", code(option["default"]), option["description"]]
        for name, option in options_of(model).items()
        if name not in known
    )
    return table(["option", "default", "what it is"], rows)


def recipes(name: str) -> str:
    """The recipes of a model."""
    entry = default_zoo().catalogue.models[name]
    rows = (
        [
            data,
            f"`{name}`" if recipe_name == "default" else f"`{name}@{recipe_name}`",
            f"{recipe.images:,}",
            str(recipe.batch),
            "<br>".join(f"`{key}={text_of(value)}`" for key, value in recipe.options.items()),
            recipe.note
            + (f" Averaged weights have a half-life of {recipe.half_life:,} images." if recipe.half_life else ""),
        ]
        for data, table in entry.recipes.items()
        for recipe_name, recipe in table.items()
    )
    return table(["data", "recipe", "images", "batch", "options", "remarks"], rows)


def papers() -> str:
    """The models and their papers."""
    return table(["model", "what it is", "paper"], (paper_row(name) for name in MODELS))


def paper_row(name: str) -> list[str]:
    """A model, its summary and its paper."""
    entry = default_zoo().catalogue.models[name]
    paper = entry.paper
    assert paper is not None
    first = paper.authors[0].split()[-1]
    others = {1: "", 2: f" & {paper.authors[-1].split()[-1]}"}.get(len(paper.authors), " et al.")
    link = f"[{paper.title}](https://arxiv.org/abs/{paper.arxiv})"
    return [f"[`{name}`](DOCS#{name})", entry.summary, f"{first}{others} {paper.year}, {link}"]


def settings() -> str:
    """The settings of a run, apart from options."""
    rows: list[list[str]] = []
    for name, setting in RunConfig.model_fields.items():
        if name in ("model", "recipe", "data_options", "options"):
            continue
        default = "`mnist`" if name == "data" else "from `images`"
        if not setting.is_required():
            default = code(setting.get_default())
        rows.append([f"`{name}`", default, setting.description or ""])
    return table(["setting", "default", "what it is"], iter(rows))


def families() -> str:
    """The stock networks."""
    return table(["networks", "sample shapes"], ([f"`{name}`", family.shapes] for name, family in FAMILIES.items()))


def datasets() -> str:
    """The data sets."""
    rows = (
        [f"`{name}`", known.summary, "no" if known.offline else "yes", ", ".join(map(code, known.Options.model_fields))]
        for name, known in default_zoo().datasets().items()
    )
    return table(["data set", "what it is", "downloads", "options (`-d`)"], rows)


def metrics() -> str:
    """The built-in metrics, by group."""
    known = sorted(default_zoo().metrics().items(), key=lambda item: GROUPS.index(item[1].group))
    rows = ([f"`{name}`", metric.group, metric.summary, "yes" if metric.slow else ""] for name, metric in known)
    return table(["metric", "about", "what it measures", "slow"], rows)


def extractors() -> str:
    """The built-in feature extractors."""
    rows = ([f"`{name}`", extractor.summary] for name, extractor in default_zoo().extractors().items())
    return table(["extractor", "what it is"], rows)


def plugin(name: str) -> type[Any]:
    """A built-in model."""
    return default_zoo().model(name)


TABLES: dict[str, Callable[[], str]] = {
    "models": lambda: papers().replace("DOCS", "docs/models.md"),
    "models here": lambda: papers().replace("DOCS", ""),
    "options of every model": lambda: options(Model),
    **{f"options of {name}": lambda name=name: options(plugin(name), Model) for name in MODELS},  # type: ignore[misc]
    **{f"recipes of {name}": lambda name=name: recipes(name) for name in MODELS},  # type: ignore[misc]
    "settings": settings,
    "networks": families,
    "data sets": datasets,
    "metrics": metrics,
    "extractors": extractors,
}
