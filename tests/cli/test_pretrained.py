"""Runs that are part of ganzoo: here one that is made for the test, in a package of its own."""

from pathlib import Path

import pytest
from cli_helpers import Ganzoo, Trained, contents, one_sentence
from click.shell_completion import ShellComplete

import ganzoo.api as api
from ganzoo.cli.main import cli
from ganzoo.runs import pretrained
from ganzoo.zoo.catalogue import Catalogue, Weight
from ganzoo.zoo.manager import default_zoo

NAME = "toy-mnist"


@pytest.fixture
def package(
    trained: Trained, ganzoo: Ganzoo, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of such runs, with one in it, which ``registry.toml`` has the SHA-256 of."""
    from ganzoo.comparison.export import export

    folder = tmp_path_factory.mktemp("package")
    (file,) = export(api.open(trained.run).directory, folder / NAME, default_zoo()).manifest.files.values()
    weight = Weight(sha256=file.sha256, bytes=file.bytes)
    catalogue = Catalogue.read()
    registered = catalogue.model_copy(update={"weights": {**catalogue.weights, NAME: weight}})
    monkeypatch.setattr(pretrained, "FOLDER", folder)
    monkeypatch.setattr(Catalogue, "read", lambda *_, **__: registered)
    return folder


def test_it_is_drawn_from_in_an_empty_folder_and_stays_as_it_is(package: Path, ganzoo: Ganzoo) -> None:
    before = contents(package)
    assert ganzoo("sample", NAME).stdout.strip() == f"{NAME}/samples/sheet-seed0.png"
    # By now there is a folder of that name, which is no run.
    assert f"{NAME}/traversals/style-1.png" in ganzoo("traverse", NAME).stdout
    assert ganzoo("report", NAME).stdout.strip() == f"{NAME}/report.html"
    assert api.open(NAME).sample(3, category=1).shape == (3, 1, 28, 28)
    assert all(path.is_file() for path in map(Path, (f"{NAME}/samples/sheet-seed0.png", f"{NAME}/report.html")))
    assert contents(package) == before


def test_it_is_shown_and_mentioned_but_is_none_of_the_users_runs(package: Path, ganzoo: Ganzoo) -> None:
    assert "infogan@default on mnist" in ganzoo("show", NAME).stdout
    assert NAME in ganzoo("models").stdout
    assert NAME not in ganzoo("runs").stdout
    found = ShellComplete(cli, {}, "ganzoo", "_GANZOO_COMPLETE").get_completions(["sample"], "toy")
    assert [item.value for item in found] == [NAME]
    assert f"did you mean '{NAME}'?" in one_sentence(ganzoo("sample", "toy-mnits", code=2))


def test_a_users_own_run_of_the_name_wins(package: Path, ganzoo: Ganzoo) -> None:
    ganzoo("export", NAME, NAME)
    assert not pretrained.is_shipped(api.open(NAME).path)
    ganzoo("name", NAME, "--set", f"category={','.join('abcdefghij')}")
    assert api.open(NAME).latent["category"].names[0] == "a"
    assert api.open(package / NAME).latent["category"].names is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("eval", NAME), "ships its generator alone"),
        (("train", "--resume", NAME), "is part of ganzoo, its generator alone, and stays as it is"),
        (("name", NAME, "--set", f"category={','.join('abcdefghij')}"), "stays as it is"),
        (("name", NAME, "--clear"), "stays as it is"),
        (("runs", "rm", NAME, "--yes"), "stays as it is"),
        (("compare", NAME, "gan"), "ships its generator alone"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_would_change_it_is_one_sentence(
    command: tuple[str, ...], said: str, package: Path, ganzoo: Ganzoo
) -> None:
    before = contents(package)
    assert said in one_sentence(ganzoo(*command, code=1))
    assert contents(package) == before


@pytest.mark.parametrize("harm", ["changed", "longer", "absent"])
def test_weights_that_are_not_those_of_the_registry_are_one_sentence(harm: str, package: Path, ganzoo: Ganzoo) -> None:
    (file,) = package.rglob("averaged.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    if harm == "absent":
        file.unlink()
    else:
        file.write_bytes(content + (b"\0" if harm == "longer" else b""))
    for command in ("sample", "traverse", "report", "show"):
        said = one_sentence(ganzoo(command, NAME, code=1))
        assert said.startswith(f"the weights of {NAME} ")
        assert said.endswith("install ganzoo again")


def test_one_that_the_registry_does_not_know_is_refused(
    package: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Catalogue.read()
    monkeypatch.setattr(Catalogue, "read", lambda *_, **__: known.model_copy(update={"weights": {}}))
    assert "install ganzoo again" in one_sentence(ganzoo("sample", NAME, code=1))
