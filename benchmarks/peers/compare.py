"""Time public scripts beside ganzoo on the same networks, batch and losses, in turns.

git clone https://github.com/eriklindernoren/PyTorch-GAN
git clone https://github.com/Natsu6767/InfoGAN-PyTorch
pip install matplotlib
python benchmarks/peers/compare.py --pytorch-gan PyTorch-GAN --infogan-pytorch InfoGAN-PyTorch

Each script runs unchanged but for PATCHES, in a folder of its own, with the MNIST that ganzoo brings, and is timed by
the lines that it prints. Beside it runs `ganzoo train` with the same networks (plugin.py), timed by its statistics:
ticks are counted, checkpoints only where a turn is long enough for one. Rates are medians over turns; a ratio is that
of two neighbours in time.
"""

import argparse
import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
WARM_UP = 0.25
"""Share of a turn that is not counted: imports are left out anyhow, first batches and allocations are here."""
LEAST_LINES = 8
"""How many lines of a script a turn waits for."""

PATCHES = {
    # Since torch 1.7 a tensor filled with an int is one of ints, which the loss refuses.
    ("train.py", "real_label = 1\n"): "real_label = 1.0\n",
    ("train.py", "fake_label = 0\n"): "fake_label = 0.0\n",
    # More lines to take the time from.
    ("train.py", "i%100 == 0"): "i%10 == 0",
}


@dataclass(frozen=True)
class Pair:
    """A public script, and what ganzoo trains beside it.

    Attributes:
        name: of the script.
        repository: which checkout it is in.
        script: where in it.
        data: where the script looks for MNIST, from its own folder.
        batch: real samples a step.
        ours: the model and its options.
        rule: whether to time ganzoo's computing under the script's own update rule too.
        tick: ganzoo's rounds between two statistics, fewer than by default: a turn is to have several.
    """

    name: str
    repository: str
    script: str
    data: str
    batch: int
    ours: tuple[str, ...]
    rule: bool = False
    tick: int = 8


PLUGIN = ("--plugin", str(HERE / "plugin.py"))
LEAST_SQUARES = ("-o", "adversarial=least-squares")
AT_ONCE = ("-o", "updates=simultaneous")
"""In PyTorch-GAN's scripts the generator steps first, and the critic then learns from the fakes of before that step:
both gradients are of one critic and one batch of fakes. infogan.py has a third step beside these two."""
TICK_OF_QUICK_ONES = 100
"""Rounds of 64 images, about a second; `ganzoo train` has up to 10,000 images between two statistics by default."""
UPSAMPLING = ("--data", "mnist-32", "-o", "networks=upsampling")
PAIRS = [
    Pair(
        *("PyTorch-GAN infogan.py", "pytorch_gan", "implementations/infogan/infogan.py", "../../data/mnist", 64),
        ("peer-infogan", *UPSAMPLING, *LEAST_SQUARES, *AT_ONCE, "-o", "style_sigma=1.0"),
        rule=True,
    ),
    Pair(
        *("InfoGAN-PyTorch train.py", "infogan_pytorch", "train.py", "data/mnist", 128),
        ("infogan@paper", "--data", "mnist"),
        rule=True,
    ),
    Pair(
        *("PyTorch-GAN acgan.py", "pytorch_gan", "implementations/acgan/acgan.py", "../../data/mnist", 64),
        ("peer-acgan", *UPSAMPLING, *AT_ONCE, "-o", "noise=100", "-o", "classify_fakes=true"),
    ),
    Pair(
        *("PyTorch-GAN gan.py", "pytorch_gan", "implementations/gan/gan.py", "../../data/mnist", 64),
        ("peer-gan", "--data", "mnist", *AT_ONCE, "-o", "noise=100"),
        tick=TICK_OF_QUICK_ONES,
    ),
    Pair(
        *("PyTorch-GAN cgan.py", "pytorch_gan", "implementations/cgan/cgan.py", "../../data/mnist", 64),
        ("peer-cgan", "--data", "mnist-32", *AT_ONCE, *LEAST_SQUARES, "-o", "noise=100"),
        tick=TICK_OF_QUICK_ONES,
    ),
]


def main() -> None:
    """Time every pair of the given checkouts, and print the table."""
    parser = argparse.ArgumentParser(description="Time public scripts beside ganzoo.")
    parser.add_argument("--pytorch-gan", type=Path, help="checkout of eriklindernoren/PyTorch-GAN")
    parser.add_argument("--infogan-pytorch", type=Path, help="checkout of Natsu6767/InfoGAN-PyTorch")
    parser.add_argument("--only", default="", help="pairs whose script's name has this in it [all]")
    parser.add_argument("--cycles", type=int, default=3, help="turns of each [3]")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of a turn [30]")
    parser.add_argument("--tick", type=int, help="ganzoo's rounds between two statistics [8 or 100]; 400 on a GPU")
    asked = parser.parse_args()

    table = Table("script", "batch", "its images/s", "ganzoo", "ratio", "under its rule", box=None)
    with tempfile.TemporaryDirectory() as folder:
        for pair in PAIRS:
            checkout: Path | None = getattr(asked, pair.repository)
            if checkout is not None and asked.only in pair.name:
                table.add_row(*row(pair, checkout, Path(folder), asked.cycles, asked.seconds, asked.tick or pair.tick))
    Console(width=120).print(table)


