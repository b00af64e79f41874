from typing import Any

import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game
from torch import Tensor, nn
from training_helpers import trainer

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.invariance import Affine
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.models.game import Game
from ganzoo.objectives.recognition import MutualInformation
from ganzoo_infogan import InfoGAN

INFORMATION = ("information/category", "information/style")


def latent(**options: Any) -> LatentSpec:
    return tiny_game(InfoGAN, **options).latent


def terms(player: str, data: DataSpec | None = None, **options: Any) -> dict[str, float]:
    game = tiny_game(InfoGAN, data, **options)
    return {name: term.weight for name, term in terms_of(game.objective, player, game_round(game, player)).items()}


def test_the_latent_space_is_the_papers() -> None:
    expected = LatentSpec(
        z=Normal(62), category=Categorical(10, role="code"), style=Uniform(2, role="code", weight=0.1)
    )
    assert latent() == expected
    assert expected.width == 74


def test_it_needs_no_labels_and_ignores_those_there_are() -> None:
    assert tiny_game(InfoGAN, tiny_data(frequencies=None)).latent == latent()
    assert game_round(tiny_game(InfoGAN), "critic").real_condition is None


def test_several_categoricals_are_numbered() -> None:
    codes = latent(categories=(10, 5, 2), styles=0, noise=3, category_weight=0.5)
    assert codes == LatentSpec(
        z=Normal(3),
        category1=Categorical(10, role="code", weight=0.5),
        category2=Categorical(5, role="code", weight=0.5),
        category3=Categorical(2, role="code", weight=0.5),
    )


def test_there_may_be_no_categorical_or_no_continuous_code() -> None:
    assert latent(categories=()).codes.names == ("style",)
    assert latent(styles=0).codes.names == ("category",)
    plain = tiny_game(InfoGAN, categories=(), styles=0)
    assert plain.latent.names == ("z",)
    assert list(terms_of(plain.objective, "critic", game_round(plain, "critic"))) == ["adversarial"]


def test_styles_may_be_normal_and_their_sigma_fixed() -> None:
    assert latent(style_prior="normal")["style"] == Normal(2, role="code", weight=0.1)
    assert latent(style_sigma=0.5, styles=3)["style"] == Uniform(3, role="code", weight=0.1, sigma=0.5)
    fixed = tiny_game(InfoGAN, style_sigma=1.0, style_prior="normal")
    assert fixed.networks["critic"](torch.zeros(2, 1, 4, 4)).recognised["style"].shape == (2, 2)


@pytest.mark.parametrize(
    "wrong", [{"categories": (0,)}, {"style_sigma": 0.0}, {"style_sigma": "large"}, {"style_prior": "cauchy"}]
)
def test_impossible_codes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        tiny_game(InfoGAN, **wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28), (3, 32, 32), (12, 2)])
def test_the_critic_recognises_the_codes(shape: tuple[int, ...]) -> None:
    critic = tiny_game(InfoGAN, tiny_data(shape)).networks["critic"]
    recognised = critic(torch.zeros(3, *shape)).recognised
    assert {name: tuple(values.shape) for name, values in recognised.items()} == {"category": (3, 10), "style": (3, 4)}


def test_terms_by_name_are_in_both_players_losses_with_the_codes_weights() -> None:
    expected = {"adversarial": 1.0, "information/category": 1.0, "information/style": 0.1}
    assert terms("critic") == terms("generator") == expected
    chosen = terms("critic", category_weight=2.0, style_weight=0.5, r1=3.0)
    assert chosen == {"adversarial": 1.0, "r1": 3.0, "information/category": 2.0, "information/style": 0.5}


def test_consistency_joins_the_critics_loss_if_asked_for() -> None:
    data = tiny_data(invariances=(Affine(),))
    assert list(terms("critic", data, consistency=1.0)) == ["adversarial", *INFORMATION, "consistency/category"]
    assert list(terms("generator", data, consistency=1.0)) == ["adversarial", *INFORMATION]
    with pytest.raises(UsageError, match="invariances"):
        terms("critic", consistency=1.0)
    with pytest.raises(UsageError, match="categorical code"):
        terms("critic", data, consistency=1.0, categories=())


