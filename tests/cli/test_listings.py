import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence
from plugin_sites import install_into

import ganzoo as package
from ganzoo.cli.options import DATASETS
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo, default_zoo


class Fifth(package.Model):
    """A model that no catalogue lists."""

    name = "fifth"

    def latent(self, data: package.DataSpec) -> package.LatentSpec:
        return package.LatentSpec(z=package.Normal(4))


class Plugin:
    @hookimpl
    def ganzoo_register_models(self) -> list[type[package.Model]]:
        return [Fifth]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Zoo], Zoo]]:
    """Puts a zoo in the place of the process's own, whatever has been imported before."""

    def put(zoo: Zoo) -> Zoo:
        importlib.import_module("ganzoo.api")  # annotations in what it imports need the class itself
        default_zoo.cache_clear()
        monkeypatch.setattr("ganzoo.zoo.manager.Zoo", lambda: zoo)
        return default_zoo()

    yield put
    default_zoo.cache_clear()


def test_models(ganzoo: Ganzoo) -> None:
    printed = ganzoo("models").stdout
    for name, entry in Catalogue.read().models.items():
        (line,) = (line for line in printed.splitlines() if line.split()[:1] == [name])
        assert entry.summary in line
        assert entry.paper is None or str(entry.paper.year) in line


def test_models_as_json(ganzoo: Ganzoo) -> None:
    described = {model["name"]: model for model in json.loads(ganzoo("models", "--json").stdout)}
    assert set(described) == set(Catalogue.read().models)
    assert described["infogan"]["paper"]["arxiv"] == "1606.03657"
    assert "paper" in described["infogan"]["recipes"]["mnist"]


def test_a_model_that_no_catalogue_lists_is_listed_and_shown(ganzoo: Ganzoo, use: Callable[[Zoo], Zoo]) -> None:
    use(Zoo()).register(Plugin(), "fifth-plugin")
    described = {model["name"]: model for model in json.loads(ganzoo("models", "--json").stdout)}
    assert described["fifth"]["summary"] == "A model that no catalogue lists."
    assert described["fifth"]["paper"] is None
    printed = ganzoo("show", "fifth", "-o", "width=0.125").stdout
    assert "A model that no catalogue lists." in printed
    assert "normal(4)" in printed


FRAGMENT = """
[models.sixth]
plugin = "sixth_plugin"
summary = "A model that its own package lists."
paper = { title = "Sixths", authors = ["A. Author"], year = 2001, arxiv = "2001.00001" }
[models.sixth.recipes.mnist]
default = { images = 1000, batch = 10 }
paper = { images = 9000, batch = 20, options = { width = 0.125 }, note = "Long." }
"""
SIXTH = """
import ganzoo
class Sixth(ganzoo.Model):
    'A docstring.'
    name = "sixth"
    def latent(self, data): return ganzoo.LatentSpec(z=ganzoo.Normal(4))
@ganzoo.hookimpl
def ganzoo_register_models(): return [Sixth]
"""


@pytest.fixture
def sixth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed plugin with a fragment; the path appears when it is imported."""
    monkeypatch.delenv("GANZOO_LOAD_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield install_into(tmp_path, "sixth-dist", fragment=FRAGMENT, sixth_plugin=SIXTH)
    sys.modules.pop("sixth_plugin", None)


def test_a_model_that_its_plugins_fragment_describes_is_listed_without_an_import(
    ganzoo: Ganzoo, use: Callable[[Zoo], Zoo], sixth: Path
) -> None:
    use(Zoo())
    described = {model["name"]: model for model in json.loads(ganzoo("models", "--json").stdout)}
    assert described["sixth"] == {
        "name": "sixth",
        "summary": "A model that its own package lists.",
        "paper": {"title": "Sixths", "authors": ["A. Author"], "year": 2001, "arxiv": "2001.00001"},
        "recipes": {"mnist": ["default", "paper"]},
    }
    (line,) = (line for line in ganzoo("models").stdout.splitlines() if line.split()[:2] == ["sixth", "2001"])
    assert "default paper" in line
    assert not sixth.exists()


@pytest.mark.parametrize("asked", ["sixth@paper", "sixth-dist:sixth@paper"])
def test_the_recipes_of_a_fragment_are_used(asked: str, ganzoo: Ganzoo, use: Callable[[Zoo], Zoo], sixth: Path) -> None:
    use(Zoo())
    shown = json.loads(ganzoo("show", asked, "--data", "mnist", "--json").stdout)
    assert shown["summary"] == "A model that its own package lists."
    config = shown["built"]["config"]
    assert (config["images"], config["batch"], config["recipe"]) == (9000, 20, "paper")
    assert config["options"]["width"] == 0.125
    assert sixth.exists()


def test_a_malformed_fragment_is_a_remark_in_the_list_of_plugins(
    ganzoo: Ganzoo, use: Callable[[Zoo], Zoo], sixth: Path
) -> None:
    (sixth.parent / "sixth_plugin" / "registry.toml").write_text("[models.sixth]\nplugin = 6\n")
    use(Zoo())
    (line,) = (line for line in ganzoo("plugins").stdout.splitlines() if line.split()[:1] == ["sixth_plugin"])
    assert "loaded" in line
    assert "not used: the registry sixth_plugin/registry.toml is wrong at models.sixth.plugin: Input should" in line
    described = {model["name"]: model for model in json.loads(ganzoo("models", "--json").stdout)}
    assert described["sixth"]["summary"] == "A docstring."


def test_datasets(ganzoo: Ganzoo) -> None:
    printed = ganzoo("datasets").stdout
    described = {each["name"]: each for each in json.loads(ganzoo("datasets", "--json").stdout)}
    assert set(DATASETS) <= set(described)
    assert all(name in printed for name in described)
    assert described["mnist"]["offline"] is True
    assert described["svhn"]["offline"] is False
    assert described["folder"]["options"]["size"]["default"] == 64


def test_plugins(ganzoo: Ganzoo) -> None:
    described = {each["name"]: each for each in json.loads(ganzoo("plugins", "--json").stdout)}
    assert described["gan"] | {"version": ""} == {
        "name": "gan",
        "distribution": "ganzoo",
        "version": "",
        "builtin": True,
        "state": "loaded",
        "reason": "",
        "seconds": 0,
        "models": ["gan"],
        "datasets": [],
        "metrics": [],
        "extractors": [],
        "commands": [],
        "observes": False,
    }
    assert "frechet" in described["evaluation"]["metrics"]
    printed = ganzoo("plugins").stdout
    assert all(name in printed for name in described)


def test_a_plugin_that_is_left_out_says_why(
    ganzoo: Ganzoo, use: Callable[[Zoo], Zoo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", "gan")
    use(Zoo())
    (line,) = (line for line in ganzoo("plugins").stdout.splitlines() if line.split()[:1] == ["gan"])
    assert "disabled" in line
    assert "GANZOO_DISABLE_PLUGINS" in line
    assert "GANZOO_DISABLE_PLUGINS" in one_sentence(ganzoo("train", "gan", code=2))


def test_a_malformed_catalogue_says_where(
    ganzoo: Ganzoo, use: Callable[[Zoo], Zoo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "registry.toml"
    file.write_text('[models.gan]\nplugin = "gan"\nsumary = "x"\n')
    read = Catalogue.read
    monkeypatch.setattr(Catalogue, "read", lambda path=None: read(file))
    use(Zoo())
    for line in (["models"], ["train", "gan"], ["show", "gan"]):
        sentence = one_sentence(ganzoo(*line, code=2))
        assert str(file) in sentence
        assert "did you mean 'summary'?" in sentence
