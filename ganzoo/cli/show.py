"""``ganzoo show``: a model or a run, described."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import (
    LATEST,
    complete_models,
    complete_runs,
    examples,
    json_option,
    request,
    request_options,
    root_option,
)

if TYPE_CHECKING:
    from ganzoo.models.model import Model
    from ganzoo.zoo.catalogue import ModelEntry

__all__ = ["show"]


def complete_shown(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models and runs."""
    return complete_models(ctx, param, incomplete) + complete_runs(ctx, param, incomplete)


@click.command(
    epilog=examples(
        "ganzoo show infogan",
        "ganzoo show infogan@paper --data fashion-mnist",
        'ganzoo show infogan -o "categories=[10, 4]"        # with other options',
        "ganzoo show latest",
        "ganzoo show runs/00012-infogan-mnist --json",
        "ganzoo show infogan-mnist                          # a trained run that is part of ganzoo",
    )
)
@click.argument("what", metavar="MODEL[@RECIPE]|RUN", shell_complete=complete_shown)
@request_options
@root_option
@json_option
def show(what: str, root: str, as_json: bool, **params: Any) -> None:
    """Describe a model (paper, recipes, options, networks, terms) or a run.

    A model is shown as it would be built for --data with the options given.
    """
    from ganzoo.cli.runs import show_run
    from ganzoo.zoo.manager import default_zoo

    if looks_like_run(what, root):
        show_run(what, root, as_json)
        return
    import_torch()
    name = what.partition("@")[0]
    model = default_zoo().model(name)
    show_model(what, model, default_zoo().entry(name), as_json, params)


def looks_like_run(what: str, root: str) -> bool:
    """Whether the word means a run rather than a model: it is a path, a number or the beginning of a run's name.

    Or the name of one that is part of ganzoo.
    """
    from ganzoo.runs.pretrained import shipped

    if what == LATEST or what.isdecimal() or "/" in what or what.startswith("."):
        return True
    if (Path(what) / "run.json").is_file() or what in shipped():
        return True
    names = [record.parent.name for record in Path(root).glob("*/run.json")]
    return what[:1].isdecimal() and any(name.startswith(what) for name in names)


def show_model(
    what: str, model: "type[Model]", entry: "ModelEntry | None", as_json: bool, params: dict[str, Any]
) -> None:
    """Describes a model, and how it looks when it is built for a data set."""
    from ganzoo import api
    from ganzoo.cli.text import print_json, print_table
    from ganzoo.models.game import Game

    configured = api.configure(what, **request(params))
    game = Game.build(configured.model, configured.dataset.spec, configured.config.seed)
    options = options_of(model)
    recipes = entry.recipes if entry else {}
    if as_json:
        built = {
            "data": game.data.name,
            "latent": str(game.latent),
            "parameters": game.parameter_counts(),
            "objective": repr(game.objective),
            "config": configured.config.model_dump(mode="json"),
        }
        described = entry.model_dump(mode="json") if entry else {"summary": model.summary()}
        print_json({"name": model.name, **described, "options": options, "built": built})
        return
    click.echo(f"{model.name}: {entry.summary if entry else model.summary()}")
    if entry and entry.paper:
        paper = entry.paper
        where = f", arXiv {paper.arxiv}" if paper.arxiv else ""
        click.echo(f"{', '.join(paper.authors)} ({paper.year}): {paper.title}{where}")
    click.echo("\nrecipes")
    rows = [
        [data, name, f"{recipe.images:,}", str(recipe.batch), recipe.note]
        for data, table in recipes.items()
        for name, recipe in table.items()
    ]
    print_table(["data", "recipe", "images", "batch", "remarks"], rows, nothing="none")
    click.echo("\nresults")
    rows = [
        [
            *(each.data, each.recipe, each.metric, f"{each.mean:.4g}"),
            *("" if each.spread is None else f"{each.spread:.2g}", str(each.seeds), each.protocol),
        ]
        for each in (entry.results if entry else ())
    ]
    columns = ["data", "recipe", "metric", "mean", "spread", "seeds", "how it was measured"]
    print_table(columns, rows, nothing="not measured yet")
    click.echo("\noptions (-o name=value)")
    chosen = configured.config.options
    rows = [
        [
            name,
            option["type"],
            text_of(option["default"]),
            text_of(chosen.get(name, option["default"])),
            option["description"],
        ]
        for name, option in options.items()
    ]
    print_table(["option", "type", "default", "here", "what it is"], rows, nothing="none")
    click.echo(f"\n{game}")


def options_of(model: "type[Model]") -> dict[str, dict[str, Any]]:
    """The options that a model has: type, default and description, by name."""
    fields = model.Options.model_fields
    return {
        name: {
            "type": type_text(field.annotation),
            "default": None if field.is_required() else field.get_default(call_default_factory=True),
            "description": field.description or "",
        }
        for name, field in fields.items()
    }


def type_text(annotation: Any) -> str:
    """A type as a user may read it: ``int``, ``'batch' | 'layer'``."""
    from typing import Literal, get_args, get_origin

    if get_origin(annotation) is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    parts = [type_text(part) for part in get_args(annotation)]
    if get_origin(annotation) is tuple:
        return f"list of {parts[0]}" if get_args(annotation)[-1] is Ellipsis else f"[{', '.join(parts)}]"
    return " | ".join("none" if part == "NoneType" else part for part in parts) or str(annotation)


def text_of(value: Any) -> str:
    """A value as it is typed behind ``-o name=``."""
    from ganzoo.cli.text import toml_value

    return value if isinstance(value, str) else toml_value(value)
