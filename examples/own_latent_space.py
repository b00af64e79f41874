"""A latent space of one's own: written as text, looked at, trained, and turned one knob at a time.

python examples/own_latent_space.py          # a budget that shows the codes at work
python examples/own_latent_space.py 20k      # a shorter one
"""

import sys

import ganzoo

TEXT = """
    z: normal(40),
    digit: categorical(10) code,
    look: normal(2, sigma=1.0) code weight=0.2,
    bold: bernoulli(1, p=0.3) code
"""


def main(images: str = "200k") -> None:
    space = ganzoo.LatentSpec.parse(TEXT)
    print(f"{space!r}\n")
    for name in space.codes:
        limit = f"at most {space.entropy(name):.2f}" if space[name].discrete else "any number of"
        print(f"samples can carry {limit} nats about {name}")

    # Text and object are interchangeable, and parts of a latent space are latent spaces.
    wider = ganzoo.LatentSpec(**{**space, "look": ganzoo.Normal(3, role="code", weight=0.2, sigma=1.0)})
    print(f"\nwith a wider look: {wider}\n")

    run = ganzoo.train("infogan", data="mnist", images=images, latent=str(wider))
    last = run.stats()[-1]
    for name in run.latent.codes:
        print(f"information about {name}: {last[f'information/{name}']:.2f} nats")

    # A traversal moves one component of one variable, through the quantiles of its own distribution.
    for traversal in run.traverse("look", rows=5, steps=9):
        traversal.picture().save(run.path / f"look-{traversal.component}.png")

    # The same noise with the switch off and on; a sequence gives each sample its own value.
    off, on = run.sample(10, seed=3, bold=0), run.sample(10, seed=3, bold=1)
    print(f"ink: {((off + 1) / 2).mean():.3f} off, {((on + 1) / 2).mean():.3f} on")
    run.sampler.sheet(20, given={"digit": [index % 10 for index in range(20)]}).save(run.path / "digits.png")
    print(f"pictures in {run.path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
