"""``ganzoo plugins``: what is installed, and what became of it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.lazy import LazyCommand, LazyGroup
from ganzoo.cli.options import examples, json_option, plugin_option

if TYPE_CHECKING:
    from ganzoo.zoo.status import PluginStatus

__all__ = ["plugins"]

SLOW = 0.5
"""Seconds of import from which on a plugin is called slow."""
FEW = 6
"""As many names of a kind are listed; of more, only their number is said."""

SUBCOMMANDS = {
    "list": LazyCommand("ganzoo.cli.plugins:list_command", "List the plugins and what became of each."),
    "new": LazyCommand("ganzoo.cli.plugins_new:new", "Write the package of a new plugin."),
    "check": LazyCommand("ganzoo.cli.plugins_check:check", "Try the models of a plugin, and report what is wrong."),
}


@click.group(
    cls=LazyGroup,
    lazy=SUBCOMMANDS,
    invoke_without_command=True,
    epilog=examples(
        "ganzoo plugins",
        "ganzoo plugins --json",
        "GANZOO_DISABLE_PLUGINS=some-plugin ganzoo plugins      # leave one out",
        "GANZOO_LOAD_PLUGINS= ganzoo plugins                    # built-in ones only",
    ),
)
@json_option
@plugin_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the plugins, what each brings, and why one is not loaded; or write and check one."""
    if ctx.invoked_subcommand is None:
        print_plugins(as_json)


@click.command("list", epilog=examples("ganzoo plugins list", "ganzoo plugins list --json"))
@json_option
@plugin_option
def list_command(as_json: bool) -> None:
    """List the plugins, what each brings, and why one is not loaded."""
    print_plugins(as_json)


def print_plugins(as_json: bool) -> None:
    """Prints what became of every plugin, and which commands they add."""
    import_torch()
    from ganzoo.cli.main import COMMANDS
    from ganzoo.cli.text import print_json, print_table
    from ganzoo.zoo.commands import plugin_commands
    from ganzoo.zoo.manager import default_zoo

    statuses = default_zoo().plugins()
    statuses += [command.status for command in plugin_commands(COMMANDS) if command.status not in statuses]
    if as_json:
        print_json([asdict(status) for status in statuses])
        return
    rows = [
        [
            status.name,
            f"{status.distribution} {status.version}".strip(),
            status.state,
            "; ".join(brought(status)),
            "; ".join(remarks(status)),
        ]
        for status in statuses
    ]
    print_table(
        ["plugin", "distribution", "state", "brings", "remarks"],
        rows,
        nothing="There are no plugins: reinstall ganzoo.",
    )


def brought(status: "PluginStatus") -> list[str]:
    """What a plugin brings, kind by kind."""
    kinds: dict[str, Sequence[str]] = {
        "models": status.models,
        "data sets": status.datasets,
        "metrics": status.metrics,
        "extractors": status.extractors,
        "commands": [f"ganzoo {name}" for name in status.commands],
    }
    found = [f"{len(names)} {kind}" if len(names) > FEW else " ".join(names) for kind, names in kinds.items() if names]
    return [*found, *(["observer of runs"] if status.observes else [])]


def remarks(status: "PluginStatus") -> list[str]:
    """What to know about a plugin."""
    slow = [f"slow: its import took {status.seconds:.1f} s"] if status.seconds > SLOW else []
    return [*([status.reason] if status.reason else []), *slow]
