import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_helpers import TINY, Ganzoo, Trained, called
from click.testing import CliRunner, Result

from ganzoo.cli.main import cli
from ganzoo.zoo.manager import default_zoo


@pytest.fixture
def ganzoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ganzoo]:
    """The command line in this process, in an empty folder; fails on anything but a clean end."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object, code: int = 0, answer: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=answer)
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    yield invoke
    for name in [name for name in sys.modules if name.startswith("ganzoo_plugin_file_")]:
        del sys.modules[name]
        default_zoo.cache_clear()  # a process's zoo ends with it, and this one is every test's


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    return Trained(folder / "runs", called("train", "infogan", *TINY, cwd=folder))


@pytest.fixture
def runs(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the trained run's root, to be changed, where the commands look for it."""
    return Path(shutil.copytree(trained.root, tmp_path / "runs"))
