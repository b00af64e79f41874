"""``ganzoo plugins``: what is installed, and what became of it."""

from dataclasses import asdict

import click

from ganzoo.cli.options import examples, json_option

__all__ = ["plugins"]


@click.command(
    epilog=examples(
        "ganzoo plugins",
        "ganzoo plugins --json",
        "GANZOO_DISABLE_PLUGINS=some-plugin ganzoo plugins      # leave one out",
        "GANZOO_LOAD_PLUGINS= ganzoo plugins                    # built-in ones only",
    )
)
@json_option
def plugins(as_json: bool) -> None:
    """List the plugins, what each brings, and why one is not loaded."""
    from ganzoo.cli.text import print_json, print_table
    from ganzoo.zoo.manager import default_zoo

    statuses = default_zoo().plugins()
    if as_json:
        print_json([asdict(status) for status in statuses])
        return
    rows = [
        [
            status.name,
            f"{status.distribution} {status.version}".strip(),
            status.state,
            " ".join(status.brings),
            status.reason,
        ]
        for status in statuses
    ]
    print_table(
        ["plugin", "distribution", "state", "brings", "remarks"],
        rows,
        nothing="There are no plugins: reinstall ganzoo.",
    )
