"""Real distributions on the path: a dist-info folder with an entry point, beside the modules it names."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install("some-dist", some_module="source", ...)``: an entry point for each module, of the same name.

    Returns a path that each of the modules creates when it is imported.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    written: list[str] = []

    def write(distribution: str, *, entry_points: str | None = None, **modules: str) -> Path:
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        points = "\n".join(f"{module} = {module}" for module in modules)
        text = f"[ganzoo]\n{points}\n" if entry_points is None else entry_points
        (info / "entry_points.txt").write_text(text)
        witness = tmp_path / f"{distribution} was imported"
        for module, source in modules.items():
            leaves_a_trace = f"from pathlib import Path\nPath({str(witness)!r}).touch()\n"
            (site / f"{module}.py").write_text(leaves_a_trace + source)
            written.append(module)
        return witness

    yield write
    for module in written:
        sys.modules.pop(module, None)


@pytest.fixture(autouse=True)
def every_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANZOO_LOAD_PLUGINS", raising=False)
    monkeypatch.delenv("GANZOO_DISABLE_PLUGINS", raising=False)


@pytest.fixture
def model_source() -> Callable[..., str]:
    """Source of a plugin module with one model for each name."""

    def source(*names: str) -> str:
        classes = "".join(
            f"class Model{index}(ganzoo.Model):\n"
            f"    '''A model of no use.'''\n"
            f"    name = {name!r}\n"
            f"    def latent(self, data):\n"
            f"        raise NotImplementedError\n"
            for index, name in enumerate(names)
        )
        offered = ", ".join(f"Model{index}" for index in range(len(names)))
        hook = f"@ganzoo.hookimpl\ndef ganzoo_register_models():\n    return [{offered}]\n"
        return f"import ganzoo\n{classes}{hook}"

    return source
