from collections.abc import Iterator
from typing import Any

import pytest
import torch
from helpers import NOTHING, game_round, terms_of, tiny_data, tiny_game
from torch import Tensor, nn

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.models.model import Model, label_conditions
from ganzoo.models.player import Player, Rates
from ganzoo.networks.critic import StockCritic
from ganzoo.objectives.adversarial import ADVERSARIAL

DATA = tiny_data((1, 28, 28))


class Plain(Model):
    """Noise alone.

    And a second paragraph.
    """

    name = "plain"

    def latent(self, data: DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(3))


class Everything(Model):
    """Every role."""

    name = "everything"

    def latent(self, data: DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(3), **label_conditions(data), style=Uniform(2, role="code"))


def made(model: Model, data: DataSpec = DATA) -> StockCritic:
    critic = model.critic(model.latent(data), data)
    assert isinstance(critic, StockCritic)
    return critic


def test_a_model_needs_a_latent_space() -> None:
    with pytest.raises(TypeError, match="abstract method"):
        Model()


def test_the_summary_is_the_first_line_of_the_documentation() -> None:
    assert Plain.summary() == "Noise alone."


def test_a_printed_model_shows_what_was_chosen() -> None:
    assert repr(Plain()) == "Plain()"
    assert repr(Plain(adversarial="hinge", r1=2)) == "Plain(adversarial='hinge', r1=2.0)"


def test_the_default_critic_sees_the_conditions_and_recognises_the_codes() -> None:
    critic = made(Everything(width=0.125))
    assert critic.condition_width == 3
    assert critic.recognition is not None
    assert list(critic.recognition.widths) == ["style"]
    bare = made(Plain(width=0.125))
    assert bare.condition_width == 0 and bare.recognition is None


def test_stock_critics_see_and_recognise_what_they_are_told_to() -> None:
    model = Everything(width=0.125)
    latent = model.latent(DATA)
    critic = model.stock_critic(latent, DATA, sees=NOTHING, recognises=latent.conditions)
    assert isinstance(critic, StockCritic) and critic.recognition is not None
    assert critic.condition_width == 0
    assert critic.recognition.widths == {"label": 3}


def test_the_networks_are_generator_and_critic_by_name() -> None:
    model = Everything(width=0.125)
    networks = model.networks(model.latent(DATA), DATA)
    assert sorted(networks) == ["critic", "generator"]
    samples = networks["generator"](model.latent(DATA).sample(4, 0).flat)
    assert samples.shape == (4, 1, 28, 28)


def test_the_default_game_is_critic_then_generator_with_the_options_rates() -> None:
    model = Plain(critic_lr=1e-4, generator_lr=3e-4, recognition_lr=5e-4, betas=(0.0, 0.9), critic_turns=3)
    assert model.players(NOTHING, DATA) == [
        Player(
            "critic",
            {"critic": Rates(1e-4, (0.0, 0.9)), "critic.recognition": Rates(5e-4, (0.0, 0.9))},
            turns=3,
        ),
        Player("generator", {"generator": Rates(3e-4, (0.0, 0.9))}),
    ]
    rates = Plain(critic_lr=1e-4).players(NOTHING, DATA)[0].owns
    assert rates["critic.recognition"] == rates["critic"] == Rates(1e-4, (0.5, 0.999))


@pytest.mark.parametrize("name", sorted(ADVERSARIAL))
def test_any_adversarial_loss_goes_with_any_penalty(name: str) -> None:
    objective = Plain(adversarial=name, gradient_penalty=10, r1=0.5).adversarial()
    assert repr(objective) == f"{ADVERSARIAL[name].__name__}() + 10 * GradientPenalty() + 0.5 * R1()"
    assert objective.per_sample


def test_penalties_that_were_not_asked_for_cost_nothing() -> None:
    objective = Plain().objective(NOTHING, DATA)
    assert repr(objective) == "NonSaturating()"
    assert not objective.per_sample


@pytest.mark.parametrize(
    ("options", "norm"),
    [
        ({}, "batch"),
        ({"r1": 1.0}, "layer"),
        ({"gradient_penalty": 10.0}, "layer"),
        ({"r1": 1.0, "critic_norm": "group"}, "group"),
        ({"critic_norm": "none"}, "none"),
        ({"r1": 1.0, "critic_norm": "batch"}, "batch"),  # refused when the game is built
    ],
)
def test_auto_gives_a_critic_that_judges_each_sample_alone_where_one_is_needed(
    options: dict[str, Any], norm: str
) -> None:
    model = Plain(**options)
    style = model.style(model.latent(DATA), DATA)
    assert style.critic_norm == norm
    assert style.generator_norm == "batch"


def test_the_style_is_that_of_the_options() -> None:
    model = Plain(width=0.5, generator_norm="group", spectral_norm=True)
    style = model.style(model.latent(DATA), DATA)
    assert (style.width, style.generator_norm, style.spectral_norm) == (0.5, "group", True)


@pytest.mark.parametrize("network", ["critic", "generator"])
def test_an_unknown_or_unfitting_family_of_networks_is_refused(network: str) -> None:
    def build(family: str) -> object:
        model = Plain(networks=family)
        return getattr(model, network)(model.latent(DATA), DATA)

    with pytest.raises(UsageError, match="no network family 'dcgna'; did you mean 'dcgan'"):
        build("dcgna")
    with pytest.raises(UsageError, match="networks that fit: infogan-slim, infogan-mnist, mlp"):
        build("dcgan")


def test_a_label_becomes_a_condition_with_its_classes_and_frequencies() -> None:
    assert label_conditions(DATA) == {
        "label": Categorical(3, role="condition", probs=(0.5, 0.3, 0.2), names=("class 0", "class 1", "class 2"))
    }


def test_without_labels_there_is_no_condition() -> None:
    with pytest.raises(UsageError, match="toys has no labels, and this model is conditional; choose a labelled"):
        label_conditions(tiny_data(frequencies=None))


class Encoded(Plain):
    """Three networks and three players, written as a plugin would."""

    name = "encoded"

    def networks(self, latent: LatentSpec, data: DataSpec) -> dict[str, nn.Module]:
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(data.numel, latent.width))
        return {**super().networks(latent, data), "encoder": encoder}

    def players(self, latent: LatentSpec, data: DataSpec) -> list[Player]:
        return [*super().players(latent, data), Player("encoder", {"encoder": Rates(1e-3)}, starts_at=0.5)]

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        class Reconstruction(Objective):
            def terms(self, player: str, round: Round) -> Iterator[Term]:
                if player == "encoder":
                    guess: Tensor = round.networks["encoder"](round.fakes)
                    yield Term("reconstruction", (guess - round.latents.flat).square().mean())

        return self.adversarial() + Reconstruction()


def test_a_model_may_bring_more_networks_and_players() -> None:
    game = tiny_game(Encoded)
    assert sorted(game.networks) == ["critic", "encoder", "generator"]
    assert [name for name, _ in game.parameters["encoder"]["encoder"]] == ["encoder.1.weight", "encoder.1.bias"]
    assert "encoder: encoder (Adam, lr 0.001), from 50% of the run" in str(game)
    terms = terms_of(game.objective, "encoder", game_round(game, "encoder"))
    assert list(terms) == ["reconstruction"]
    gradients = torch.autograd.grad(terms["reconstruction"].value, list(game.networks["encoder"].parameters()))
    assert all(gradient.ne(0).any() for gradient in gradients)
