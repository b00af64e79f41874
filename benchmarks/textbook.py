"""Train a model as a tutorial would, and print its losses and its speed.

python benchmarks/textbook.py --images 20k
python benchmarks/textbook.py acgan --batch 64 --device cuda
python benchmarks/textbook.py --ours                          # the same rule, computed ganzoo's way

The loop is in ganzoo/benchmark/textbook.py; the networks, the latent space and the rates are those of ganzoo's recipe.
`ganzoo bench infogan@paper --against textbook` times it beside ganzoo's own rounds.
"""

import argparse
from pathlib import Path
from time import perf_counter

import ganzoo
from ganzoo.benchmark.textbook import Textbook, pictures
from ganzoo.data.batches import batches
from ganzoo.models.game import Game
from ganzoo.training.hardware import Hardware
from ganzoo.zoo.manager import default_zoo


def main() -> None:
    """Train, printing the losses of every step, and at the end the images per second."""
    parser = argparse.ArgumentParser(description="Train a model as a tutorial would.")
    parser.add_argument("model", nargs="?", default="infogan@paper", help="name, and @recipe [infogan@paper]")
    parser.add_argument("--data", default="mnist", help="data set [mnist]")
    parser.add_argument("--images", default="20k", help="how many images to train on [20k]")
    parser.add_argument("--batch", type=int, help="images a step [the recipe's]")
    parser.add_argument("--device", default="cpu", help="where to compute, or auto [cpu]")
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="KEY=VALUE", help="a model's option")
    parser.add_argument("--plugin", type=Path, action="append", default=[], help="a file with more models")
    parser.add_argument("--ours", action="store_true", help="data in memory, channels-last, fused, bf16")
    asked = parser.parse_args()

    flags = {"images": asked.images, "batch": asked.batch}
    for file in asked.plugin:
        default_zoo().register_file(file)
    configured = ganzoo.configure(asked.model, data=asked.data, flags=flags, options=asked.options)
    config = configured.config
    game = Game.build(configured.model, configured.dataset.spec, config.seed)
    split = configured.dataset.split("train", game.data.sources[0])
    hardware = Hardware.choose(asked.device)
    if asked.ours:
        hardware.prepare()
        held = batches(split, game.data, batch=config.batch, seed=config.seed, device=hardware.device)
        training = Textbook(game, held, hardware.device, fused=True, channels_last=True, precision=hardware.precision)
    else:
        training = Textbook(game, pictures(game, split, config.batch), hardware.device)

    started = perf_counter()
    steps = -(-config.images // config.batch)
    for step in range(1, steps + 1):
        training.step()
        losses = ", ".join(f"{name} {loss:.3f}" for name, loss in training.losses.items())
        print(f"[{step}/{steps}] {losses}", flush=True)
    seconds = perf_counter() - started
    print(f"{steps * config.batch:,} images in {seconds:.1f} s: {steps * config.batch / seconds:,.0f} images/s")


if __name__ == "__main__":
    main()
