"""The package that an author starts from."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from helpers import game_round, terms_of, tiny_data

from ganzoo.core.errors import UsageError
from ganzoo.models.game import Game
from ganzoo.testing import package
from ganzoo.testing.package import FILES, write_package
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection

NAMES = {
    "hello-gan": "HelloGAN",
    "mixer": "MixerModel",
    "field": "FieldModel",
    "none": "NoneModel",
    "my2-fastgan": "My2FastGAN",
    "x": "XModel",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_package_is_whole_and_brings_its_model(name: str, tmp_path: Path) -> None:
    written = write_package(name, tmp_path)
    assert written == tmp_path / f"ganzoo-{name}"
    assert list(tmp_path.iterdir()) == [written]
    files = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    module = f"ganzoo_{name.replace('-', '_')}"
    assert files == {path.format(module=module, identifier=name.replace("-", "_")) for path in FILES}
    for file in files:
        text = (written / file).read_text(encoding="utf-8")
        assert not re.search(r"\{%|%\}|(?<!\$)\{\{", text), file
        if file.endswith(".py"):
            ast.parse(text)
    project = tomllib.loads((written / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["ganzoo"] == {name: module}
    (described,) = Catalogue.read(written / "src" / module / "registry.toml").models.items()
    assert (described[0], described[1].plugin) == (name, name)
    zoo = Zoo(selection=Selection(allow=frozenset()))
    assert zoo.register_file(written / "src" / module / "__init__.py").models == (name,)
    assert zoo.model(name).__name__ == NAMES[name]


def test_the_models_loss_is_that_of_its_paper(tmp_path: Path) -> None:
    source = write_package("hello-gan", tmp_path) / "src" / "ganzoo_hello_gan" / "__init__.py"
    zoo = Zoo(selection=Selection(allow=frozenset()))
    zoo.register_file(source)
    game = Game.build(zoo.model("hello-gan")(width=0.125, noise=3), tiny_data())
    for player, sign in (("critic", 1), ("generator", -1)):
        round = game_round(game, player)
        term = terms_of(game.objective, player, round)["adversarial"]
        ahead = sign * (round.real_verdict.realness - round.fake_verdict.realness)
        assert term.value.item() == pytest.approx(-ahead.sigmoid().log().mean().item(), abs=1e-5)
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize(
    "name",
    ["", "Hello", "hello_gan", "hello gan", "-gan", "gan-", "a--b", "2gan", "../evil", "a/b", "gän", "a\n", "x" * 41],
)
def test_a_bad_name_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot name a plugin; use small letters"):
        write_package(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(Catalogue.read().models))
def test_a_built_in_models_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose a name of your own"):
        write_package(name, tmp_path)


def test_the_packages_prefix_is_no_part_of_the_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave ganzoo- out of 'ganzoo-hello'"):
        write_package("ganzoo-hello", tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_already_stays(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "ganzoo-hello"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine", encoding="utf-8")
    else:
        target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already; choose another name"):
        write_package("hello", tmp_path)
    assert list(tmp_path.iterdir()) == [target]
    assert kind != "file" or target.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .* make it first"):
        write_package("hello", tmp_path / "absent")


def test_a_package_that_cannot_be_finished_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "FILES", {**FILES, "pyproject.toml/never": "README.md.j2"})
    with pytest.raises(OSError, match=r"pyproject\.toml"):
        write_package("hello", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_others_may_read_it(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert write_package("hello", tmp_path).stat().st_mode == plain.stat().st_mode
