"""``ganzoo runs``: the runs on the disk."""

from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import complete_runs, examples, find_run, json_option, run_argument

if TYPE_CHECKING:
    from ganzoo.runs.directory import RunDirectory

__all__ = ["runs"]

# Both names are understood: --out is what `train` calls the folder that it makes runs in.
root_option = click.option(
    "--runs", "--out", "root", metavar="DIR", help="Folder that holds the runs.  [default: runs]"
)


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "ganzoo runs",
        "ganzoo runs list --json",
        "ganzoo runs show latest",
        "ganzoo runs rm 3 4 --yes",
    ),
)
@root_option
@json_option
@click.pass_context
def runs(ctx: click.Context, root: str | None, as_json: bool) -> None:
    """List, show and remove runs; without a command, list them."""
    ctx.obj = root
    if ctx.invoked_subcommand is None:
        print_runs(root or "runs", as_json)


@runs.command("list", epilog=examples("ganzoo runs list", "ganzoo runs list --runs elsewhere --json"))
@root_option
@json_option
@click.pass_obj
def list_command(outer_root: str | None, root: str | None, as_json: bool) -> None:
    """List the runs of a folder."""
    print_runs(root or outer_root or "runs", as_json)


@runs.command("show", epilog=examples("ganzoo runs show latest", "ganzoo runs show 12 --json"))
@run_argument()
@root_option
@json_option
@click.pass_obj
def show_command(outer_root: str | None, run: str, root: str | None, as_json: bool) -> None:
    """Show what RUN was asked to do, how far it is and what it measured last."""
    show_run(run, root or outer_root or "runs", as_json)


@runs.command("rm", epilog=examples("ganzoo runs rm 3", "ganzoo runs rm 00003-gan-mnist 00004 --yes"))
@click.argument("which", metavar="RUN...", nargs=-1, required=True, shell_complete=complete_runs)
@root_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def rm_command(outer_root: str | None, which: tuple[str, ...], root: str | None, yes: bool) -> None:
    """Remove runs with everything in them, after a question."""
    from ganzoo.cli.text import bytes_text
    from ganzoo.runs.directory import RunDirectory

    # All are found before any is removed, so that a misspelt name removes nothing.
    paths = list(dict.fromkeys(find_run(run, root or outer_root or "runs").resolve() for run in which))
    for path in paths:
        RunDirectory.open(path).expect_own()
    for path in paths:
        click.echo(f"{path.name}  {bytes_text(size_of(path))}", err=not yes)
    if not yes and not click.confirm(f"Remove {'it' if len(paths) == 1 else 'them'} for good?", err=True):
        click.echo("Nothing was removed.", err=True)
        click.get_current_context().exit(1)
    for path in paths:
        # Whoever trains a run holds its lock, so that it is not removed from under them.
        with RunDirectory.open(path).lock():
            # Renamed first: a removal that is cut short leaves no half of a run among the others.
            doomed = path.rename(path.with_name(f".removing-{path.name}"))
        rmtree(doomed)
    click.echo(f"removed {len(paths)} run{'s' if len(paths) > 1 else ''}")


def size_of(path: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())


def print_runs(root: str, as_json: bool) -> None:
    """Lists the runs of a folder."""
    from ganzoo.cli.text import count, duration, print_json, print_table
    from ganzoo.runs.directory import RunDirectory

    known = RunDirectory.list(root)
    if as_json:
        print_json([described(run) for run in known])
        return
    rows = [
        [
            run.name,
            run.record.status,
            f"{count(run.record.images)} of {count(run.record.config.images)}",
            duration(run.record.seconds),
            f"{run.record.created:%Y-%m-%d %H:%M}",
        ]
        for run in known
    ]
    nothing = f"There are no runs in {root}: ganzoo train infogan --data mnist makes one."
    print_table(["run", "status", "images", "time", "started (UTC)"], rows, nothing=nothing)


def show_run(run: str, root: str, as_json: bool) -> None:
    """Shows one run: its record, its last statistics, its checkpoints and its pictures."""
    from ganzoo.cli.text import as_toml, count, duration, measure, print_json
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.runs.names import read_names

    found = RunDirectory.open(find_run(run, root))
    record, stats = found.record, found.stats()
    names = {code: list(each.names) for code, each in read_names(found).variables.items()}
    last = stats[-1] if stats else {}
    pictures = sorted([*found.samples.glob("*.*"), *found.traversals.glob("*.*")])
    if as_json:
        more = {"record": record.model_dump(mode="json"), "stats": last, "names": names, "pictures": pictures}
        print_json(described(found) | more)
        return
    config = record.config
    recipe = f"@{config.recipe}" if config.recipe else ""
    click.echo(f"{found.path}")
    click.echo(f"{config.model}{recipe} on {record.data.get('name', config.data)}, seed {config.seed}: {record.status}")
    click.echo(f"{count(record.images)} of {count(config.images)} images in {duration(record.seconds)}")
    click.echo(f"started {record.created:%Y-%m-%d %H:%M} UTC by: {record.command or 'Python'}")
    if record.message:
        click.echo(record.message)
    measured = {key: value for key, value in last.items() if isinstance(value, int | float)}
    if measured:
        click.echo("\nlast statistics")
        for name, value in measured.items():
            click.echo(f"  {name}: {count(value) if isinstance(value, int) else measure(name, value, {})}")
    for code, words in names.items():
        click.echo(f"\ncategories of {code}\n  " + ", ".join(f"{index} {word}" for index, word in enumerate(words)))
    checkpoints = sorted(path.name for path in found.checkpoints.glob("[0-9]*"))
    click.echo("\ncheckpoints\n  " + ("  ".join(checkpoints) or "none yet"))
    if pictures:
        click.echo("\npictures")
        for picture in pictures:
            click.echo(f"  {picture}")
    click.echo("\nconfiguration")
    for line in as_toml(config.flat(), record.origins, config.model):
        click.echo(f"  {line}" if line else "")


def described(run: "RunDirectory") -> dict[str, Any]:
    """What a listing says of a run."""
    record = run.record
    return {
        "name": run.name,
        "path": run.path,
        "model": record.config.model,
        "recipe": record.config.recipe,
        "data": record.config.data,
        "status": record.status,
        "images": record.images,
        "budget": record.config.images,
        "seconds": record.seconds,
        "created": record.created.isoformat(),
        "message": record.message,
    }
