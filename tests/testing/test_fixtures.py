"""The kit's fixtures, as a stranger's tests get them."""

from pathlib import Path

from ganzoo import api
from ganzoo.testing.data import TinyData
from ganzoo.testing.fixtures import CommandLine, _finished_run, ganzoo_cli, run_dir, tiny_data

__all__ = ["_finished_run", "ganzoo_cli", "run_dir", "tiny_data"]


def test_tiny_data_are_labelled_images(tiny_data: TinyData) -> None:
    assert tiny_data.spec.shape == (1, 16, 16)
    assert len(tiny_data.split("train")) == tiny_data.spec.size == 96


def test_a_run_directory_is_a_finished_run(run_dir: Path) -> None:
    assert api.open(run_dir).sample(2).shape == (2, 1, 28, 28)
    (run_dir / "mark").touch()


def test_each_test_has_a_run_directory_of_its_own(run_dir: Path) -> None:
    assert not (run_dir / "mark").exists()


def test_the_command_line_is_a_users(ganzoo_cli: CommandLine, run_dir: Path, tmp_path: Path) -> None:
    done = ganzoo_cli("show", run_dir, GANZOO_LOAD_PLUGINS="")
    assert done.returncode == 0, done.stderr
    assert "gan" in done.stdout
    failed = ganzoo_cli("sample", tmp_path / "absent")
    assert failed.returncode != 0
    assert failed.stderr.startswith("Error: ")
