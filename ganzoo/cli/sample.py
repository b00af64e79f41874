"""``ganzoo sample``: samples of a trained run, as one picture or as files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

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

if TYPE_CHECKING:
    from ganzoo.sampling.sampler import Sampler

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
@click.option("--out", metavar="DIR|FILE.png", help="A folder of pictures, or one picture.  [default: in RUN]")
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
    as_files = out is not None and is_folder(out)
    if interpolate and (as_files or first):
        raise UsageError("an interpolation is one picture, from sample 0 on; end --out in .png, without --first")
    in_picture = (n or 0) * (steps if interpolate else 1)
    if not as_files and in_picture > MOST_IN_PICTURE:
        raise UsageError(f"one picture holds {MOST_IN_PICTURE:,} samples, not {in_picture:,}; let --out be a folder")
    path = find_run(run, root)

    from ganzoo.cli.drawing import file_stem, open_sampler, pinned, taking_turns
    from ganzoo.sampling.pictures import grid, save_png

    sampler = open_sampler(path, device)
    if out is not None and as_files:
        write_files(sampler, Path(out), n or SAMPLES, seed, first, given)
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
    target = Path(out) if out is not None else path / "samples" / f"{file_stem(kind, f'seed{seed}', *given)}.png"
    save_png(picture, target)
    click.echo(str(target))


def write_files(sampler: "Sampler", folder: Path, n: int, seed: int, first: int, given: tuple[str, ...]) -> None:
    """Writes each sample to a file of its own, named by its index, a batch at a time."""
    from PIL import Image

    from ganzoo.cli.drawing import pinned
    from ganzoo.sampling.pictures import save_png, to_uint8

    index = first
    for batch in sampler.stream(n, seed, first, pinned(given, sampler.latent, n, first)):
        for pixels in to_uint8(batch, sampler.data):
            save_png(Image.fromarray(pixels.numpy()), folder / f"{index:05d}.png")
            index += 1