def test_the_latent_space_as_text() -> None:
    text = "z: normal(3), digit: categorical(10) code, slant: uniform(1) code weight=0.5, flag: bernoulli(1) code"
    game = tiny_game(InfoGAN, latent=text)
    assert str(game.latent) == text
    found = terms_of(game.objective, "generator", game_round(game, "generator"))
    assert {name: term.weight for name, term in found.items()} == {
        "adversarial": 1.0,
        "information/digit": 1.0,
        "information/slant": 0.5,
        "information/flag": 1.0,
    }


@pytest.mark.parametrize(
    "piece",
    [
        {"noise": 3},
        {"categories": (3,)},
        {"styles": 1},
        {"style_prior": "normal"},
        {"category_weight": 2.0},
        {"style_weight": 2.0},
        {"style_sigma": 1.0},
    ],
    ids=lambda piece: next(iter(piece)),
)
def test_text_and_options_for_the_latent_space_are_never_taken_together(piece: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"latent already describes {next(iter(piece))}; give one or the other"):
        InfoGAN(latent="z: normal(3)", **piece)


def test_a_condition_beside_the_codes_is_seen_and_not_recognised() -> None:
    text = "z: normal(3), label: categorical(3) condition, category: categorical(4) code"
    critic = tiny_game(InfoGAN, latent=text).networks["critic"].eval()
    samples = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    one, other = (critic(samples, torch.eye(3)[[index] * 2]) for index in (0, 1))
    assert not torch.isclose(one.realness, other.realness).any()
    assert list(one.recognised) == ["category"]


def reached(loss: Tensor, module: nn.Module) -> bool:
    gradients = torch.autograd.grad(loss, list(module.parameters()), retain_graph=True, allow_unused=True)
    return any(gradient is not None and gradient.ne(0).any() for gradient in gradients)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28)])
@pytest.mark.parametrize("name", INFORMATION)
def test_the_gradient_of_the_information_term_reaches_generator_trunk_and_head(
    name: str, shape: tuple[int, ...]
) -> None:
    game = tiny_game(InfoGAN, tiny_data(shape))
    critic = game.networks["critic"]
    of_critic = terms_of(game.objective, "critic", game_round(game, "critic"))[name]
    assert of_critic.only == ()
    assert reached(of_critic.value, critic.trunk) and reached(of_critic.value, critic.recognition)
    assert not reached(of_critic.value, critic.realness)
    assert not reached(of_critic.value, game.networks["generator"])
    of_generator = terms_of(game.objective, "generator", game_round(game, "generator"))[name]
    assert reached(of_generator.value, game.networks["generator"])


class InformationAlone(InfoGAN):
    """InfoGAN without its adversarial loss, so that whatever moves was moved by information."""

    name = "information-alone"

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        return MutualInformation(latent.codes, trunk=self.options.information_in_trunk)


def moved(game: Game, before: dict[str, Tensor]) -> set[str]:
    now = {f"{name}.{key}": value for name, net in game.networks.items() for key, value in net.named_parameters()}
    changed = [name for name, value in now.items() if not torch.equal(value, before[name])]
    return {".".join(name.split(".")[: 2 if name.startswith("critic") else 1]) for name in changed}


@pytest.mark.parametrize(
    ("in_trunk", "parts"),
    [
        (True, {"critic.trunk", "critic.recognition", "generator"}),
        (False, {"critic.recognition", "generator"}),
    ],
)
def test_a_round_trains_the_trunk_by_information_only_where_that_is_chosen(in_trunk: bool, parts: set[str]) -> None:
    play = trainer(InformationAlone, information_in_trunk=in_trunk)
    networks = play.game.networks
    before = {
        f"{name}.{key}": value.detach().clone()
        for name, net in networks.items()
        for key, value in net.named_parameters()
    }
    play.play_round()
    assert moved(play.game, before) == parts


def test_information_costs_no_generator_pass_and_no_optimiser_of_its_own() -> None:
    play = trainer(InfoGAN)
    passes: dict[str, int] = {"critic": 0, "generator": 0}
    for name, network in play.game.networks.items():

        def count(*_: object, name: str = name) -> None:
            passes[name] += 1

        network.register_forward_hook(count)
    play.play_round()
    assert passes == {"critic": 3, "generator": 1}
    assert list(play.optimisers) == ["critic", "generator"]
    assert not play.calls
