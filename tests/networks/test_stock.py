"""The contract that every family keeps, over every kind of sample that it takes."""

import copy

import pytest
import torch

from ganzoo.core.critic import Critic
from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform
from ganzoo.networks.stock import FAMILIES, Family, choose
from ganzoo.networks.style import NetworkStyle

SPECS = {
    "digits": DataSpec(name="digits", shape=(1, 28, 28), size=10),
    "colour": DataSpec(name="colour", shape=(3, 32, 32), size=10),
    "faces": DataSpec(name="faces", shape=(3, 64, 64), size=10, range=(0.0, 1.0)),
    "icons": DataSpec(name="icons", shape=(1, 16, 16), size=10),
    "bands": DataSpec(name="bands", shape=(5, 16, 16), size=10, drawn_as="heatmap"),
    "points": DataSpec(name="points", shape=(2,), size=10, range=(-3.0, 2.0), drawn_as="points"),
    "motions": DataSpec(name="motions", shape=(20, 3), size=10, drawn_as="heatmap"),
}
LATENT = LatentSpec(
    z=Normal(6),
    label=Categorical(3, role="condition"),
    category=Categorical(4, role="code"),
    slant=Uniform(2, role="code"),
    flags=Bernoulli(3, role="code"),
)
THIN = NetworkStyle(width=0.125)
PAIRS = [
    pytest.param(family, data, id=f"{family.name}-{data.name}")
    for family in FAMILIES.values()
    for data in SPECS.values()
    if family.fits(data)
]


def build(family: Family, data: DataSpec, style: NetworkStyle = THIN) -> tuple[Generator, Critic]:
    return family.generator(LATENT, data, style), family.critic(data, style, LATENT.conditions, LATENT.codes)


def latents(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    flat = torch.randn(count, LATENT.width)
    label = torch.eye(3)[torch.arange(count) % 3]
    flat[:, LATENT.columns("label")] = label
    return flat, label


@pytest.mark.parametrize(("family", "data"), PAIRS)
def test_shapes_and_ranges(family: Family, data: DataSpec) -> None:
    generator, critic = build(family, data)
    flat, label = latents(6)
    samples = generator(100 * flat)
    assert samples.shape == (6, *data.shape)
    assert samples.dtype == torch.float32
    assert samples.min() >= data.range[0] and samples.max() <= data.range[1]
    assert samples.std() > 0
    verdict = critic(samples, label)
    assert verdict.realness.shape == (6,)
    assert verdict.features.ndim == 2 and len(verdict.features) == 6
    assert {name: part.shape for name, part in verdict.recognised.items()} == {
        name: (6, LATENT.head_width(name)) for name in LATENT.codes.names
    }
    *_, last = critic.eval().layers(samples, label).values()
    assert torch.equal(last, critic(samples, label).features)


@pytest.mark.parametrize(("family", "data"), PAIRS)
@pytest.mark.parametrize("norm", ["batch", "layer", "group", "none"])
def test_every_parameter_gets_a_finite_gradient(family: Family, data: DataSpec, norm: str) -> None:
    style = NetworkStyle.model_validate({"width": 0.125, "generator_norm": norm, "critic_norm": norm})
    generator, critic = build(family, data, style)
    flat, label = latents(6)
    verdict = critic(generator(flat), label)
    recognition = sum(part.square().mean() for part in verdict.recognised.values())
    (torch.nn.functional.softplus(-verdict.realness).mean() + recognition).backward()
    for network in (generator, critic):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(("family", "data"), PAIRS)
def test_bf16_autocast_trains_and_samples_stay_in_float32(family: Family, data: DataSpec) -> None:
    generator, critic = build(family, data)
    generator.to(memory_format=torch.channels_last)
    critic.to(memory_format=torch.channels_last)
    flat, label = latents(6)
    with torch.autocast("cpu", torch.bfloat16):
        samples = generator(flat)
        verdict = critic(samples, label)
    assert samples.dtype == torch.float32
    assert samples.min() >= data.range[0] and samples.max() <= data.range[1]
    (verdict.realness.float().mean() + verdict.recognised["category"].float().square().mean()).backward()
    for network in (generator, critic):
        assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize(("family", "data"), PAIRS)
def test_rows_are_independent_in_evaluation_mode(family: Family, data: DataSpec) -> None:
    generator, critic = (network.eval() for network in build(family, data))
    flat, label = latents(6)
    buffers = copy.deepcopy([*generator.buffers(), *critic.buffers()])
    with torch.inference_mode():
        samples = generator(flat)
        verdict = critic(samples, label)
        torch.testing.assert_close(generator(flat[4:5]), samples[4:5], rtol=1e-4, atol=1e-5)
        alone = critic(samples[4:5], label[4:5])
    assert alone.realness.shape == (1,)
    torch.testing.assert_close(alone.realness, verdict.realness[4:5], rtol=1e-4, atol=1e-5)
    for name, part in verdict.recognised.items():
        torch.testing.assert_close(alone.recognised[name], part[4:5], rtol=1e-4, atol=1e-5)
    assert all(map(torch.equal, buffers, [*generator.buffers(), *critic.buffers()]))


@pytest.mark.parametrize(("family", "data"), PAIRS)
def test_memory_format_changes_nothing(family: Family, data: DataSpec) -> None:
    networks = [network.eval() for network in build(family, data)]
    generator, critic = networks
    last = [copy.deepcopy(network).to(memory_format=torch.channels_last) for network in networks]
    flat, label = latents(3)
    samples = generator(flat)
    torch.testing.assert_close(last[0](flat), samples, rtol=1e-4, atol=1e-5)
    if len(data.shape) == 3:
        samples = samples.contiguous(memory_format=torch.channels_last)
    verdict = last[1](samples, label)
    torch.testing.assert_close(verdict.realness, critic(samples, label).realness, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", "infogan-slim"),
        ("colour", "infogan-rgb"),
        ("faces", "dcgan"),
        ("icons", "dcgan"),
        ("bands", "dcgan"),
        ("points", "mlp"),
        ("motions", "mlp"),
    ],
)
def test_auto_takes_the_first_that_fits(name: str, expected: str) -> None:
    assert choose(SPECS[name]).name == expected
    assert choose(SPECS[name], expected) is FAMILIES[expected]


def test_the_papers_digit_pair_is_chosen_by_name() -> None:
    assert choose(SPECS["digits"], "infogan-mnist").name == "infogan-mnist"


@pytest.mark.parametrize(
    ("name", "shape", "takes"),
    [
        ("infogan-mnist", (1, 32, 32), "1×28×28"),
        ("infogan-rgb", (1, 32, 32), "3×32×32"),
        ("dcgan", (1, 28, 28), "S = 16, 32, 64, 128 or 256"),
        ("dcgan", (3, 32, 64), "S = 16, 32, 64, 128 or 256"),
        ("dcgan", (3, 8, 8), "S = 16, 32, 64, 128 or 256"),
        ("dcgan", (3, 512, 512), "S = 16, 32, 64, 128 or 256"),
    ],
)
def test_a_family_that_does_not_fit_is_refused(name: str, shape: tuple[int, ...], takes: str) -> None:
    data = DataSpec(name="odd", shape=shape, size=10)
    with pytest.raises(UsageError) as refusal:
        choose(data, name)
    sentence = str(refusal.value)
    assert name in sentence and takes in sentence and "mlp" in sentence
    assert "×".join(map(str, shape)) in sentence and "odd" in sentence


def test_an_unknown_family_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'dcgan'"):
        choose(SPECS["faces"], "dcgam")
