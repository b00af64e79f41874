from pathlib import Path

import click
import pytest
from cli_helpers import Ganzoo

from ganzoo.cli.main import cli
from ganzoo.cli.options import DATASETS, find_run, is_folder
from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.manager import default_zoo


def completions(*words: str) -> list[str]:
    """What the shell is offered for the last of the words."""
    from click.shell_completion import ShellComplete

    complete = ShellComplete(cli, {}, "ganzoo", "_GANZOO_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_commands_are_completed() -> None:
    assert completions("tra") == ["train", "traverse"]


def test_models_and_their_recipes_are_completed_from_the_catalogue() -> None:
    assert completions("train", "") == list(Catalogue.read().models)
    assert completions("train", "info") == ["infogan", "infogan-cr"]
    assert completions("train", "infogan@p") == ["infogan@paper"]
    assert completions("train", "nothing@") == []


def test_a_damaged_catalogue_completes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Catalogue:
        raise UsageError("damaged")

    monkeypatch.setattr(Catalogue, "read", read)
    assert completions("train", "info") == []


def test_data_sets_are_completed_and_then_folders() -> None:
    assert completions("train", "gan", "--data", "mni") == ["mnist"]
    assert completions("train", "gan", "--data", "./mni") == ["./mni"]


def test_the_data_sets_that_are_completed_are_the_built_in_ones() -> None:
    built_in = next(plugin for plugin in default_zoo().plugins() if plugin.builtin and plugin.name == "datasets")
    assert set(DATASETS) == set(built_in.datasets) - {"folder"}


def test_runs_are_completed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("00001-gan-mnist", "00002-cgan-mnist", "unfinished"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    for name in ("00001-gan-mnist", "00002-cgan-mnist"):
        (tmp_path / "runs" / name / "run.json").touch()
    monkeypatch.chdir(tmp_path)
    assert completions("sample", "") == ["latest", "00001-gan-mnist", "00002-cgan-mnist", "infogan-mnist"]
    assert completions("runs", "rm", "00002") == ["00002-cgan-mnist"]
    assert completions("train", "--resume", "lat") == ["latest"]
    assert completions("sample", "runs/") == ["runs/"]
    assert "00001-gan-mnist" in completions("show", "0")
    monkeypatch.chdir(tmp_path / "runs")
    assert completions("sample", "--runs", str(tmp_path / "runs"), "00001") == ["00001-gan-mnist"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_calls_the_command(shell: str, ganzoo: Ganzoo) -> None:
    assert f"_GANZOO_COMPLETE={shell}_complete" in ganzoo("completion", shell).stdout


def test_another_shell_is_refused(ganzoo: Ganzoo) -> None:
    ganzoo("completion", "csh", code=2)


@pytest.mark.parametrize("name", ["latest", "1", "00001", "00001-infogan-mnist", "runs/00001-infogan-mnist"])
def test_a_run_is_found_by_any_of_its_names(name: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.parent)
    assert find_run(name, "runs").resolve() == runs / "00001-infogan-mnist"


def test_the_latest_of_no_runs_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run in .* yet; `ganzoo train"):
        find_run("latest", str(tmp_path))


@pytest.mark.parametrize(
    ("out", "endings", "expected"),
    [
        ("grid.png", (), False),
        ("samples", (), True),
        ("samples.d", (), True),
        ("grid.png/", (), True),
        ("film.gif", (".png", ".gif"), False),
        ("GRID.PNG", (), False),
    ],
)
def test_what_out_means(out: str, endings: tuple[str, ...], expected: bool) -> None:
    assert is_folder(out, *endings) is expected


def test_a_folder_that_exists_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "odd.png").mkdir()
    assert is_folder(str(tmp_path / "odd.png"))


@pytest.mark.parametrize("out", ["a.jpg", "film.gif", "page.pdf"])
def test_a_file_of_another_kind_is_refused(out: str) -> None:
    with pytest.raises(UsageError, match=r"end it in \.png"):
        is_folder(out)


def test_data_root_reaches_the_data_set_as_text(monkeypatch: pytest.MonkeyPatch, ganzoo: Ganzoo) -> None:
    asked = {}

    def configure(model: str, **others: object) -> None:
        asked.update(others)
        raise UsageError("enough")

    monkeypatch.setattr("ganzoo.api.configure", configure)
    line = ["--data", "svhn", "-d", "labels=100", "--data-root", "2024", "--images", "5k", "-o", "noise=3"]
    ganzoo("config", "gan", *line, code=2)
    assert asked == {
        "data": "svhn",
        "flags": {"images": "5k"},
        "options": ("noise=3",),
        "data_options": ("labels=100", 'root="2024"'),
        "config": None,
    }


def test_the_group_of_commands_has_no_argument_that_is_shown_twice() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        names = [option for param in command.params for option in param.opts]
        assert len(names) == len(set(names))
