"""The points, the distance, and a model that learns the one and is measured by the other."""

from pathlib import Path

import torch
from ganzoo_noisy_moons import NoisyMoons, energy_distance

import ganzoo


def test_every_point_lies_on_its_moon() -> None:
    split = NoisyMoons(size=400, noise=0).split("train")
    points, lower = split.tensor(), split.labels["moon"].bool()
    centre = torch.tensor([-0.25, -0.125])
    for moon, sign in ((points[~lower], 1), (points[lower], -1)):
        arm = sign * moon - centre
        assert torch.allclose(arm.norm(dim=1), torch.full((200,), 0.5), atol=1e-6)
        assert (arm[:, 1] >= -1e-6).all()


def test_the_points_are_as_the_specification_says() -> None:
    data = NoisyMoons(size=1000, noise=0.1)
    train, test = data.split("train"), data.split("test")
    low, high = data.spec.range
    assert (len(train), len(test)) == (data.spec.size, 500)
    assert train.tensor().shape[1:] == data.spec.shape
    assert low <= train.tensor().min() and train.tensor().max() <= high
    assert train.labels["moon"].bincount().tolist() == [500, 500]
    assert not torch.equal(train.tensor()[:500], test.tensor())


def test_the_same_options_give_the_same_points() -> None:
    one, again = (NoisyMoons(size=8).split("train") for _ in range(2))
    other = NoisyMoons(size=8, noise=0.02).split("train")
    assert torch.equal(one.tensor(), again.tensor())
    assert one.checksum == again.checksum != other.checksum


def test_the_distance_is_that_of_its_formula() -> None:
    nought, one = torch.zeros(3, 2), torch.tensor([[3.0, 4.0]]).expand(5, 2)
    assert energy_distance(nought, one) == 10
    random = torch.Generator().manual_seed(0)
    draws = torch.randn(3, 2000, 2, generator=random)
    assert abs(energy_distance(draws[0], draws[1])) < 0.01
    assert energy_distance(draws[0], draws[2] + 1) > 0.3


def test_a_model_learns_the_moons(tmp_path: Path) -> None:
    """The plugin is installed, and ganzoo finds both of what it brings."""
    scores = {}
    for images in (256, 20_000):
        run = ganzoo.train("gan", data="noisy-moons", images=images, out=tmp_path, width=0.25, device="cpu")
        assert run.sample(5).shape == (5, 2)
        (scores[images],) = run.evaluate("energy-distance", samples=1000).scores
    assert scores[20_000].value < scores[256].value
    assert scores[20_000].floor < 0.01 < scores[20_000].ceiling
