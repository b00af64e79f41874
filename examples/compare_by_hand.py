"""Train two models with one budget, and put their sheets and their numbers side by side.

python examples/compare_by_hand.py           # a budget that shows digits
python examples/compare_by_hand.py 20k       # a shorter one
"""

import sys
from pathlib import Path

from PIL import Image

import ganzoo

MODELS = {"acgan": "label", "infogan": "category"}
"""The models, and the variable that should say which digit it is: given to one, found by the other."""


def main(images: str = "200k") -> None:
    runs = {name: ganzoo.train(name, data="mnist", images=images, seed=0) for name in MODELS}

    print(f"{'':10}{'images/s':>10}{'critic right':>14}   what the critic reads")
    for name, variable in MODELS.items():
        last = runs[name].stats()[-1]
        if f"class_accuracy/{variable}" in last:
            reads = f"{last[f'class_accuracy/{variable}']:.1%} of the labels of real samples"
        else:
            ceiling = runs[name].latent.entropy(variable)
            reads = f"{last[f'information/{variable}']:.2f} of {ceiling:.2f} nats about {variable}"
        print(f"{name:10}{last['images_per_second']:>10,.0f}{last['critic_accuracy']:>14.0%}   {reads}")

    # Both sheets have the classes as rows. ACGAN's are the digits in order; InfoGAN has seen no label, so
    # its rows may be any digits in any order, and a row may mix two.
    sheets = [run.sampler.sheet(100, seed=7) for run in runs.values()]
    gap = 20
    width = sum(sheet.width for sheet in sheets) + gap * (len(sheets) - 1)
    both = Image.new("RGB", (width, max(sheet.height for sheet in sheets)), "white")
    left = 0
    for sheet in sheets:
        both.paste(sheet, (left, 0))
        left += sheet.width + gap
    both.save(Path("side-by-side.png"))
    print(f"\nside-by-side.png: {' on the left, '.join(MODELS)} on the right, a row for each class")


if __name__ == "__main__":
    main(*sys.argv[1:])
