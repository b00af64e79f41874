import importlib
from typing import Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.models.model import Model
from ganzoo.models.options import ModelOptions
from ganzoo.networks.stock import FAMILIES
from ganzoo.networks.style import NetworkStyle


class Sample(Model):
    """A model."""

    name = "sample"

    class Options(Model.Options):
        alternatives: ClassVar = {"latent": ("noise", "codes")}
        noise: int = Field(4, ge=1, description="noise")
        codes: int = Field(2, ge=0, description="codes")

    def latent(self, data: Any) -> LatentSpec:
        raise NotImplementedError


def refusal(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Sample(**options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nose": 3}, "there is no option of sample 'nose'; did you mean 'noise'?"),
        ({"xyzzy": 3}, "there is no option of sample 'xyzzy'; known: adversarial, augmentation, betas, "),
        ({"noise": 0}, "option noise: Input should be greater than or equal to 1 (got 0)"),
        ({"noise": "many"}, "option noise: Input should be a valid integer"),
        ({"width": 0}, "option width: Input should be greater than 0"),
        ({"width": float("inf")}, "option width: Input should be a finite number"),
        ({"r1": -1}, "option r1: Input should be greater than or equal to 0"),
        ({"gradient_penalty": float("nan")}, "option gradient_penalty: Input should be a finite number"),
        ({"adversarial": "hing"}, "option adversarial: Input should be 'non-saturating'"),
        ({"critic_norm": "instance"}, "option critic_norm: Input should be 'auto'"),
        ({"updates": "never"}, "option updates: Input should be 'alternating'"),
        ({"generator_lr": 0}, "option generator_lr: Input should be greater than 0"),
        ({"recognition_lr": -1.0}, "option recognition_lr: Input should be greater than 0"),
        ({"critic_turns": 0}, "option critic_turns: Input should be greater than or equal to 1"),
        ({"instance_noise": -0.1}, "option instance_noise: Input should be greater than or equal to 0"),
        ({"betas": (0.5, 1.0)}, "option betas must lie in [0, 1), not (0.5, 1.0)"),
        ({"betas": (-0.1, 0.9)}, "option betas must lie in [0, 1), not (-0.1, 0.9)"),
        ({"betas": (0.5,)}, "option betas"),
        ({"betas": (0.5, 0.9, 0.99)}, "option betas"),
    ],
)
def test_an_impossible_option_is_one_sentence(options: dict[str, Any], said: str) -> None:
    assert refusal(**options).startswith(said)


def test_two_ways_of_saying_the_latent_space_are_refused_together() -> None:
    text = "z: normal(3)"
    said = refusal(latent=text, noise=3, codes=1)
    assert said == "option latent already describes noise, codes; give one or the other (model sample)"
    assert refusal(latent=text, codes=2).startswith("option latent already describes codes;")
    assert Sample(latent=text).options.latent == text
    assert Sample(noise=3, latent=None).options.noise == 3
    assert Sample(latent=text, critic_turns=2).options.critic_turns == 2


def test_a_wasserstein_critic_must_be_lipschitz() -> None:
    assert "the wasserstein loss needs a Lipschitz critic; add gradient_penalty=10" in refusal(
        adversarial="wasserstein"
    )
    for lipschitz in ({"gradient_penalty": 10.0}, {"spectral_norm": True}, {"r1": 1.0}):
        assert Sample(adversarial="wasserstein", **lipschitz).options.adversarial == "wasserstein"


@pytest.mark.parametrize("betas", [(0.0, 0.9), [0.5, 0.999], (0, 0)])
def test_betas_are_two_numbers_from_zero_to_below_one(betas: Any) -> None:
    assert Sample(betas=betas).options.betas == tuple(betas)


def test_options_are_immutable_and_survive_json() -> None:
    options = Sample(noise=7, betas=(0.0, 0.9)).options
    with pytest.raises(ValidationError, match="frozen"):
        options.noise = 8
    assert Sample.Options.model_validate_json(options.model_dump_json()) == options


def test_options_may_be_given_whole_or_by_name() -> None:
    assert Sample(Sample.Options(noise=7)).options == Sample(noise=7).options


@pytest.mark.parametrize("plugin", ["ganzoo_gan", "ganzoo_cgan", "ganzoo_acgan", "ganzoo_infogan"])
def test_every_option_is_described_and_every_alternative_exists(plugin: str) -> None:
    for model in importlib.import_module(plugin).ganzoo_register_models():
        fields = model.Options.model_fields
        assert all(field.description for field in fields.values())
        assert set(ModelOptions.model_fields) <= set(fields)
        for whole, pieces in model.Options.alternatives.items():
            assert {whole, *pieces} <= set(fields)
            # Whatever only the default latent space uses would be ignored beside a latent text.
            assert "noise" in pieces


def test_the_choices_of_networks_are_those_that_exist() -> None:
    norms = ModelOptions.model_fields["critic_norm"].annotation.__args__
    possible = NetworkStyle.model_fields["critic_norm"].annotation.__args__
    assert set(norms) == {"auto", *possible}
    assert ModelOptions().networks == "auto" and "auto" not in FAMILIES
