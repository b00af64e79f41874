"""``ganzoo completion``: what to put into a shell's start-up file."""

import click

from ganzoo.cli.options import examples

__all__ = ["completion"]


@click.command(
    epilog=examples(
        'eval "$(ganzoo completion bash)"                 # in ~/.bashrc',
        'eval "$(ganzoo completion zsh)"                  # in ~/.zshrc',
        "ganzoo completion fish > ~/.config/fish/completions/ganzoo.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, models, data sets and runs."""
    from click.shell_completion import get_completion_class

    from ganzoo.cli.main import cli

    shell_class = get_completion_class(shell)
    assert shell_class is not None  # the choices above are those that click has
    click.echo(shell_class(cli, {}, "ganzoo", "_GANZOO_COMPLETE").source())
