import torch
from torch import nn

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal
from ganzoo.networks.mlp import mlp_critic, mlp_generator
from ganzoo.networks.style import NetworkStyle

POINTS = DataSpec(name="points", shape=(2,), size=10, range=(-3.0, 2.0), drawn_as="points")
LATENT = LatentSpec(z=Normal(6), label=Categorical(3, role="condition"))


def test_the_condition_enters_beside_the_sample() -> None:
    critic = mlp_critic(POINTS, NetworkStyle(), LATENT.conditions, LATENT.codes)
    assert critic.projection is None
    first = next(module for module in critic.trunk.modules() if isinstance(module, nn.Linear))
    assert first.in_features == 2 + 3
    critic.eval()
    points = torch.randn(4, 2)
    one, other = (critic(points, torch.eye(3)[[k] * 4]) for k in (0, 1))
    assert not torch.allclose(one.realness, other.realness)
    assert not torch.allclose(one.features, other.features)


def test_an_unconditional_critic_reads_the_sample_alone() -> None:
    critic = mlp_critic(POINTS, NetworkStyle(), LATENT.codes, LATENT.conditions).eval()
    points = torch.randn(4, 2)
    assert torch.equal(critic(points).realness, critic(points, torch.eye(3)[[0] * 4]).realness)


def test_signals_keep_their_scale_without_normalisation() -> None:
    style = NetworkStyle(generator_norm="none", critic_norm="none")
    points = mlp_generator(LATENT, POINTS, style)(torch.randn(512, LATENT.width))
    assert points.std(0).mean() > 0.3
    critic = mlp_critic(POINTS, style, LATENT.conditions, LATENT.codes)
    features = critic(torch.randn(512, 2), torch.eye(3)[torch.arange(512) % 3]).features
    assert 0.1 < features.square().mean().sqrt() < 3
