"""Groups of commands that are imported when they are used, and the commands that plugins add.

All that `ganzoo --help` has no need of is imported inside functions: half of the time that it took went into that.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from ganzoo.core.errors import GanzooError, Unavailable, UsageError, unknown
from ganzoo.zoo.installed import COMMANDS, mentioned

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ganzoo.zoo.commands import PluginCommand

__all__ = ["ExtensibleGroup", "LazyCommand", "LazyGroup", "fail", "load_command"]

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


class LazyCommand(NamedTuple):
    """A command that is not imported yet: ``module:attribute``, and its line in the group's help."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and ends every failure with one sentence.

    Args:
        lazy: the commands by name, in the order in which the help lists them.
        **settings: as for ``click.Group``.
    """

    def __init__(self, *, lazy: Mapping[str, LazyCommand], **settings: Any) -> None:
        super().__init__(**settings)
        self.lazy = lazy

    def listed(self) -> Iterator[tuple[str, str]]:
        """What to type for each command, and its line in the help; imports none."""
        for name, command in self.lazy.items():
            yield name, command.help

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order given."""
        return [name for name, _ in self.listed()]

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
            UsageError: there is none of that name, or it cannot be used.
        """
        command = self.get_command(ctx, args[0])
        if command is not None:
            return args[0], command, args[1:]
        if not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Commands by their lines in the help, so that none is imported; and the group's own options."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in self.listed() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands by the help given here, so that none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.listed()))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; ``--debug`` prints the traceback of what ends it."""
        try:
            return super().invoke(ctx)
        except (GanzooError, OSError):
            if ctx.params.get("debug"):
                import traceback

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


class ExtensibleGroup(LazyGroup):
    """A group that has the commands of installed plugins too, after its own; a plugin takes no name of its own."""

    def added(self) -> "Sequence[PluginCommand]":
        """The commands of plugins; imports none."""
        if not mentioned(COMMANDS):
            return ()
        from ganzoo.zoo.commands import plugin_commands

        return plugin_commands(self.lazy)

    def listed(self) -> Iterator[tuple[str, str]]:
        """What to type for each command; of a plugin's, where it is from."""
        yield from super().listed()
        yield from ((command.typed, f"from {command.origin}") for command in self.added() if command.usable)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None if there is none.

        Raises:
            UsageError: several plugins offer it, or it cannot be used; not while a shell completes.
        """
        if cmd_name in self.lazy:
            return super().get_command(ctx, cmd_name)
        from ganzoo.zoo.commands import find_command

        try:
            command = find_command(cmd_name, self.added())
            return None if command is None else load_command(command)
        except Exception:
            if ctx.resilient_parsing:
                return None
            raise


def load_command(command: "PluginCommand") -> click.Command:
    """Imports a plugin's command.

    Raises:
        UsageError: it cannot be imported, or is no command.
        Exception: what its import raised, if ``GANZOO_STRICT_PLUGINS`` is set.
    """
    from ganzoo.zoo.loading import Refused, guarded
    from ganzoo.zoo.selection import Selection

    try:
        loaded = guarded("its import", command.point.load)
    except (Refused, Unavailable) as error:
        if isinstance(error.__cause__, Exception) and Selection.from_environment().strict:
            raise error.__cause__ from None
        raise UsageError(f"the command {command.point.name!r} of {command.origin} cannot be used: {error}") from error
    if not isinstance(loaded, click.Command):
        what = f"a {type(loaded).__name__} object"
        raise UsageError(f"{command.point.name!r} of {command.origin} is {what}; expected a click command")
    return loaded


def fail(message: str, exit_code: int) -> NoReturn:
    """Ends the process with one line on stderr."""
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    sys.exit(exit_code)
