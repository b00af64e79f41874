"""``ganzoo models``: every model there is."""

from typing import Any

import click

from ganzoo.cli.options import examples, json_option, plugin_option

__all__ = ["models"]


@click.command(
    epilog=examples("ganzoo models", "ganzoo models --json", "ganzoo show infogan      # one of them in detail")
)
@json_option
@plugin_option
def models(as_json: bool) -> None:
    """List the models, built-in and installed, with their papers and recipes, and the trained runs of ganzoo's own."""
    from ganzoo.cli.text import print_json, print_table
    from ganzoo.runs.pretrained import shipped
    from ganzoo.zoo.catalogue import ModelEntry
    from ganzoo.zoo.manager import default_zoo

    described: list[dict[str, Any]] = []
    for name, known in default_zoo().listing().items():
        entry = known if isinstance(known, ModelEntry) else None
        paper = entry.paper if entry else None
        described.append(
            {
                "name": name,
                "summary": known.summary if isinstance(known, ModelEntry) else known.summary(),
                "paper": paper.model_dump(mode="json") if paper else None,
                "recipes": {data: list(table) for data, table in entry.recipes.items()} if entry else {},
            }
        )
    if as_json:
        print_json(described)
        return
    rows = [
        [
            model["name"],
            str(model["paper"]["year"]) if model["paper"] else "",
            model["summary"],
            " ".join(sorted({recipe for table in model["recipes"].values() for recipe in table})),
        ]
        for model in described
    ]
    print_table(["model", "year", "what it is", "recipes"], rows, nothing="There are no models: see ganzoo plugins.")
    if names := shipped():
        click.echo(f"\ntrained, to be sampled at once\n  {'  '.join(names)}")
