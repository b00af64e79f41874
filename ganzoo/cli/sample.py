"""``ganzoo sample``: samples of a trained run, as one picture or as files."""

from pathlib import Path

import click

from ganzoo.cli.importing import import_torch
from ganzoo.cli.options import (
    device_option,
    examples,
    find_run,
    given_option,
    is_folder,
    plugin_option,
    root_option,
    run_argument,
    seed_option,
)
from ganzoo.core.errors import UsageError

__all__ = ["sample"]

SAMPLES = 100
WAYS = 8
MOST_IN_PICTURE = 10_000
"""Samples that one picture holds; more is nothing to look at, and has to fit into memory."""


@click.command(
    epilog=examples(
        "ganzoo sample latest                           # the standard sheet, a row for each class",
        "ganzoo sample 12 -n 100 --given label=3 --out grid.png",
        "ganzoo sample latest -n 20 --given category=0,1,2,3,4 --given style=0.5,-0.5",
        "ganzoo sample latest -n 10000 --seed 7 --out samples/      # 00000.png, 00001.png, …",
        "ganzoo sample latest -n 50000 --out samples.npz           # for a suite of metrics; numpy.load reads it",
        "ganzoo sample latest --interpolate -n 8 --steps 12",
    )
)
@run_argument(required=False)
@click.option("-n", type=click.IntRange(min=1), metavar="N", help="How many samples, or ways to interpolate.")
@given_option
@seed_option
@click.option("--first", type=click.IntRange(min=0), default=0, metavar="K", help="Index of the first sample.")
@click.option("--interpolate", is_flag=True, help="Draw ways that lead from one sample to another.")
@click.option("--steps", type=click.IntRange(min=2), default=10, show_default=True, help="Samples on each way.")
@click.option(
    "--out",
    metavar="DIR|FILE",
    help="A folder, one picture.png, or pixels.npz for NumPy.  [default: in RUN]",
)
@device_option
@plugin_option
@root_option
def sample(
    run: str,
    n: int | None,
    given: tuple[str, ...],
    seed: int,
    first: int,
    interpolate: bool,
    steps: int,
    out: str | None,
    device: str,
    root: str,
) -> None:
    """Draw samples from RUN, by default the newest, and print where they are.

    RUN is a folder, a number, the beginning of a name, or 'latest'. Sample K of a seed is the same however
    many are drawn. Without -n, the picture is a sheet in which each class of a label or code has a row.
    """
    as_files = out is not None and (is_folder(out, ".png", ".npz") or Path(out).suffix.lower() == ".npz")
    if interpolate and (as_files or first):
        raise UsageError("an interpolation is one picture, from sample 0 on; end --out in .png, without --first")
    in_picture = (n or 0) * (steps if interpolate else 1)
    if not as_files and in_picture > MOST_IN_PICTURE:
        raise UsageError(f"one picture holds {MOST_IN_PICTURE:,} samples, not {in_picture:,}; let --out be a folder")
    path = find_run(run, root)

    import_torch()
    from ganzoo.cli.drawing import file_stem, open_sampler, pinned, taking_turns
    from ganzoo.runs.pretrained import outputs
    from ganzoo.sampling.files import write_archive, write_pngs
    from ganzoo.sampling.pictures import grid, save_png

    sampler = open_sampler(path, device)
    if out is not None and as_files:
        count = n or SAMPLES
        batches = sampler.stream(count, seed, first, pinned(given, sampler.latent, count, first))
        if is_folder(out, ".png", ".npz"):
            write_pngs(batches, sampler.data, Path(out), first)
        else:
            write_archive(batches, sampler.data, Path(out), count)
        click.echo(out)
        return
    if interpolate:
        rows = n or WAYS
        ways = sampler.interpolate(steps, rows, seed, pinned(given, sampler.latent, rows))
        picture = grid(ways.flatten(0, 1), sampler.data, steps)
        kind = f"ways{rows}x{steps}"
    elif n is None and not first and not taking_turns(given, sampler.latent):
        picture = sampler.sheet(seed=seed, given=pinned(given, sampler.latent))
        kind = "sheet"
    else:
        count = n or SAMPLES
        samples = sampler.sample(count, seed, first, pinned(given, sampler.latent, count, first))
        picture = grid(samples, sampler.data)
        kind = f"n{count}" + (f"-from{first}" if first else "")
    target = (
        Path(out) if out is not None else outputs(path) / "samples" / f"{file_stem(kind, f'seed{seed}', *given)}.png"
    )
    save_png(picture, target)
    click.echo(str(target))
