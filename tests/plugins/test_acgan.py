from typing import Any

import pytest
import torch
from helpers import game_round, terms_of, tiny_data, tiny_game, toy_samples

from ganzoo.core.data import LabelSpec, Samples
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal
from ganzoo_acgan import ACGAN

SHAPES = [(1, 4, 4), (1, 28, 28)]
LABEL = Categorical(3, role="condition", probs=(0.5, 0.3, 0.2), names=("class 0", "class 1", "class 2"))


def weights(player: str, **options: Any) -> dict[str, float]:
    game = tiny_game(ACGAN, **options)
    return {name: term.weight for name, term in terms_of(game.objective, player, game_round(game, player)).items()}


def test_the_latent_space_is_noise_and_the_datas_label() -> None:
    assert tiny_game(ACGAN).latent == LatentSpec(z=Normal(64), label=LABEL)
    assert tiny_game(ACGAN, noise=5).latent == LatentSpec(z=Normal(5), label=LABEL)


def test_without_labels_it_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^model acgan: data set toys has no labels, and this model is conditional"):
        tiny_game(ACGAN, tiny_data(frequencies=None))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_critic_recognises_the_class_and_does_not_see_it(shape: tuple[int, ...]) -> None:
    critic = tiny_game(ACGAN, tiny_data(shape)).networks["critic"].eval()
    samples = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    one, other = (critic(samples, torch.eye(3)[[index] * 4]) for index in (0, 1))
    assert torch.equal(one.realness, other.realness)
    assert list(one.recognised) == ["label"]
    assert one.recognised["label"].shape == (4, 3)


def test_the_head_returns_logits_of_either_sign() -> None:
    game = tiny_game(ACGAN)
    logits = game_round(game, "critic", n=48).real_verdict.recognised["label"]
    assert logits.lt(0).any() and logits.gt(0).any()


def test_terms_by_name() -> None:
    assert weights("critic") == weights("generator") == {"adversarial": 1.0, "class/label": 1.0}
    assert weights("critic", classify_fakes=True) == {
        "adversarial": 1.0,
        "class/label": 1.0,
        "fake_class/label": 1.0,
    }
    assert weights("generator", classify_fakes=True) == weights("generator")


def test_the_class_weight_multiplies_the_class_terms_alone() -> None:
    chosen = {"class_weight": 0.25, "classify_fakes": True, "r1": 2.0}
    assert weights("critic", **chosen) == {
        "adversarial": 1.0,
        "r1": 2.0,
        "class/label": 0.25,
        "fake_class/label": 0.25,
    }
    assert weights("generator", **chosen) == {"adversarial": 1.0, "class/label": 0.25}


def test_every_label_has_its_term() -> None:
    labels = {name: LabelSpec(classes=("no", "yes"), frequencies=(0.5, 0.5)) for name in ("hair", "hat")}
    game = tiny_game(ACGAN, tiny_data(labels=labels))
    terms = terms_of(game.objective, "critic", game_round(game, "critic"))
    assert list(terms) == ["adversarial", "class/hair", "class/hat"]


def test_a_few_labels_suffice() -> None:
    game = tiny_game(ACGAN)
    values, labels = toy_samples(game.data, 12)
    few = labels["label"].masked_fill(torch.arange(12) > 1, -1)
    round = game_round(game, "critic", samples=Samples(values, {"label": few}))
    game.networks["critic"].eval()
    term = terms_of(game.objective, "critic", round)["class/label"]
    expected = torch.nn.functional.cross_entropy(game.networks["critic"](values).recognised["label"][:2], few[:2])
    torch.testing.assert_close(term.value, expected)
    # The generator learns all classes nevertheless: those of unknown samples come from the prior.
    assert round.latents["label"].sum(dim=1).eq(1).all()


def test_the_class_gradient_reaches_generator_trunk_and_head() -> None:
    game = tiny_game(ACGAN)
    generator = terms_of(game.objective, "generator", game_round(game, "generator"))["class/label"]
    made = torch.autograd.grad(generator.value, list(game.networks["generator"].parameters()), allow_unused=True)
    assert sum(gradient is not None and gradient.ne(0).any().item() for gradient in made) >= len(made) - 3
    critic = game.networks["critic"]
    term = terms_of(game.objective, "critic", game_round(game, "critic"))["class/label"]
    for part, expected in ((critic.trunk, True), (critic.recognition, True), (critic.realness, False)):
        gradients = torch.autograd.grad(term.value, list(part.parameters()), retain_graph=True, allow_unused=True)
        assert any(gradient is not None and gradient.ne(0).any() for gradient in gradients) == expected


def test_the_latent_space_as_text() -> None:
    game = tiny_game(ACGAN, latent="noise: uniform(3), label: categorical(3) condition weight=0.5")
    terms = terms_of(game.objective, "critic", game_round(game, "critic"))
    assert terms["class/label"].weight == 0.5
    with pytest.raises(UsageError, match="latent already describes noise"):
        ACGAN(latent="z: normal(3)", noise=3)
