"""``ganzoo report``: a run on one page, to look at and to mail."""

from pathlib import Path

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import device_option, examples, find_run, plugin_option, root_option, run_argument
from ganzoo.core.errors import UsageError

__all__ = ["report"]


@click.command(
    epilog=examples(
        "ganzoo report latest",
        "ganzoo report 12 --out infogan.html",
        "ganzoo eval latest && ganzoo report latest     # with the scores",
    )
)
@run_argument(required=False)
@click.option("--out", metavar="FILE.html", help="Where to write the page.  [default: report.html in RUN]")
@device_option
@plugin_option
@root_option
def report(run: str, out: str | None, device: str, root: str) -> None:
    """Make a page of RUN, by default the newest, and print where it is.

    It is one file that needs no network: samples, what each code does, training curves, scores where the run
    has been measured, and an explorer in which every code has its control. RUN is a folder, a number, the
    beginning of a name, or 'latest'.
    """
    target = None if out is None else page_path(out)
    path = find_run(run, root)

    import_torch()
    from ganzoo.comparison.report import write_run_report
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.training.hardware import Hardware
    from ganzoo.zoo.manager import default_zoo

    click.echo(str(write_run_report(RunDirectory.open(path), default_zoo(), target, Hardware.choose(device).device)))


def page_path(out: str) -> Path:
    """Where ``--out`` asks for the page to be.

    Raises:
        UsageError: it is a folder, or not the name of a page.
    """
    path = Path(out)
    if path.is_dir() or path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {out} is no page; end it in .html")
    return path
