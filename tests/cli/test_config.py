import json
import tomllib
from pathlib import Path

from cli_helpers import Ganzoo, one_sentence


def test_every_value_has_its_origin(ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "ganzoo.toml").write_text("[train]\nbatch = 16\n[models.infogan]\nnoise = 20\n")
    (tmp_path / "mine.toml").write_text("[options]\nr1 = 0.5\n[models.gan]\nnoise = 1\n")
    line = ["config", "infogan@paper", "--config", "mine.toml", "--images", "5k", "-o", "width=0.5", "--json"]
    settings = json.loads(ganzoo(*line).stdout)
    assert settings["batch"] == {"value": 16, "origin": "ganzoo.toml"}
    assert settings["options.noise"] == {"value": 20, "origin": "ganzoo.toml"}
    assert settings["options.r1"] == {"value": 0.5, "origin": "mine.toml"}
    assert settings["images"] == {"value": 5000, "origin": "--images"}
    assert settings["options.width"] == {"value": 0.5, "origin": "-o width=0.5"}
    assert settings["options.generator_lr"]["origin"] == "recipe infogan@paper"
    assert settings["seed"] == {"value": 0, "origin": "default"}


def test_what_is_printed_is_a_settings_file_that_says_the_same(ganzoo: Ganzoo, tmp_path: Path) -> None:
    printed = ganzoo("config", "infogan", "--images", "5k", "-o", "categories=[10, 3]").stdout
    assert tomllib.loads(printed)["models"]["infogan"]["categories"] == [10, 3]
    (tmp_path / "again.toml").write_text(printed)
    again = ganzoo("config", "infogan", "--config", "again.toml").stdout
    assert tomllib.loads(again) == tomllib.loads(printed)


def test_a_whole_latent_space_drops_the_options_that_it_replaces(ganzoo: Ganzoo, tmp_path: Path) -> None:
    line = ["config", "infogan", "-o", "latent=z: normal(4), category: categorical(3) code"]
    options = tomllib.loads(ganzoo(*line).stdout)["models"]["infogan"]
    assert options["latent"] == "z: normal(4), category: categorical(3) code"
    assert "noise" not in options


def test_a_model_is_needed(ganzoo: Ganzoo) -> None:
    assert "MODEL" in one_sentence(ganzoo("config", code=2))
