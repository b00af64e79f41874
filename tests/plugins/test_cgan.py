import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game, toy_samples

from ganzoo.core.data import LabelSpec, Samples
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal
from ganzoo_cgan import CGAN

SHAPES = [(1, 4, 4), (1, 28, 28)]  # concatenated, and projected
NAMES = ("class 0", "class 1", "class 2")


def test_the_latent_space_is_noise_and_the_datas_label() -> None:
    label = Categorical(3, role="condition", probs=(0.5, 0.3, 0.2), names=NAMES)
    assert tiny_game(CGAN).latent == LatentSpec(z=Normal(64), label=label)
    assert tiny_game(CGAN, noise=5).latent == LatentSpec(z=Normal(5), label=label)


def test_every_label_of_the_data_is_a_condition() -> None:
    labels = {name: LabelSpec(classes=("no", "yes"), frequencies=(0.5, 0.5)) for name in ("hair", "hat")}
    assert tiny_game(CGAN, tiny_data(labels=labels)).latent.conditions.names == ("hair", "hat")


def test_without_labels_it_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^model cgan: data set toys has no labels, and this model is conditional"):
        tiny_game(CGAN, tiny_data(frequencies=None))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_critic_sees_the_condition_and_recognises_nothing(shape: tuple[int, ...]) -> None:
    critic = tiny_game(CGAN, tiny_data(shape)).networks["critic"].eval()
    samples = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    one, other = (critic(samples, torch.eye(3)[[index] * 3]) for index in (0, 1))
    assert not torch.isclose(one.realness, other.realness).any()
    assert one.recognised == {}


@pytest.mark.parametrize("shape", SHAPES)
def test_real_samples_are_judged_with_their_own_labels_and_fakes_with_theirs(shape: tuple[int, ...]) -> None:
    game = tiny_game(CGAN, tiny_data(shape))
    critic = game.networks["critic"].eval()
    round = game_round(game, "critic")
    own = torch.eye(3)[round.real.labels["label"]]
    assert torch.equal(round.real_verdict.realness, critic(round.real.values, own).realness)
    assert torch.equal(round.fake_verdict.realness, critic(round.fakes, round.latents["label"]).realness)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_generator_makes_another_sample_of_another_class(shape: tuple[int, ...]) -> None:
    game = tiny_game(CGAN, tiny_data(shape))
    generator = game.networks["generator"].eval()
    one, other = (generator(game.latent.sample(2, 0, given={"label": name}).flat) for name in NAMES[:2])
    assert not torch.equal(one, other)


def test_each_player_has_its_adversarial_term() -> None:
    game = tiny_game(CGAN)
    for player in ("critic", "generator"):
        assert list(terms_of(game.objective, player, game_round(game, player))) == ["adversarial"]


def test_samples_without_a_label_are_judged_without_one() -> None:
    game = tiny_game(CGAN)
    values, labels = toy_samples(game.data, 6)
    unknown = labels["label"].masked_fill(torch.arange(6) < 4, -1)
    round = game_round(game, "critic", samples=Samples(values, {"label": unknown}))
    assert round.real_condition is not None and round.real_condition[:4].eq(0).all()
    assert round.real_condition[4:].sum().item() == 2
    (term,) = game.objective.terms("critic", round)
    assert term.value.isfinite()


def test_the_latent_space_as_text() -> None:
    game = tiny_game(CGAN, latent="noise: uniform(3), label: categorical(3) condition")
    assert game.latent["label"].names == NAMES
    assert game.networks["critic"].condition_width == 3
    with pytest.raises(UsageError, match="latent already describes noise"):
        CGAN(latent="z: normal(3)", noise=3)
