"""Train for many images and print the memory of the process on the way: it should not grow.

python benchmarks/memory.py                       # gan@mlp on mnist, 2M images
python benchmarks/memory.py infogan --images 200k

The run goes into a temporary folder, with the checkpoints, pictures and statistics that every run writes. What the
first part of a run takes, torch's buffers and the first checkpoint's, it keeps: the spread is over the parts after it.
"""

import argparse
import resource
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import ganzoo

PAGE_SIZE = resource.getpagesize()
PARTS = 10


class Watcher(ganzoo.Observer):
    """Notes the resident memory, in MiB, as the run passes each part of its budget."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.resident: list[float] = []

    def ticked(self, tick: ganzoo.Tick) -> None:
        """A hundredth of the budget is done."""
        if tick.images * PARTS >= self.images * (len(self.resident) + 1):
            self.resident.append(resident_mib())
            rate = f"{tick.images_per_second:,.0f} images/s"
            print(f"{tick.images:>12,} images  {self.resident[-1]:8.1f} MiB  {rate}", flush=True)


def resident_mib() -> float:
    """Resident memory of this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        sys.exit("this system has no /proc/self/statm to read the memory of a process from")
    return pages * PAGE_SIZE / 2**20


def main() -> None:
    """Train, printing images and memory, and at the end the spread."""
    parser = argparse.ArgumentParser(description="Print the memory of a training run on its way.")
    parser.add_argument("model", nargs="?", default="gan@mlp", help="name, and @recipe [gan@mlp]")
    parser.add_argument("--data", default="mnist", help="data set [mnist]")
    parser.add_argument("--images", default="2M", help="how many images to train on [2M]")
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="KEY=VALUE", help="model's option")
    asked = parser.parse_args()

    flags: dict[str, Any] = {"images": asked.images}
    configured = ganzoo.configure(asked.model, data=asked.data, flags=flags, options=tuple(asked.options))
    images = configured.config.images
    watcher = Watcher(images)
    print(f"training {asked.model} on {asked.data}, {images:,} images; {resident_mib():.1f} MiB before")
    with TemporaryDirectory() as folder:
        ganzoo.start(configured, out=folder, observer=watcher)
    later = watcher.resident[1:] or watcher.resident
    middle = median(later)
    spread = max(abs(each - middle) for each in later) / middle
    print(f"after the first tenth: median {middle:.1f} MiB, every value within ±{100 * spread:.2f} % of it")


if __name__ == "__main__":
    main()
