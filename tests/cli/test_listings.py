import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence

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
