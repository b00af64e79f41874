"""``ganzoo train``: the command that everything else follows from."""

import shlex
import sys
from typing import Any

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import complete_runs, examples, model_argument, request, request_options
from ganzoo.core.errors import UsageError

__all__ = ["train"]

INTERRUPTED = 130


@click.command(
    epilog=examples(
        "ganzoo train infogan --data mnist",
        "ganzoo train infogan@paper --data mnist --images 640k --seed 1",
        "ganzoo train gan --data pictures/ -d size=32 -o adversarial=hinge -o r1=1.0",
        'ganzoo train infogan -o latent="z: normal(62), category: categorical(20) code"',
        "ganzoo train acgan --dry-run               # what would be done, and nothing else",
        "ganzoo train --resume latest --images 1M   # go on, with a larger budget",
    )
)
@model_argument(required=False)
@request_options
@click.option("--out", default="runs", show_default=True, metavar="DIR", help="Folder to make the run in.")
@click.option("--resume", metavar="RUN", shell_complete=complete_runs, help="Go on with a run.")
@click.option("--dry-run", is_flag=True, help="Build everything, play one round, print the plan and stop.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the final line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line for each event.")
def train(
    model: str | None,
    out: str,
    resume: str | None,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
    **params: Any,
) -> None:
    """Train MODEL[@RECIPE] on a data set; Ctrl-C saves, and --resume goes on."""
    if resume is None and model is None:
        raise UsageError("train needs the name of a model, such as 'ganzoo train infogan', or --resume RUN")
    if resume is not None and dry_run:
        raise UsageError("--dry-run shows the plan of a new run; it cannot go with --resume")
    if resume is None and params["data"] in (None, "mnist"):
        from ganzoo.data import bundled

        bundled.begin()  # on another core, while this one imports torch
    import_torch()
    if resume is None and dry_run:
        show_plan(str(model), as_json, params)
        return

    from ganzoo import api
    from ganzoo.cli.display import observer_for

    observer = observer_for(quiet=quiet, as_json=as_json)
    command = shlex.join(["ganzoo", *sys.argv[1:]])
    with observer:
        if resume is None:
            api.start(api.configure(str(model), **request(params)), out=out, observer=observer, command=command)
        else:
            go_on(model, resume, out, params, observer)
    if observer.interrupted:
        click.get_current_context().exit(INTERRUPTED)


def show_plan(model: str, as_json: bool, params: dict[str, Any]) -> None:
    """Prints what a run would be."""
    from ganzoo import api
    from ganzoo.cli.text import print_json
    from ganzoo.training.distributed import joined

    plan = api.plan(api.configure(model, **request(params)))
    if not joined().first:
        return
    if as_json:
        print_json(plan.as_dict())
    else:
        click.echo(str(plan))


def go_on(model: str | None, resume: str, out: str, params: dict[str, Any], observer: Any) -> None:
    """Resumes a run; whatever else was asked for goes along, to be refused where it differs."""
    from ganzoo import api
    from ganzoo.cli.options import find_run

    asked = request(params)
    if asked.pop("config") is not None:
        raise UsageError("a run goes on with the settings that it started with, so --resume takes no --config")
    name, _, recipe = (model or "").partition("@")
    flags = asked.pop("flags") | {"model": name or None, "recipe": recipe or None, "data": asked.pop("data")}
    api.resume(find_run(resume, out), out=out, flags=flags, observer=observer, **asked)
