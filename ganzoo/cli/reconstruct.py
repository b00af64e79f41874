"""``ganzoo reconstruct``: test samples, and what a model with an encoder makes of them."""

from pathlib import Path

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import (
    device_option,
    examples,
    find_run,
    is_folder,
    plugin_option,
    root_option,
    run_argument,
)
from ganzoo.core.errors import UsageError

__all__ = ["reconstruct"]

MOST = 1000
"""Samples that one picture holds."""


@click.command(
    epilog=examples(
        "ganzoo reconstruct latest                 # ten test samples, what is made of each below it",
        "ganzoo reconstruct 3 -n 50 --seed 7 --out digits.png",
    )
)
@run_argument(required=False)
@click.option("-n", type=click.IntRange(1, MOST), default=10, show_default=True, metavar="N", help="How many samples.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other test samples."
)
@click.option("--out", metavar="FILE.png", help="The picture.  [default: in RUN]")
@device_option
@plugin_option
@root_option
def reconstruct(run: str, n: int, seed: int, out: str | None, device: str, root: str) -> None:
    """Draw test samples over their reconstructions by RUN, by default the newest, and print where the picture is.

    RUN is a folder, a number, the beginning of a name, or 'latest'; its model must have an encoder, as bigan and
    vaegan have.
    """
    if out is not None and is_folder(out):
        raise UsageError(f"reconstructions are one picture, and --out {out} names a folder; end it in .png")
    path = find_run(run, root)

    import_torch()
    from ganzoo.cli.drawing import open_sampler
    from ganzoo.data.open import open_dataset
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.runs.pretrained import outputs
    from ganzoo.sampling.pictures import save_png
    from ganzoo.sampling.reconstruction import encoder_of, held_out, side_by_side
    from ganzoo.sampling.reconstruction import reconstruct as reconstructed
    from ganzoo.zoo.manager import default_zoo

    sampler = open_sampler(path, device)
    encoder_of(sampler)  # what lacks one is refused before the data are read
    config = RunDirectory.open(path).record.config
    samples = held_out(open_dataset(default_zoo(), config.data, **config.data_options), n, seed)
    picture = side_by_side(samples, reconstructed(sampler, samples), sampler.data)
    target = Path(out) if out is not None else outputs(path) / "samples" / f"reconstructed-n{n}-seed{seed}.png"
    save_png(picture, target)
    click.echo(str(target))
