"""``ganzoo datasets``: every data set there is."""

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import examples, json_option, plugin_option

__all__ = ["datasets"]


@click.command(
    epilog=examples(
        "ganzoo datasets",
        "ganzoo datasets --json",
        "ganzoo train gan --data pictures/        # any folder of images is a data set too",
    )
)
@json_option
@plugin_option
def datasets(as_json: bool) -> None:
    """List the data sets, built-in and installed, and which of them need no network."""
    import_torch()
    from ganzoo.cli.text import print_json, print_table
    from ganzoo.zoo.manager import default_zoo

    known = default_zoo().datasets()
    described = [
        {
            "name": name,
            "summary": dataset.summary,
            "offline": dataset.offline,
            "options": {
                option: {
                    "default": field.get_default(call_default_factory=True),
                    "description": field.description,
                }
                for option, field in dataset.Options.model_fields.items()
            },
        }
        for name, dataset in known.items()
    ]
    if as_json:
        print_json(described)
        return
    rows = [
        [name, dataset.summary, "no" if dataset.offline else "yes", " ".join(dataset.Options.model_fields)]
        for name, dataset in known.items()
    ]
    print_table(
        ["data set", "what it is", "downloads", "options (-d)"],
        rows,
        nothing="There are no data sets: see ganzoo plugins.",
    )
