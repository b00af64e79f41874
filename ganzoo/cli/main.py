"""The command ``ganzoo``: its commands by name, each imported only when it is used."""

import os
import sys
import warnings

import click

from ganzoo.cli.lazy import ExtensibleGroup, LazyCommand
from ganzoo.cli.plugin_files import plugin_option

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "train": LazyCommand("ganzoo.cli.train:train", "Train a model on a data set."),
    "sample": LazyCommand("ganzoo.cli.sample:sample", "Draw samples from a trained run."),
    "traverse": LazyCommand("ganzoo.cli.traverse:traverse", "Show what each code of a trained run does."),
    "reconstruct": LazyCommand("ganzoo.cli.reconstruct:reconstruct", "Draw test samples and their reconstructions."),
    "eval": LazyCommand("ganzoo.cli.eval:eval_", "Measure how good a trained run is."),
    "rank": LazyCommand("ganzoo.cli.rank:rank", "Find the run whose codes the others agree with most."),
    "compare": LazyCommand("ganzoo.cli.compare:compare", "Train models under one protocol and compare them."),
    "bench": LazyCommand("ganzoo.cli.bench:bench", "Time the training of models on this machine."),
    "report": LazyCommand("ganzoo.cli.report:report", "Make a page of a run, to look at and to mail."),
    "export": LazyCommand("ganzoo.cli.export:export", "Write a run as a small directory to share."),
    "name": LazyCommand("ganzoo.cli.name:name", "Name what a run's codes have found."),
    "models": LazyCommand("ganzoo.cli.models:models", "List the models."),
    "datasets": LazyCommand("ganzoo.cli.datasets:datasets", "List the data sets."),
    "plugins": LazyCommand("ganzoo.cli.plugins:plugins", "List, write and check plugins."),
    "show": LazyCommand("ganzoo.cli.show:show", "Describe a model or a run."),
    "runs": LazyCommand("ganzoo.cli.runs:runs", "List, show and remove runs."),
    "config": LazyCommand("ganzoo.cli.config:config", "Print a configuration, and where each value is from."),
    "completion": LazyCommand("ganzoo.cli.completion:completion", "Print the script that completes commands."),
}


def leave_out_plugins(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Shuts out third-party plugins, in the environment: the trainings of a comparison heed it too."""
    if value and not ctx.resilient_parsing:
        from ganzoo.zoo.selection import ALLOW

        os.environ[ALLOW] = ""


@click.group(
    name="ganzoo",
    cls=ExtensibleGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Begin with:
  ganzoo train infogan --data mnist
  ganzoo sample latest -n 100 --given category=3
  ganzoo traverse latest""",
)
@click.version_option(package_name="ganzoo", message="ganzoo %(version)s")
@click.option(
    "--no-plugins",
    is_flag=True,
    is_eager=True,  # so that the help behind it knows
    expose_value=False,
    callback=leave_out_plugins,
    help="Load built-in plugins only.",
)
@plugin_option
@click.option("--debug", is_flag=True, envvar="GANZOO_DEBUG", help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Generative adversarial networks: train, sample, understand and compare them.

    Every command has examples in its own --help.
    """


def show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Prints a warning without the line of source that it came from."""
    click.echo(f"Warning: {message}", err=True)


def main() -> None:
    """Entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot write "×" must not end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    warnings.showwarning = show_warning
    cli(prog_name="ganzoo")
