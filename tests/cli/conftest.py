import shutil
from pathlib import Path

import pytest
from cli_helpers import TINY, Ganzoo, Trained, called
from click.testing import CliRunner, Result

from ganzoo.cli.main import cli


@pytest.fixture
def ganzoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ganzoo:
    """The command line in this process, in an empty folder; fails on anything but a clean end."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object, code: int = 0, answer: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=answer)
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    return Trained(folder / "runs", called("train", "infogan", *TINY, cwd=folder))


@pytest.fixture
def runs(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained run's root, to be changed, where the commands look for it."""
    return Path(shutil.copytree(trained.root, tmp_path / "runs"))
