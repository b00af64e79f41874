import shutil
from pathlib import Path
from typing import Any

import pytest
from comparison_helpers import toy_zoo
from training_helpers import start

import ganzoo
from ganzoo.comparison.entrants import Contender, options_by_label, understood
from ganzoo.core.errors import UsageError
from ganzoo.zoo.manager import Zoo


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("entrants")
    start(folder, "gan")
    return folder


@pytest.fixture(scope="module")
def zoo() -> Zoo:
    return toy_zoo()


def names(zoo: Zoo, root: Path, *entrants: Any) -> list[str]:
    return [contender.label for contender in understood(entrants, zoo, root)]


def test_models_recipes_and_runs(zoo: Zoo, root: Path) -> None:
    asked = ["gan", "infogan@paper", "1"]
    gan, infogan, run = understood(asked, zoo, root)
    assert (gan.label, gan.run, gan.clash) == ("gan", None, "")
    assert (infogan.label, infogan.model.name) == ("infogan@paper", "infogan")
    assert run.label == "00001-gan-toys"
    assert run.run is not None and run.run.path == root / "00001-gan-toys"


@pytest.mark.parametrize("text", ["latest", "00001", "00001-gan-toys"])
def test_a_run_by_any_of_its_names(text: str, zoo: Zoo, root: Path) -> None:
    assert names(zoo, root, text) == ["00001-gan-toys"]
    assert names(zoo, root, str(root / "00001-gan-toys")) == ["00001-gan-toys"]


def test_a_class_joins_the_zoo(root: Path) -> None:
    class Mine(ganzoo.Model):
        """A model."""

        name = "mine"

        def latent(self, data: Any) -> Any:
            return ganzoo.LatentSpec(z=ganzoo.Normal(2))

    assert names(toy_zoo(), root, Mine) == ["mine"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((), "compare needs models or runs"),
        (("",), "not empty text"),
        (("infogam",), "there is no model 'infogam'; did you mean 'infogan' or 'infogan-cr'?"),
        (("7",), "there is no run '7'"),
        (("nowhere/00001-gan-toys",), "there is no run directory"),
        (("gan", "cgan", "gan"), "gan is named twice"),
        (("1", "latest"), "00001-gan-toys is named twice"),
    ],
)
def test_what_cannot_take_part(asked: tuple[str, ...], sentence: str, zoo: Zoo, root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        understood(asked, zoo, root)
    assert sentence in str(caught.value)


def test_a_model_wins_over_a_folder_of_its_name(
    zoo: Zoo, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root / "00001-gan-toys", tmp_path / "gan")
    monkeypatch.chdir(tmp_path)
    [model] = understood(["gan"], zoo, root)
    assert model.run is None
    assert model.clash == "gan means the model here; the run directory of that name is ./gan"
    [run] = understood(["./gan"], zoo, root)
    assert run.run is not None


@pytest.fixture
def contenders(zoo: Zoo, root: Path) -> list[Contender]:
    return understood(["gan", "infogan", "infogan@paper", "1"], zoo, root)


def test_an_option_goes_to_whom_it_is_for(contenders: list[Contender]) -> None:
    items = [
        "gan.noise=3",
        "infogan.styles=1",
        "infogan@paper.styles=3",
        "width=0.5",
        "categories=[4]",
        "gan.noise=a.b=c",
    ]
    assert options_by_label(contenders, items) == {
        "gan": ("noise=3", "width=0.5", "noise=a.b=c"),
        "infogan": ("styles=1", "width=0.5", "categories=[4]"),
        "infogan@paper": ("styles=3", "width=0.5", "categories=[4]"),
    }


def test_a_model_that_is_not_there_by_its_name_alone_is_meant_by_it(zoo: Zoo, root: Path) -> None:
    contenders = understood(["infogan@paper", "infogan@default"], zoo, root)
    assert set(options_by_label(contenders, ["infogan.styles=1"]).values()) == {("styles=1",)}


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("noise", "takes [model.]key=value"),
        ("=3", "takes [model.]key=value"),
        ("noize=3", "there is no option 'noize' in any model of this comparison; did you mean 'noise'"),
        ("cgan.noise=3", "there is no model 'cgan' in this comparison"),
        ("00001-gan-toys.noise=3", "is trained already"),
    ],
)
def test_an_option_for_nobody(item: str, sentence: str, contenders: list[Contender]) -> None:
    with pytest.raises(UsageError) as caught:
        options_by_label(contenders, [item])
    assert sentence in str(caught.value)
