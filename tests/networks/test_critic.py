import pytest
import torch
from torch import nn

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.infogan import SLIM
from ganzoo.networks.stock import FAMILIES
from ganzoo.networks.style import NetworkStyle

DIGITS = DataSpec(name="digits", shape=(1, 28, 28), size=10)
LATENT = LatentSpec(
    z=Normal(6),
    label=Categorical(3, role="condition"),
    category=Categorical(4, role="code"),
    slant=Uniform(2, role="code"),
)
NOTHING = LATENT.conditions.codes
BATCHES = nn.BatchNorm1d | nn.BatchNorm2d


def thin(**values: object) -> NetworkStyle:
    return NetworkStyle.model_validate({"width": 0.25, **values})


def critic_of(style: NetworkStyle, sees: LatentSpec = NOTHING, recognises: LatentSpec = NOTHING) -> StockCritic:
    return SLIM.critic(DIGITS, style, sees, recognises)


def conditions(*classes: int) -> torch.Tensor:
    return torch.eye(3)[list(classes)]


def test_the_parts_have_the_names_that_players_use() -> None:
    full = critic_of(thin(), LATENT.conditions, LATENT.codes)
    assert [name for name, _ in full.named_children()] == ["trunk", "realness", "projection", "recognition"]
    bare = critic_of(thin())
    assert [name for name, _ in bare.named_children()] == ["trunk", "realness"]
    assert bare.recognition is None and bare.projection is None
    assert bare(torch.randn(2, 1, 28, 28)).recognised == {}


def test_heads_have_the_widths_that_the_latent_space_says() -> None:
    recognised = critic_of(thin(), recognises=LATENT.codes)(torch.randn(5, 1, 28, 28)).recognised
    assert {name: part.shape for name, part in recognised.items()} == {
        name: (5, LATENT.head_width(name)) for name in ("category", "slant")
    }


def test_recognition_is_one_hidden_layer_and_one_output_layer_for_all_variables() -> None:
    critic = critic_of(thin(recognition_hidden=40), recognises=LATENT.codes)
    assert critic.recognition is not None
    linear = [module for module in critic.recognition.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in linear] == [40, 4 + LATENT.head_width("slant")]


def test_layers_are_the_trunks_blocks_and_end_with_the_features() -> None:
    critic = critic_of(thin(), LATENT.conditions).eval()
    samples, seen = torch.randn(3, 1, 28, 28), conditions(0, 1, 2)
    maps = critic.layers(samples, seen)
    assert list(maps) == ["conv1", "conv2", "flat", "fc1"]
    assert [tuple(values.shape[2:]) for values in maps.values()] == [(14, 14), (7, 7), (), ()]
    assert torch.equal(maps["fc1"], critic(samples, seen).features)


def test_projection_changes_realness_with_the_condition_and_not_the_features() -> None:
    critic = critic_of(thin(), LATENT.conditions, LATENT.codes).eval()
    samples = torch.randn(4, 1, 28, 28)
    one, other = critic(samples, conditions(0, 0, 0, 0)), critic(samples, conditions(1, 1, 1, 1))
    assert not torch.isclose(one.realness, other.realness).any()
    assert torch.equal(one.features, other.features)
    assert torch.equal(one.recognised["category"], other.recognised["category"])
    assert critic.projection is not None
    row = critic.projection.weight[:, 0] - critic.projection.weight[:, 1]
    torch.testing.assert_close(one.realness - other.realness, one.features @ row)


@pytest.mark.parametrize("wrong", [None, torch.zeros(2, 4), torch.zeros(2)])
@pytest.mark.parametrize("family", ["infogan-slim", "mlp"])
def test_a_missing_or_misshapen_condition_is_refused(family: str, wrong: torch.Tensor | None) -> None:
    critic = FAMILIES[family].critic(DIGITS, thin(), LATENT.conditions, NOTHING)
    with pytest.raises(ValueError, match=r"conditions of shape \(N, 3\)"):
        critic(torch.randn(2, 1, 28, 28), wrong)


def test_a_critic_that_sees_nothing_ignores_any_condition() -> None:
    critic = critic_of(thin(), recognises=LATENT.conditions).eval()
    samples = torch.randn(2, 1, 28, 28)
    assert torch.equal(critic(samples).realness, critic(samples, torch.randn(2, 9)).realness)


