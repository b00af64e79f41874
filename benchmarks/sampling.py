"""Time a generator alone, and with its samples written to files.

python benchmarks/sampling.py runs/00001-infogan-mnist
python benchmarks/sampling.py latest -n 50000 --to npz

Raw forward passes, in batches of the sampler's size, and `ganzoo sample`'s way to files take turns in one process, so
that whatever else the machine does slows both. Then one process each writes a tenth of the samples and all of them,
and says what was the most memory in use.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

import ganzoo
from ganzoo.sampling.chunks import CHUNK
from ganzoo.sampling.files import write_archive, write_pngs
from ganzoo.sampling.sampler import Sampler


def write(sampler: Sampler, n: int, first: int, to: str, folder: Path) -> None:
    """Write n samples as `ganzoo sample` does."""
    batches = sampler.stream(n, first=first)
    if to == "png":
        write_pngs(batches, sampler.data, folder, first)
    else:
        write_archive(batches, sampler.data, folder / f"{first}.npz", n)


def forward(sampler: Sampler, latents: torch.Tensor, n: int) -> None:
    """Generate n samples of the same latents, and drop them."""
    with torch.inference_mode():
        for _ in range(n // CHUNK):
            sampler.generator(latents)


def seconds(work: object, *arguments: object) -> float:
    """How long a call takes."""
    started = perf_counter()
    work(*arguments)  # type: ignore[operator]
    return perf_counter() - started


def compare(sampler: Sampler, n: int, turns: int, to: str) -> None:
    """Print the rates of turns of n samples in all."""
    each = max(1, n // turns // CHUNK) * CHUNK
    latents = sampler.latent.sample(CHUNK, 0).flat.to(sampler.device)
    sampler.generator.eval()
    forward(sampler, latents, CHUNK)
    raw, written = [], []
    with TemporaryDirectory() as folder:
        for turn in range(turns):
            works = [(raw, forward, (latents, each)), (written, write, (each, turn * each, to, Path(folder)))]
            for times, work, arguments in works if turn % 2 else reversed(works):
                times.append(seconds(work, sampler, *arguments))
    ratio = median(a / b for a, b in zip(raw, written, strict=True))
    print(f"{turns} turns of {each:,} samples, {torch.get_num_threads()} threads, medians")
    print(f"raw forward passes  {each / median(raw):10,.0f} samples/s")
    print(f"written as {to}      {each / median(written):10,.0f} samples/s")
    print(f"ratio within a turn {ratio:10.2f}")


def main() -> None:
    """Print the rates, and the memory of processes that write fewer and more samples."""
    parser = argparse.ArgumentParser(description="Time a generator alone, and with its samples written to files.")
    parser.add_argument("run", nargs="?", default="latest", help="a run, as for ganzoo sample [latest]")
    parser.add_argument("--runs", default="runs", help="folder that holds the runs [runs]")
    parser.add_argument("-n", type=int, default=50_000, help="samples [50000]")
    parser.add_argument("--turns", type=int, default=20, help="turns of each way [20]")
    parser.add_argument("--to", choices=("png", "npz"), default="png", help="a folder of PNGs or one archive [png]")
    parser.add_argument("--only", type=int, metavar="N", help="write N samples, print the most memory in use, and stop")
    asked = parser.parse_args()

    run = ganzoo.open(asked.run, asked.runs)
    if asked.only is not None:
        with TemporaryDirectory() as folder:
            write(run.sampler, asked.only, 0, asked.to, Path(folder))
        print(f"{asked.only:>10,} samples: at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MiB")
        return
    print(f"{run.path.name}: {run.config.model} on {run.data.name}, {tuple(run.data.shape)}, as {asked.to}")
    compare(run.sampler, asked.n, asked.turns, asked.to)
    for n in (max(1, asked.n // 10), asked.n):
        again = [__file__, str(run.path), "--to", asked.to, "--only", str(n)]
        sys.stdout.flush()
        subprocess.run([sys.executable, *again], check=True)


if __name__ == "__main__":
    main()
