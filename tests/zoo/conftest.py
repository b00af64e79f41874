"""Real distributions on the path."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import plugin_sites
import pytest

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install("some-dist", some_module="source", ...)``, as ``plugin_sites.install_into`` has it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    shadowed: dict[str, ModuleType | None] = {}

    def write(
        distribution: str, *, entry_points: str | None = None, fragment: str | bytes | None = None, **modules: str
    ) -> Path:
        shadowed.update({module: sys.modules.pop(module, None) for module in modules})
        return plugin_sites.install_into(site, distribution, entry_points=entry_points, fragment=fragment, **modules)

    yield write
    for module, before in shadowed.items():
        sys.modules.pop(module, None)
        if before is not None:
            sys.modules[module] = before


@pytest.fixture(autouse=True)
def every_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOAD", "DISABLE", "STRICT"):
        monkeypatch.delenv(f"GANZOO_{name}_PLUGINS", raising=False)


@pytest.fixture
def model_source() -> Callable[..., str]:
    """Source of a plugin module with one model for each name."""
    return plugin_sites.model_source