@pytest.mark.parametrize("norm", ["none", "layer", "group"])
@pytest.mark.parametrize("family", ["infogan-slim", "infogan-rgb", "dcgan", "mlp"])
def test_without_batch_normalisation_a_verdict_depends_on_its_sample_alone(family: str, norm: str) -> None:
    data = DataSpec(name="colour", shape=(3, 32, 32), size=10) if family != "infogan-slim" else DIGITS
    critic = FAMILIES[family].critic(data, thin(critic_norm=norm), LATENT.conditions, LATENT.codes).train()
    assert not any(isinstance(module, BATCHES) for module in critic.modules())
    assert not list(critic.buffers())
    samples, seen = torch.randn(6, *data.shape), conditions(0, 1, 2, 0, 1, 2)
    whole, alone = critic(samples, seen), critic(samples[4:5], seen[4:5])
    torch.testing.assert_close(whole.realness[4:5], alone.realness, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(whole.features[4:5], alone.features, rtol=1e-4, atol=1e-6)
    for name, part in whole.recognised.items():
        torch.testing.assert_close(part[4:5], alone.recognised[name], rtol=1e-4, atol=1e-6)


def test_spectral_norm_holds_trunk_realness_and_projection_and_leaves_recognition_free() -> None:
    critic = critic_of(thin(critic_norm="none", spectral_norm=True), LATENT.conditions, LATENT.codes)
    samples, seen = torch.randn(3, 1, 28, 28), conditions(0, 1, 2)
    for _ in range(100):
        critic(samples, seen)
    held = {
        name
        for name, module in critic.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d) and nn.utils.parametrize.is_parametrized(module)
    }
    assert held == {"trunk.conv1.0", "trunk.conv2.0", "trunk.fc1.0", "realness", "projection"}
    for name in held:
        largest = torch.linalg.matrix_norm(critic.get_submodule(name).weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("style", [{}, {"spectral_norm": True}])
@pytest.mark.parametrize("norm", ["none", "layer", "group"])
@pytest.mark.parametrize("family", ["infogan-slim", "mlp"])
def test_a_gradient_penalty_can_be_differentiated(family: str, norm: str, style: dict[str, object]) -> None:
    torch.manual_seed(1)
    chosen = thin(critic_norm=norm, width=0.01, recognition_hidden=4, **style)
    critic = FAMILIES[family].critic(DIGITS, chosen, LATENT.conditions, NOTHING).double().eval()
    # The initial weights make scores so flat that a difference quotient would be all rounding.
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(5)
    samples = torch.randn(2, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    seen = conditions(0, 2).double()
    assert torch.autograd.gradgradcheck(
        lambda values: critic(values, seen).realness, (samples,), fast_mode=True, eps=1e-6, atol=1e-5
    )


@pytest.mark.parametrize("norm", ["none", "layer", "group"])
def test_a_gradient_penalty_reaches_every_weight_of_the_trunk(norm: str) -> None:
    critic = critic_of(thin(critic_norm=norm))
    samples = torch.randn(4, 1, 28, 28, requires_grad=True)
    (slope,) = torch.autograd.grad(critic(samples).realness.sum(), samples, create_graph=True)
    slope.square().sum().backward()
    for name, parameter in critic.named_parameters():
        if name.endswith("weight"):
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name


def test_the_samples_are_never_changed_in_place() -> None:
    for family in ("infogan-slim", "mlp"):
        critic = FAMILIES[family].critic(DIGITS, thin(), NOTHING, LATENT.codes)
        samples = torch.randn(3, 1, 28, 28)
        kept = samples.clone()
        maps = critic.layers(samples)
        assert torch.equal(samples, kept)
        again = critic.eval().layers(samples)
        early = {name: values.clone() for name, values in again.items()}
        critic(samples)
        assert all(torch.equal(early[name], again[name]) for name in maps)


def test_the_repr_says_how_conditions_enter_and_what_is_recognised() -> None:
    text = repr(critic_of(thin(), LATENT.conditions, LATENT.codes))
    assert "condition=3 projected" in text
    assert "category: 4" in text
    beside = FAMILIES["mlp"].critic(DIGITS, thin(), LATENT.conditions, NOTHING)
    assert "condition=3 beside the sample" in repr(beside)


@pytest.mark.parametrize("family", ["infogan-slim", "mlp"])
def test_an_untrained_head_is_uncertain(family):
    torch.manual_seed(0)
    critic = FAMILIES[family].critic(DIGITS, NetworkStyle(), NOTHING, LATENT.codes)
    parameters = critic(torch.rand(64, 1, 28, 28) * 2 - 1).recognised
    assert LATENT.posterior("category", parameters["category"]).entropy().mean() > 0.9 * LATENT.entropy("category")
    assert -LATENT.posterior("slant", parameters["slant"]).log_prob(torch.zeros(64, 2)).mean() < 3
