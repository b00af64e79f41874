"""``ganzoo plugins new``: the package of a new plugin."""

from pathlib import Path
from shlex import quote

import click

from ganzoo.cli.options import examples

__all__ = ["new"]


@click.command(epilog=examples("ganzoo plugins new hello-gan", "ganzoo plugins new hello-gan --dir ~/projects"))
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIR",
    help="Folder to write the package in.  [default: here]",
)
def new(name: str, folder: Path) -> None:
    """Write ganzoo-NAME: a package with a small model called NAME, its tests, a README and a workflow for CI.

    It installs and passes its tests as it comes; then make the model your own.
    """
    from ganzoo.testing.package import write_package

    package = write_package(name, folder.expanduser())
    click.echo(package)
    for file in sorted(path.relative_to(package) for path in package.rglob("*") if path.is_file()):
        click.echo(f"  {file}")
    where = quote(str(package))
    steps = [f"pip install -e {where}", f"pytest {where}", f"ganzoo train {name} --data mnist --images 20k"]
    click.echo("\n" + "\n  ".join(["type next", *steps]))
