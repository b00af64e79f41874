"""Train a model from Python, watch it, and draw from it.

python examples/train_and_sample.py          # a budget that shows the codes at work
python examples/train_and_sample.py 20k      # a shorter one
"""

import sys

import ganzoo


class Progress(ganzoo.Observer):
    """Prints a line at each tick."""

    def ticked(self, tick: ganzoo.Tick) -> None:
        name = "information/category"
        known = f"{tick.stats[name]:.2f} of {tick.ceilings[name]:.2f} nats"
        print(f"{tick.images:>9,} images  {tick.images_per_second:>7,.0f}/s  category: {known}")


def main(images: str = "200k") -> None:
    run = ganzoo.train("infogan", data="mnist", images=images, seed=1, observer=Progress())
    print(f"\n{run.record.status} in {run.record.seconds:.0f} s: {run.path}")

    # Sample k of a seed is always the same, so what changes between these two is the code alone.
    threes = run.sample(20, seed=7, category=3)
    fours = run.sample(20, seed=7, category=4)
    print(f"{tuple(threes.shape)}, in [{threes.min():.2f}, {threes.max():.2f}]")
    print(f"mean change from class 3 to class 4: {(threes - fours).abs().mean():.3f}")

    # One row for each class, and a picture for each component of each code.
    run.sampler.sheet().save(run.path / "sheet.png")
    for traversal in run.traverse():
        traversal.picture().save(run.path / f"{traversal.variable}-{traversal.component}.png")

    # A run directory is all there is to keep: whoever opens it again gets the same samples.
    assert ganzoo.open(run.path).sample(20, seed=7, category=3).equal(threes)
    print(f"pictures: {', '.join(sorted(path.name for path in run.path.glob('*.png')))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
