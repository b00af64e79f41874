"""The option ``--plugin``, which the group has and every command that opens a run or a model.

Apart from the other options, since the group's help needs no other.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["plugin_option"]

F = TypeVar("F", bound=Callable[..., Any])


def register_files(ctx: click.Context, param: click.Parameter, files: tuple[str, ...]) -> None:
    """Imports the files of ``--plugin``; not while a shell completes, which must not run what is being typed."""
    if files and not ctx.resilient_parsing:
        from pathlib import Path

        from ganzoo.cli.importing import import_torch
        from ganzoo.zoo.manager import default_zoo

        import_torch()  # before a file that does
        for file in files:
            default_zoo().register_file(Path(file))


def plugin_option(function: F) -> F:
    """The option ``--plugin FILE.py``."""
    add = click.option(
        "--plugin",
        "plugin_files",
        multiple=True,
        expose_value=False,
        callback=register_files,
        type=click.Path(),
        metavar="FILE.py",
        help="Use the models in this file too; may be repeated.",
    )
    return add(function)
