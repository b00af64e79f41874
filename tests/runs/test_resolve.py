import json
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ganzoo.core.errors import UsageError
from ganzoo.runs.config import RunConfig
from ganzoo.runs.resolve import resolve
from ganzoo.runs.settings import Layer, flag_layer, option_layer


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    alternatives: ClassVar[dict[str, tuple[str, ...]]] = {"latent": ("noise", "categories")}

    latent: str | None = None
    noise: int = Field(62, ge=1)
    categories: tuple[int, ...] = (10,)
    adversarial: Literal["hinge", "wasserstein"] = "hinge"
    r1: float = 0.0

    @model_validator(mode="after")
    def _agree(self):
        if self.adversarial == "wasserstein" and self.r1:
            raise ValueError("r1 is no penalty for wasserstein: leave one out")
        return self


ASKED = Layer("the command line", {"model": "infogan", "data": "mnist", "recipe": "default"})
RECIPE = Layer("recipe infogan@default", {"images": 640_000, "batch": 128, "options.noise": 32})


def resolved(*layers):
    return resolve([ASKED, *layers], Options)


def test_defaults_alone_make_a_whole_configuration():
    config, origins = resolved()
    assert config.options == {
        "latent": None,
        "noise": 62,
        "categories": [10],
        "adversarial": "hinge",
        "r1": 0.0,
    }
    assert (config.images, config.batch, config.seed, config.device) == (640_000, 128, 0, "auto")
    schedule = (config.schedule, config.half_life, config.tick, config.save_every)
    assert schedule == (640_000, 10_000, 6_400, 64_000)
    assert origins["model"] == "the command line"
    assert origins["options.noise"] == origins["batch"] == "default"
    assert origins["tick"] == "from images"
    assert set(origins) == set(config.flat())


def test_the_last_layer_counts_and_every_value_knows_its_origin():
    file = Layer("ganzoo.toml", {"batch": 64, "options.adversarial": "wasserstein", "seed": 3})
    config, origins = resolved(
        RECIPE,
        file,
        Layer("--config x.toml", {"images": "1M"}),
        flag_layer({"batch": "32", "tick": "1k"}),
        option_layer(["noise=3", "noise=4"]),
    )
    assert (config.images, config.batch, config.tick, config.seed) == (1_000_000, 32, 1_000, 3)
    assert config.options["noise"] == 4
    assert {key: origins[key] for key in ("images", "batch", "seed", "recipe", "save_every")} == {
        "images": "--config x.toml",
        "batch": "--batch",
        "seed": "ganzoo.toml",
        "recipe": "the command line",
        "save_every": "from images",
    }
    assert origins["options.noise"] == "-o noise=4"
    assert origins["options.adversarial"] == "ganzoo.toml"
    assert resolved(RECIPE)[1]["options.noise"] == "recipe infogan@default"


def test_options_are_complete_plain_and_make_the_same_options_again():
    config, _ = resolved(option_layer(["categories=[10, 5]", "r1=1"]))
    assert json.loads(json.dumps(config.options)) == config.options
    assert Options(**config.options) == Options(categories=(10, 5), r1=1.0)


def test_data_options_pass_through_with_their_origin():
    config, origins = resolved(option_layer(["size=64"], "--data-option", "data_options"))
    assert config.data_options == {"size": 64}
    assert origins["data_options.size"] == "--data-option size=64"


def test_a_later_alternative_drops_the_earlier_one_in_either_direction():
    config, origins = resolved(RECIPE, option_layer(["latent=z: normal(8)"]))
    assert config.options == {"latent": "z: normal(8)", "adversarial": "hinge", "r1": 0.0}
    assert "options.noise" not in origins

    config, _ = resolved(Layer("ganzoo.toml", {"options.latent": "z: normal(8)"}), option_layer(["noise=5"]))
    assert config.options["noise"] == 5
    assert config.options["categories"] == [10]
    assert config.options.get("latent") is None


def test_both_alternatives_in_one_layer_are_refused():
    with pytest.raises(UsageError, match=r"noise and latent say the same thing twice \(-o noise=3 and -o latent"):
        resolved(option_layer(["noise=3", "latent=z: normal(8)"]))
    with pytest.raises(UsageError, match=r"twice \(ganzoo\.toml\): give one"):
        resolved(Layer("ganzoo.toml", {"options.latent": "z: normal(8)", "options.categories": [3]}))


def test_no_value_is_no_side_of_an_alternative():
    config, _ = resolved(Layer("arguments", {"options.latent": None, "options.noise": 5}))
    assert config.options["noise"] == 5


@pytest.mark.parametrize("items", [[], ["noise=5"], ["latent=z: normal(8)"]])
def test_a_stored_configuration_resolves_to_itself(items):
    first, _ = resolved(RECIPE, option_layer(items))
    stored = Layer("00012-infogan-mnist", RunConfig.model_validate_json(first.model_dump_json()).flat())
    again, _ = resolve([stored], Options)
    assert first.difference(again) == {}
    raised, _ = resolve([stored, flag_layer({"images": "2M"})], Options)
    assert first.difference(raised) == {"images": (640_000, 2_000_000)}


def test_an_unknown_option_says_where_and_what_was_meant():
    with pytest.raises(UsageError, match=r"^-o nosie=3: there is no option of infogan 'nosie'; did you mean 'noise'\?"):
        resolved(option_layer(["nosie=3"]))


def test_an_impossible_option_says_where():
    with pytest.raises(UsageError, match=r"^-o noise=0: option of infogan, noise: .* equal to 1 \(got 0\)$"):
        resolved(option_layer(["noise=0"]))


def test_options_that_do_not_go_together_are_one_sentence():
    with pytest.raises(UsageError, match=r"^option of infogan, r1 is no penalty for wasserstein: leave one out$"):
        resolved(option_layer(["adversarial=wasserstein", "r1=1"]))


def test_impossible_settings_say_where():
    with pytest.raises(UsageError, match=r"^batch \(--batch\) must be a whole number above 0"):
        resolved(flag_layer({"batch": "-3"}))
    with pytest.raises(UsageError, match=r"^ganzoo\.toml: precision: Input should be 'auto', 'fp32' or 'bf16'"):
        resolved(Layer("ganzoo.toml", {"precision": "fp8"}))
    with pytest.raises(UsageError, match="there is no setting 'bacth'; did you mean 'batch'"):
        resolved(Layer("arguments", {"bacth": 3}))
    with pytest.raises(UsageError, match="data: Field required"):
        resolve([Layer("arguments", {"model": "gan"})], Options)
