import re
from typing import Any, ClassVar

import pytest
import torch
from helpers import NOTHING, Reader, game_round, terms_of, tiny_data, tiny_game
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.core.critic import Critic
from ganzoo.core.data import DataSpec, LabelSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.models.game import Game
from ganzoo.models.model import Model, label_conditions
from ganzoo.models.player import Player, Rates
from ganzoo.objectives.recognition import MutualInformation

SHAPES: dict[str, tuple[int, ...]] = {
    "infogan-slim": (1, 28, 28),
    "infogan-rgb": (3, 32, 32),
    "dcgan": (1, 16, 16),
    "mlp": (7, 2),
}


class Everything(Model):
    """Every role and recognition."""

    name = "everything"

    class Options(Model.Options):
        alternatives: ClassVar = {"latent": ("noise",)}
        noise: int = 3

    def latent(self, data: DataSpec) -> LatentSpec:
        codes = {"category": Categorical(4, role="code"), "style": Uniform(2, role="code", weight=0.1)}
        return LatentSpec(z=Normal(self.options.noise), **label_conditions(data), **codes)

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        return self.adversarial() + MutualInformation(latent.codes)


def weights(game: Game) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value for name, network in game.networks.items() for key, value in network.state_dict().items()
    }


def batch_norms(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def test_a_game_holds_all_that_training_needs() -> None:
    game = tiny_game(Everything)
    assert game.latent.names == ("z", "label", "category", "style")
    assert sorted(game.networks) == ["critic", "generator"]
    assert [player.name for player in game.players] == ["critic", "generator"]
    assert game.data == tiny_data()
    assert repr(game.objective) == "NonSaturating() + MutualInformation(category, style)"


def test_each_parameter_belongs_to_exactly_one_player() -> None:
    game = tiny_game(Everything, tiny_data((1, 28, 28)))
    owned = [name for paths in game.parameters.values() for items in paths.values() for name, _ in items]
    every = [f"{name}.{key}" for name, network in game.networks.items() for key, _ in network.named_parameters()]
    assert sorted(owned) == sorted(every)
    recognition = [name for name, _ in game.parameters["critic"]["critic.recognition"]]
    assert recognition and all(name.startswith("critic.recognition.") for name in recognition)
    assert not any("recognition" in name for name, _ in game.parameters["critic"]["critic"])


@pytest.mark.parametrize("family", SHAPES)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(family: str) -> None:
    data = tiny_data(SHAPES[family])
    one, same, other = (tiny_game(Everything, data, seed, networks=family) for seed in (5, 5, 6))
    assert all(torch.equal(value, weights(same)[name]) for name, value in weights(one).items())
    differ = {name for name, value in weights(one).items() if not torch.equal(value, weights(other)[name])}
    assert {name for name in differ if name.startswith("critic.")} and "generator" in {n.split(".")[0] for n in differ}


def test_building_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = weights(tiny_game(Everything))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert all(torch.equal(value, first[name]) for name, value in weights(tiny_game(Everything)).items())


def test_building_leaves_the_random_state_of_accelerators_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    tiny_game(Everything)
    assert not seeds


def test_a_condition_needs_a_label() -> None:
    with pytest.raises(UsageError, match="toys has no labels"):
        tiny_game(Everything, tiny_data(frequencies=None))
    with pytest.raises(
        UsageError, match="the condition 'label' needs a label of that name, and data set toys has none"
    ):
        tiny_game(Everything, tiny_data(frequencies=None), latent="z: normal(2), label: categorical(3) condition")
    with pytest.raises(UsageError, match=r"the condition 'digit' needs a label of that name, .* has label; rename"):
        tiny_game(Everything, latent="z: normal(2), digit: categorical(3) condition")


@pytest.mark.parametrize("wrong", ["categorical(4)", "categorical(2)", "normal(3)", "bernoulli(3)", "uniform(1)"])
def test_a_condition_has_as_many_classes_as_its_label(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"the condition 'label' must be categorical\(3\), as data set toys"):
        tiny_game(Everything, latent=f"z: normal(2), label: {wrong} condition")


def test_a_condition_from_text_takes_the_labels_names_and_frequencies() -> None:
    game = tiny_game(Everything, latent="z: normal(2), label: categorical(3) condition weight=0.5")
    assert game.latent["label"] == Categorical(
        3, role="condition", weight=0.5, probs=(0.5, 0.3, 0.2), names=("class 0", "class 1", "class 2")
    )
    given = tiny_game(Everything, latent='label: categorical(3, probs=[1, 0, 0], names=["a", "b", "c"]) condition')
    assert given.latent["label"] == Categorical(3, role="condition", probs=(1, 0, 0), names=("a", "b", "c"))


def test_the_latent_text_replaces_the_models_latent_space() -> None:
    game = tiny_game(Everything, latent="a: normal(2), b: categorical(5) code weight=0.5")
    assert str(game.latent) == "a: normal(2), b: categorical(5) code weight=0.5"
    assert game.networks["critic"](torch.zeros(2, 1, 4, 4)).recognised["b"].shape == (2, 5)
    assert repr(game.objective) == "NonSaturating() + MutualInformation(b)"
    assert game.networks["generator"](game.latent.sample(2, 0).flat).shape == (2, 1, 4, 4)


@pytest.mark.parametrize("text", ["z: normla(3)", "z normal(3)", "z: normal(3", "z: normal(0)"])
def test_a_malformed_latent_text_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        tiny_game(Everything, latent=text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("penalty", ["gradient_penalty", "r1"])
@pytest.mark.parametrize("family", SHAPES)
def test_gradient_penalties_refuse_a_batchnorm_critic_or_switch_and_say_so(family: str, penalty: str) -> None:
    data = tiny_data(SHAPES[family])
    with pytest.raises(UsageError, match="a gradient penalty needs a critic that judges each sample alone"):
        tiny_game(Everything, data, networks=family, critic_norm="batch", **{penalty: 1.0})
    switched = tiny_game(Everything, data, networks=family, **{penalty: 1.0})
    assert not batch_norms(switched.networks["critic"])
    assert batch_norms(switched.networks["generator"])
    assert switched.notes == ["the critic has layer instead of batch normalisation, because of the gradient penalty"]


def test_nothing_is_said_where_nothing_was_decided() -> None:
    assert tiny_game(Everything).notes == []
    assert batch_norms(tiny_game(Everything).networks["critic"])
    assert tiny_game(Everything, r1=1.0, critic_norm="none").notes == []


def test_a_critic_of_ones_own_with_batch_normalisation_is_refused_too() -> None:
    class Stubborn(Everything):
        """Brings its own critic."""

        def critic(self, latent: LatentSpec, data: DataSpec) -> Critic:
            critic = Reader()
            critic.norm = nn.BatchNorm1d(4)
            return critic

    assert tiny_game(Stubborn)
    with pytest.raises(UsageError, match="has batch normalisation"):
        tiny_game(Stubborn, r1=1.0)


def test_parameters_without_an_owner_are_refused_with_the_models_name() -> None:
    class Forgetful(Everything):
        """Nobody trains the generator."""

        name = "forgetful"

        def players(self, latent: LatentSpec, data: DataSpec) -> list[Player]:
            return [Player("critic", {"critic": Rates()})]

    with pytest.raises(UsageError, match=r"model forgetful: the parameter generator\..* not to nobody"):
        tiny_game(Forgetful)


def test_progress_is_counted_in_the_first_players_samples() -> None:
    assert tiny_game(Everything).images_per_round(64) == 64
    assert tiny_game(Everything, critic_turns=5).images_per_round(64) == 320


def test_parameters_are_counted_by_network_and_part() -> None:
    game = tiny_game(Everything)
    counts = game.parameter_counts()
    for name, network in game.networks.items():
        assert counts[name] == sum(parameter.numel() for parameter in network.parameters())
    parts = ["trunk", "realness", "recognition"]
    assert counts["critic"] == sum(counts[f"critic.{part}"] for part in parts)
    assert counts["critic.realness"] == game.networks["critic"].realness.in_features + 1


def test_a_printed_game_is_the_models_documentation() -> None:
    game = tiny_game(Everything, critic_turns=2, recognition_lr=1e-3, r1=0.5)
    text = str(game)
    assert text.startswith("everything on toys (1×4×4): Every role and recognition.\n")
    for name, variable in game.latent.items():
        shown = re.sub(r"names=\[.*]", "names=[…]", variable.text())
        assert re.search(rf"^  {name} .*{re.escape(shown)}", text, re.MULTILINE)
    for name, count in game.parameter_counts().items():
        assert re.search(rf"^ +{re.escape(name)} +{count:,} parameters$", text, re.MULTILINE)
    assert "critic: critic (Adam, lr 0.0002), critic.recognition (Adam, lr 0.001), 2 turns a round" in text
    assert "generator: generator (Adam, lr 0.0002)" in text
    assert "NonSaturating() + 0.5 * R1() + MutualInformation(category, style)" in text
    assert [line for line in text.splitlines() if line and not line.startswith(" ")][1:] == [
        "latent space",
        "networks",
        "players",
        "objective",
    ]


def test_the_printed_game_leaves_out_rates_of_parameters_that_are_not_there() -> None:
    text = str(tiny_game(Everything, latent="z: normal(2)"))
    assert "recognition" not in text.split("\nplayers\n")[1].split("\n\n")[0]


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize(
    "options",
    [{}, {"adversarial": "hinge", "spectral_norm": True, "critic_norm": "none"}, {"gradient_penalty": 10.0, "r1": 0.1}],
    ids=["default", "hinge", "penalties"],
)
def test_every_family_plays_every_objective(family: str, options: dict[str, Any]) -> None:
    game = tiny_game(Everything, tiny_data(SHAPES[family]), networks=family, **options)
    for player in ("critic", "generator"):
        terms = terms_of(game.objective, player, game_round(game, player, n=4))
        loss = torch.stack([term.weight * term.value for term in terms.values()]).sum()
        owned = [parameter for items in game.parameters[player].values() for _, parameter in items]
        gradients = torch.autograd.grad(loss, owned)
        assert loss.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert sum(gradient.ne(0).any().item() for gradient in gradients) >= len(gradients) - 1


def test_two_labels_are_two_conditions_side_by_side() -> None:
    labels = {
        "hair": LabelSpec(classes=("no", "yes"), frequencies=(0.5, 0.5)),
        "age": LabelSpec(classes=("young", "middle", "old"), frequencies=(0.2, 0.3, 0.5)),
    }
    game = tiny_game(Everything, tiny_data(frequencies=None, labels=labels))
    assert game.latent.conditions.names == ("hair", "age")
    round = game_round(game, "critic")
    assert round.real_condition is not None and round.real_condition.shape == (12, 5)
    assert round.fake_verdict.realness.shape == (12,)


def test_a_game_without_recognition_or_conditions_needs_nothing_of_the_data() -> None:
    class Noise(Model):
        """Noise."""

        name = "noise"

        def latent(self, data: DataSpec) -> LatentSpec:
            return LatentSpec(z=Normal(1))

    game = tiny_game(Noise, tiny_data((2,), frequencies=None))
    assert game.latent.conditions == NOTHING
    assert game.networks["generator"].eval()(torch.zeros(1, 1)).shape == (1, 2)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_latent_text_is_refused(text):
    with pytest.raises(UsageError, match="empty"):
        tiny_game(Everything, latent=text)


def test_a_code_that_no_term_recovers_is_refused():
    class Forgetful(Everything):
        name = "forgetful"

        def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
            return self.adversarial()

    with pytest.raises(UsageError, match="'category' is recovered by no term"):
        tiny_game(Forgetful)


def test_options_and_values_together_are_refused():
    with pytest.raises(TypeError, match="or options by name"):
        Everything(Everything.Options(), noise=3)
