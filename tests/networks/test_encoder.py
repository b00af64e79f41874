import pytest
import torch
from helpers import tiny_data

from ganzoo.core.encoder import Encoder
from ganzoo.core.latent import LatentSpec
from ganzoo.networks.encoder import StockEncoder, stock_encoder
from ganzoo.networks.stock import choose
from ganzoo.networks.style import NetworkStyle

LATENT = LatentSpec.parse("z: normal(3), kind: categorical(4), fixed: normal(2, sigma=0.5), flag: bernoulli(1)")
SHAPES = [(1, 4, 4), (1, 28, 28), (3, 32, 32), (2, 16, 16), (7, 2)]
STYLE = NetworkStyle(width=0.125)


def made(shape: tuple[int, ...] = (1, 28, 28), style: NetworkStyle = STYLE) -> StockEncoder:
    return stock_encoder(tiny_data(shape), "auto", style, LATENT)


def samples(n: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("shape", SHAPES)
def test_the_means_lie_side_by_side_as_the_variables_do(shape: tuple[int, ...]) -> None:
    encoder = made(shape).eval()
    assert isinstance(encoder, Encoder)
    values = samples(5, shape)
    latents, posterior = encoder(values), encoder.posterior(values)
    assert latents.shape == (5, LATENT.width) and latents.dtype == torch.float32
    for name in LATENT:
        assert torch.equal(latents[:, LATENT.columns(name)], posterior[name].mean)
    assert latents[:, LATENT.columns("kind")].sum(1).allclose(torch.ones(5))
    assert posterior["fixed"].variance.eq(0.25).all()
    assert latents[:, LATENT.columns("z")].std(0).gt(0).all()


def test_a_row_depends_on_its_sample_alone() -> None:
    encoder = made().eval()
    values = samples(6, (1, 28, 28))
    assert torch.allclose(encoder(values)[2:3], encoder(values[2:3]), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_parameter_is_used(shape: tuple[int, ...]) -> None:
    encoder = made(shape)
    sum(each.mean.sum() + each.variance.sum() for each in encoder.posterior(samples(8, shape)).values()).backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_it_is_the_trunk_of_the_familys_critic() -> None:
    data = tiny_data((1, 28, 28))
    critic = choose(data).critic(data, STYLE, LatentSpec(), LATENT)
    assert [*made().trunk.state_dict()] == [*critic.trunk.state_dict()]


@pytest.mark.parametrize(("generator_norm", "kind"), [("batch", torch.nn.BatchNorm2d), ("layer", torch.nn.GroupNorm)])
def test_it_is_normalised_as_the_generator_and_not_as_the_critic(
    generator_norm: str, kind: type[torch.nn.Module]
) -> None:
    style = NetworkStyle(width=0.125, generator_norm=generator_norm, critic_norm="none", spectral_norm=True)
    encoder = made(style=style)
    assert any(isinstance(module, kind) for module in encoder.modules())
    assert not any("parametrizations" in name for name in encoder.state_dict())
