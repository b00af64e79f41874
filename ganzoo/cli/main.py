"""The command ``ganzoo``: its commands by name, each imported only when it is used."""

import os
import sys
import traceback
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click

from ganzoo.core.errors import GanzooError, unknown

__all__ = ["COMMANDS", "LazyCommand", "LazyGroup", "cli", "main"]

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


class LazyCommand(NamedTuple):
    """A command that is not imported yet: ``module:attribute``, and its line in the group's help."""

    target: str
    help: str


COMMANDS = {
    "train": LazyCommand("ganzoo.cli.train:train", "Train a model on a data set."),
    "sample": LazyCommand("ganzoo.cli.sample:sample", "Draw samples from a trained run."),
    "traverse": LazyCommand("ganzoo.cli.traverse:traverse", "Show what each code of a trained run does."),
    "eval": LazyCommand("ganzoo.cli.eval:eval_", "Measure how good a trained run is."),
    "compare": LazyCommand("ganzoo.cli.compare:compare", "Train models under one protocol and compare them."),
    "report": LazyCommand("ganzoo.cli.report:report", "Make a page of a run, to look at and to mail."),
    "name": LazyCommand("ganzoo.cli.name:name", "Name what a run's codes have found."),
    "models": LazyCommand("ganzoo.cli.models:models", "List the models."),
    "datasets": LazyCommand("ganzoo.cli.datasets:datasets", "List the data sets."),
    "plugins": LazyCommand("ganzoo.cli.plugins:plugins", "List the plugins and what became of each."),
    "show": LazyCommand("ganzoo.cli.show:show", "Describe a model or a run."),
    "runs": LazyCommand("ganzoo.cli.runs:runs", "List, show and remove runs."),
    "config": LazyCommand("ganzoo.cli.config:config", "Print a configuration, and where each value is from."),
    "completion": LazyCommand("ganzoo.cli.completion:completion", "Print the script that completes commands."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and ends every failure with one sentence.

    Args:
        lazy: the commands by name, in the order in which the help lists them.
        **settings: as for ``click.Group``.
    """

    def __init__(self, *, lazy: Mapping[str, LazyCommand], **settings: Any) -> None:
        super().__init__(**settings)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order given."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name].target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name.

        Raises:
            UsageError: there is none of that name.
        """
        if args[0] not in self.lazy and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown("command", args[0], self.lazy)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands by the help given here, so that none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in self.lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; ``--debug`` prints the traceback of what ends it."""
        try:
            return super().invoke(ctx)
        except (GanzooError, OSError):
            if ctx.params["debug"]:
                traceback.print_exc()
            raise

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Runs the command line and exits; an expected failure is one sentence on stderr."""
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            message = error.format_message().rstrip(".").replace(". Did you mean", "; did you mean")
            if error.ctx and not message.endswith("?"):
                message += f"; see '{error.ctx.command_path} --help'"
            fail(message, error.exit_code)
        except click.ClickException as error:
            fail(error.format_message(), error.exit_code)
        except click.Abort:
            fail("interrupted", INTERRUPTED)
        except GanzooError as error:
            fail(str(error), error.exit_code)
        except OSError as error:
            about = f": {error.filename}" if error.filename else ""
            fail(f"{os.strerror(error.errno) if error.errno else error}{about}", 1)


def fail(message: str, exit_code: int) -> NoReturn:
    """Ends the process with one line on stderr."""
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    sys.exit(exit_code)


@click.group(
    name="ganzoo",
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Begin with:
  ganzoo train infogan --data mnist
  ganzoo sample latest -n 100 --given category=3
  ganzoo traverse latest""",
)
@click.version_option(package_name="ganzoo", message="ganzoo %(version)s")
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
