"""Points on two interleaved half moons, and how well generated points match them."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

import ganzoo

MOONS = ("upper", "lower")


class Points(ganzoo.Split):
    """Points (M, 2) in memory, the first half of them on the upper moon."""

    def __init__(self, part: str, size: int, noise: float) -> None:
        recipe = f"noisy-moons 1, {part}, {size} points, noise {noise}"
        self.checksum = sha256(recipe.encode()).hexdigest()
        random = torch.Generator().manual_seed(int(self.checksum[:8], 16))
        lower = torch.arange(size) >= size // 2
        angle = torch.pi * torch.rand(size, generator=random)
        upper_moon = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
        moons = torch.where(lower.unsqueeze(1), -upper_moon, upper_moon) / 2
        self.values = (moons + noise * torch.randn(size, 2, generator=random)).clamp(-1, 1)
        self.labels = {"moon": lower.long()}

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Tensor:
        return self.values[index]

    def tensor(self) -> Tensor:
        """All points, (M, 2)."""
        return self.values


class NoisyMoons(ganzoo.Dataset):
    """Two half moons of radius a half, each point with Gaussian noise, in the square from -1 to 1."""

    name = "noisy-moons"
    summary = "points on two half moons (computed)"
    offline = True

    class Options(ganzoo.Dataset.Options):
        """How many points, and how noisy."""

        size: int = Field(20_000, ge=4, multiple_of=4, description="training points; half as many to test")
        noise: float = Field(0.03, ge=0, le=0.1, description="standard deviation of the noise on each coordinate")

    @property
    def spec(self) -> ganzoo.DataSpec:
        """Shape (2,), one label that says which moon."""
        moon = ganzoo.LabelSpec(classes=MOONS, frequencies=(0.5, 0.5))
        return ganzoo.DataSpec(
            name=self.name, shape=(2,), size=self.options.size, labels={"moon": moon}, drawn_as="points"
        )

    def split(self, part: Literal["train", "test"], source: str = "data") -> ganzoo.Split:
        """The points of one part."""
        size = self.options.size if part == "train" else self.options.size // 2
        return Points(part, size, self.options.noise)


class EnergyDistance(ganzoo.Metric):
    """2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖, zero for equal distributions alone (Székely & Rizzo 2013)."""

    name = "energy-distance"
    summary = "energy distance of generated samples to the test split's"
    group = "fidelity"

    def scores(self, subject: ganzoo.Subject) -> Iterable[ganzoo.Score]:
        """``energy_distance``, that of as many training samples as its floor, of noise as its ceiling."""
        fakes, test = subject.fakes()[:2000], subject.real("test").values[:2000]
        subject.at_least(500, len(fakes), "generated samples")
        subject.at_least(500, len(test), "test samples")
        yield subject.score(
            "energy_distance",
            energy_distance(fakes, test),
            f"energy distance of {len(fakes):,} generated samples to {len(test):,} of the test split",
            better="lower",
            floor=energy_distance(subject.real("train").values[: len(fakes)], test),
            ceiling=energy_distance(subject.noise(len(fakes)), test),
            samples=len(fakes),
            real=len(test),
            split="test",
        )


def energy_distance(x: Tensor, y: Tensor) -> float:
    """An unbiased estimate from samples (N, …) and (M, …); it may be a little below zero."""
    x, y = x.flatten(1).double(), y.flatten(1).double()
    return float(2 * torch.cdist(x, y).mean() - torch.pdist(x).mean() - torch.pdist(y).mean())


@ganzoo.hookimpl
def ganzoo_register_datasets() -> list[type[ganzoo.Dataset]]:
    """Tell the zoo."""
    return [NoisyMoons]


@ganzoo.hookimpl
def ganzoo_register_metrics() -> list[type[ganzoo.Metric]]:
    """Tell the zoo."""
    return [EnergyDistance]
