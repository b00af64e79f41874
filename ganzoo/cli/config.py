"""``ganzoo config``: what a command line comes to."""

from typing import Any

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import examples, json_option, model_argument, request, request_options

__all__ = ["config"]


@click.command(
    epilog=examples(
        "ganzoo config infogan --data mnist",
        "ganzoo config infogan@paper --images 1M -o noise=32",
        "ganzoo config infogan > ganzoo.toml        # a settings file to edit",
        "ganzoo config gan --json",
    )
)
@model_argument()
@request_options
@json_option
def config(model: str, as_json: bool, **params: Any) -> None:
    """Print every setting of MODEL[@RECIPE] and where it comes from, as a settings file.

    Later places win: built-in defaults, the model's own, the recipe, ganzoo.toml in this folder, --config,
    flags, -o.
    """
    import_torch()
    from ganzoo.api import configure
    from ganzoo.cli.text import as_toml, print_json

    configured = configure(model, **request(params))
    settings = configured.config.flat()
    if as_json:
        origins = configured.origins
        print_json({key: {"value": value, "origin": origins.get(key, "")} for key, value in settings.items()})
        return
    for line in as_toml(settings, configured.origins, configured.config.model):
        click.echo(line)
