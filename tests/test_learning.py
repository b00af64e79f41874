"""What the models learn on MNIST with a short budget, judged by a classifier that they never meet."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import ganzoo
from ganzoo.data.batches import batches, to_range
from ganzoo.data.mnist import MNIST

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judge() -> nn.Module:
    """A small classifier of digits, trained for two epochs on the real training split."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 5, stride=2), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(64 * 25, 128), nn.ReLU(), nn.Linear(128, 10)),
    )
    data = MNIST()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    stream = batches(data.split("train"), data.spec, batch=128, seed=0)
    for _ in range(2 * 60_000 // 128):
        values, labels = next(stream)
        optimiser.zero_grad()
        cross_entropy(network(values), labels["label"]).backward()
        optimiser.step()
    test = data.split("test")
    stored = test.tensor()
    right = (classes(network, to_range(stored, data.spec)) == test.labels["label"]).float().mean()
    assert right > 0.975, "the judge itself must know digits"
    return network


@torch.no_grad()
def classes(network: nn.Module, samples: Tensor) -> Tensor:
    return torch.cat([network(chunk).argmax(1) for chunk in samples.split(1000)])


@pytest.mark.parametrize("model", ["cgan", "acgan"])
def test_a_given_label_shows_its_digit(model, judge, tmp_path):
    run = ganzoo.train(model, data="mnist", images="60k", out=tmp_path)
    asked = torch.arange(10).repeat(50)
    agreement = (classes(judge, run.sample(500, label=asked.tolist())) == asked).float().mean().item()
    print(f"{model}, 60k images: the judge agrees with {agreement:.1%} of the labels asked for")
    assert agreement > 0.9


def test_the_information_of_infogans_category_rises_towards_its_ceiling(tmp_path):
    run = ganzoo.train("infogan", data="mnist", images="60k", out=tmp_path)
    ticks = [tick["information/category"] for tick in run.stats()]
    ceiling = run.latent.entropy("category")
    assert ticks[0] < 1.5 < 2.1 < ticks[-1] <= ceiling
