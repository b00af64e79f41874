"""Time batches that are read from image files, of a small folder and of a large one.

python benchmarks/streaming.py                                 # 10,000 and 1,000,000 generated PNGs (4 GB of disk)
python benchmarks/streaming.py --images 1000 20000

Both folders are opened as data sets that hold no image in memory; then batches of the one and of the other are read in
turn, in one process, so that whatever else the machine does slows both. Where the files fit into what the system keeps
of the disk in memory, that is what is read.
"""

import argparse
import resource
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from PIL import Image

from ganzoo.core.data import Samples
from ganzoo.data.batches import batches
from ganzoo.data.folder import Folder

SIZE = 28
BATCH = 128
A_FOLDER = 10_000


def fill(folder: Path, count: int) -> None:
    """Grey squares of noise, as PNGs, ten thousand to a folder."""
    noise = np.random.default_rng(0)
    for first in range(0, count, A_FOLDER):
        below = folder / "all" / f"{first // A_FOLDER:04d}"
        below.mkdir(parents=True)
        for index, pixels in enumerate(noise.integers(0, 256, (min(A_FOLDER, count - first), SIZE, SIZE), np.uint8)):
            Image.fromarray(pixels).save(below / f"{index:04d}.png", compress_level=0)


def opened(folder: Path, count: int) -> Iterator[Samples]:
    """Fill a folder and open it; prints how long that took."""
    started = perf_counter()
    fill(folder, count)
    filled = perf_counter()
    dataset = Folder(path=str(folder), size=SIZE, channels=1, test_share=0, memory=0)
    split = dataset.split("train")
    seconds = perf_counter() - filled
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"{count:>9,} images: written in {filled - started:.0f} s, opened (each decoded once) in {seconds:.1f} s, "
        f"{1e6 * seconds / count:.0f} µs an image, {peak:.0f} MiB at most until here",
        flush=True,
    )
    return batches(split, dataset.spec, batch=BATCH, seed=0, workers=0)


def main() -> None:
    """Print the rates, and the ratio of the larger folder's to the smaller one's."""
    parser = argparse.ArgumentParser(description="Time batches that are read from image files.")
    parser.add_argument("--images", type=int, nargs=2, default=(10_000, 1_000_000), help="sizes [10000 1000000]")
    parser.add_argument("--turns", type=int, default=20, help="turns each [20]")
    parser.add_argument("--out", type=Path, help="where the temporary files go [the system's place]")
    asked = parser.parse_args()
    with TemporaryDirectory(dir=asked.out) as place:
        streams = {count: opened(Path(place, str(count)), count) for count in asked.images}
        rates: dict[int, list[float]] = {count: [] for count in streams}
        for turn in range(asked.turns + 1):
            for count, stream in streams.items():
                started = perf_counter()
                for _ in range(20):
                    next(stream)
                if turn:  # the first draws the order, once an epoch
                    rates[count].append(20 * BATCH / (perf_counter() - started))
        for count, found in rates.items():
            print(f"{count:>9,} images: {median(found):,.0f} images/s (median of {len(found)} turns)")
        small, large = rates.values()
        ratios = sorted(there / here for here, there in zip(small, large, strict=True))
        print(f"large : small, turn by turn: {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB at most")


if __name__ == "__main__":
    main()