def row(pair: Pair, checkout: Path, folder: Path, cycles: int, seconds: float, tick: int) -> list[str]:
    """Time one pair: a line of the table."""
    script = copied(pair, checkout, folder)
    theirs, ours, ruled = [], [], []
    for _ in range(cycles):
        theirs.append(rate_of_script([sys.executable, "-u", script.name], script.parent, pair.batch, seconds))
        ours.append(rate_of_training(pair, script.parent, seconds, tick))
        if pair.rule:
            ruled.append(rate_under_rule(pair, script.parent, seconds))
        print(f"{pair.name}: {theirs[-1]:,.1f} images/s, ganzoo {ours[-1]:,.1f}", *ruled[-1:], file=sys.stderr)
    rates = [f"{median(theirs):,.0f}", f"{median(ours):,.0f}"]
    return [pair.name, str(pair.batch), *rates, spread(ours, theirs), spread(ruled, theirs)]


def spread(rates: list[float], base: list[float]) -> str:
    """The median of the ratios turn by turn, and their range."""
    ratios = [rate / its for rate, its in zip(rates, base, strict=False)]
    return f"{median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else ""


def copied(pair: Pair, checkout: Path, folder: Path) -> Path:
    """A copy of the script with what it imports and with MNIST where it looks for it."""
    source = (checkout / pair.script).resolve()
    home = folder / source.stem / "implementations" / source.stem
    home.mkdir(parents=True)
    for file in [*source.parent.glob("*.py"), *source.parent.glob("models/*.py")]:
        copy = home / file.relative_to(source.parent)
        copy.parent.mkdir(exist_ok=True)
        text = file.read_text(encoding="utf-8")
        for (name, before), after in PATCHES.items():
            text = text.replace(before, after) if name == file.name else text
        copy.write_text(text, encoding="utf-8")
    raw = home / pair.data / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in files("ganzoo.data").joinpath("files", "mnist").iterdir():
        if packed.name.endswith(".xz"):
            (raw / packed.name.removesuffix(".xz")).write_bytes(lzma.decompress(packed.read_bytes()))
    return home / source.name


def rate_of_script(command: list[str], folder: Path, batch: int, seconds: float) -> float:
    """Images per second of a script that prints `batch/batches]` as it goes."""
    seen: list[tuple[float, int]] = []
    for moment, line in lines_of(command, folder):
        if counts := re.findall(r"(\d+)/(\d+)\]", line):  # epochs, then batches, which begin anew with each
            seen.append((moment, batches_by(counts) * batch))
            if len(seen) >= LEAST_LINES and moment - seen[0][0] > seconds:
                break
    if len(seen) < LEAST_LINES:
        raise SystemExit(f"{' '.join(command)} printed {len(seen)} lines of progress; run it in {folder} to see why")
    return rate(seen)


def batches_by(counts: list[tuple[str, str]]) -> int:
    """Batches since the start, of a line's `epoch/epochs]` and `batch/batches]`."""
    epoch, (batch, batches) = int(counts[0][0]) if len(counts) > 1 else 0, counts[-1]
    return epoch * int(batches) + int(batch)


def rate_of_training(pair: Pair, folder: Path, seconds: float, tick: int) -> float:
    """Images per second of `ganzoo train`, from its statistics."""
    settings = folder / "settings.toml"
    settings.write_text(f"[train]\ntick = {tick * pair.batch}\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [sys.executable, "-m", "ganzoo", "train", *pair.ours, *PLUGIN, "--batch", str(pair.batch)]
        command += ["--images", "10M", "--config", str(settings), "--out", out]
        first = None
        for moment, _ in lines_of(command, folder):
            if first is None and list(Path(out).glob("*/stats.jsonl")):
                first = moment
            if first is not None and moment - first > seconds:
                break
        [statistics] = Path(out).glob("*/stats.jsonl")
        lines = [json.loads(line) for line in statistics.read_text(encoding="utf-8").splitlines()]
    return rate([(line["seconds"], line["images"]) for line in lines])


def rate_under_rule(pair: Pair, folder: Path, seconds: float) -> float:
    """Images per second with ganzoo's computing and a tutorial's rule: third step, fresh codes, repeated passes."""
    command = [sys.executable, "-u", str(HERE.parent / "textbook.py"), *pair.ours, *PLUGIN, "--ours"]
    command += ["--device", "auto"]
    return rate_of_script([*command, "--batch", str(pair.batch), "--images", "10M"], folder, pair.batch, seconds)


def lines_of(command: list[str], folder: Path) -> Iterator[tuple[float, str]]:
    """What a command prints and when, until nobody listens any more; then it is killed."""
    environment = os.environ | {"MPLBACKEND": "Agg"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield perf_counter(), line
        finally:
            process.kill()


def rate(seen: list[tuple[float, int]]) -> float:
    """Images per second after the warm-up, of moments in seconds and images by then."""
    start, end = seen[0][0], seen[-1][0]
    kept = [(moment, images) for moment, images in seen if moment - start >= WARM_UP * (end - start)]
    return (kept[-1][1] - kept[0][1]) / (kept[-1][0] - kept[0][0])


if __name__ == "__main__":
    main()
