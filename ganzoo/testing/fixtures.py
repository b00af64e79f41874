"""Fixtures for the tests of plugins, as a pytest plugin.

A ``conftest.py`` asks for them by ``pytest_plugins = ["ganzoo.testing.fixtures"]``; nobody gets them unasked.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from ganzoo.testing.data import TinyData

__all__ = ["CommandLine", "ganzoo_cli", "run_dir", "tiny_data"]

CommandLine = Callable[..., subprocess.CompletedProcess[str]]
_TIMEOUT = 300  # seconds, for a machine that is busy with other things


@pytest.fixture
def tiny_data() -> TinyData:
    """A data set of 96 labelled images of 1×16×16 in memory; other kinds are ``TinyData(shape=…)``."""
    return TinyData()


@pytest.fixture(scope="session")
def _finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import ganzoo

    out = tmp_path_factory.mktemp("runs")
    return ganzoo.train(
        "gan", data="mnist", images=64, batch=32, device="cpu", precision="fp32", out=out, width=0.125
    ).path


@pytest.fixture
def run_dir(_finished_run: Path, tmp_path: Path) -> Path:
    """The directory of a finished run of ``gan`` on MNIST, too short to be any good; a copy for each test."""
    return copytree(_finished_run, tmp_path / "runs" / _finished_run.name)


@pytest.fixture
def ganzoo_cli(tmp_path: Path) -> CommandLine:
    """Runs a command line as a user would: ``ganzoo_cli("sample", run_dir, "-n", 4)``.

    It runs in the test's own folder, in a process of its own, and returns what that printed and its exit
    status. Environment variables are given by name.
    """

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ganzoo", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
        )

    return run
