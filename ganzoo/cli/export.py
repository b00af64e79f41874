"""``ganzoo export``: a trained run as a small directory, to be given to others."""

from shlex import quote

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import examples, find_run, plugin_option, root_option, run_argument

__all__ = ["export"]


@click.command(
    epilog=examples(
        "ganzoo export latest digits        # a few megabytes, with a model card",
        "ganzoo sample ./digits             # whoever has the directory opens it by its path",
    )
)
@run_argument()
@click.argument("folder", metavar="DIR")
@plugin_option
@root_option
def export(run: str, folder: str, root: str) -> None:
    """Write what sampling needs of RUN, and no more, into the new directory DIR.

    It has the record and the names of RUN, its averaged weights in half precision, and a model card to be completed,
    README.md. The record says what was typed and where the data were: read run.json before you publish it.
    """
    path = find_run(run, root)

    import_torch()
    from ganzoo.cli.text import bytes_text
    from ganzoo.comparison.export import export as write
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.zoo.manager import default_zoo

    for name, file in write(RunDirectory.open(path), folder, default_zoo()).manifest.files.items():
        click.echo(f"{folder}: {name} of {bytes_text(file.bytes)}, SHA-256 {file.sha256}")
    click.echo(f"\ntype next\n  ganzoo sample {quote(folder)}")
