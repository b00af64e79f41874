"""What pyproject.toml, the Makefile and the repository promise to whoever installs ganzoo."""

import ast
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

import ganzoo
from ganzoo.zoo import hookspecs

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY_POINTS: dict[str, str] = PROJECT["project"]["entry-points"]["ganzoo"]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())
MNIST = sorted(path.name for path in (ROOT / "ganzoo/data/files/mnist").glob("*.xz"))


def declared(requirements: list[str]) -> set[str]:
    """The names in a list of requirements, without their bounds."""
    return {re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def imported(folder: Path) -> Iterator[str]:
    """Top-level names that the files under a folder import, inside functions too."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                yield from (a.value.partition(".")[0] for a in node.args if isinstance(a, ast.Constant))


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_leads_to_a_module_with_hooks(name: str) -> None:
    try:
        module = importlib.import_module(ENTRY_POINTS[name])
    except ganzoo.Unavailable as reason:
        pytest.skip(str(reason))
    functions = inspect.getmembers(module, inspect.isfunction)
    hooks = [name for name, function in functions if hasattr(function, "ganzoo_impl")]
    assert hooks
    assert set(hooks) <= set(hookspecs.__all__)


def test_the_installation_has_the_entry_points_of_the_checkout() -> None:
    installed = metadata.distribution("ganzoo")
    found = {point.name: point.value for point in installed.entry_points if point.group == "ganzoo"}
    assert found == ENTRY_POINTS
    assert installed.version == PROJECT["project"]["version"]


def test_the_console_script_is_a_function() -> None:
    module, function = PROJECT["project"]["scripts"]["ganzoo"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_plugin_folder_is_packaged_registered_and_linted() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    linted = PROJECT["tool"]["importlinter"]["root_packages"]
    assert sorted(packages) == sorted(["ganzoo", *(f"plugins/{plugin}" for plugin in PLUGINS)])
    assert sorted(linted) == sorted(["ganzoo", *PLUGINS])
    assert set(PLUGINS) <= set(ENTRY_POINTS.values())


def test_the_catalogue_in_the_package_is_the_top_level_one() -> None:
    link = ROOT / "ganzoo" / "registry.toml"
    assert link.is_symlink()
    assert link.readlink() == Path("../registry.toml")
    assert tomllib.loads(link.read_text(encoding="utf-8"))


def test_dependencies_are_those_imported_and_each_is_bounded() -> None:
    requirements: list[str] = PROJECT["project"]["dependencies"]
    names = {"PIL": "pillow", "pydantic_core": "pydantic", "sklearn": "scikit-learn"}
    ours = {"ganzoo", *PLUGINS, *sys.stdlib_module_names}
    used = {*imported(ROOT / "ganzoo"), *imported(ROOT / "plugins")} - ours
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    optional = {name for extra in extras.values() for name in declared(extra)}
    assert {names.get(name, name.replace("_", "-")) for name in used} - optional == declared(requirements)
    assert all(re.fullmatch(r"[a-z0-9-]+>=[\d.]+,<\d+", requirement) for requirement in requirements)


def test_every_make_command_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE))
        assert asked <= targets, f"{document.name} names make targets that do not exist"
    assert {"demo", "test"} <= set(
        re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize("python", ["old", "absent"])
def test_make_says_which_python_it_needs(tmp_path: Path, python: str) -> None:
    fake = tmp_path / python
    if python == "old":
        fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n', encoding="utf-8")
        fake.chmod(0o755)
    command = ["make", "test", f"PYTHON={fake}", f"VENV={tmp_path / 'venv'}"]
    # A make that itself runs these tests must not hand its own variables down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode != 0
    assert "ganzoo needs Python 3.11 or newer" in made.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_git_ignores_no_file_of_the_package() -> None:
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--", "ganzoo", "plugins"]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [name for name in ignored if "__pycache__" not in name] == []


@dataclass(frozen=True)
class Built:
    """A source distribution, and the wheel built from it."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    for tool in ("build", "hatchling"):
        pytest.importorskip(tool, reason=f"{tool} is not installed: it comes with the extra 'dev'")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return Built(next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")))


@pytest.mark.slow
def test_the_wheel_holds_both_source_roots_and_all_data(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        assert wheel.read("ganzoo/registry.toml") == (ROOT / "registry.toml").read_bytes()
        points = next(wheel.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    expected = {
        str(path.relative_to(root))
        for root, packages in ((ROOT, ["ganzoo"]), (ROOT / "plugins", PLUGINS))
        for package in packages
        for path in (root / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"ganzoo/py.typed", *(f"ganzoo/data/files/mnist/{name}" for name in MNIST)} <= names
    assert len(MNIST) == 4
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(f"{name} = {target}" in points for name, target in ENTRY_POINTS.items())
    assert built.wheel.stat().st_size < 16e6


@pytest.mark.slow
def test_the_source_distribution_holds_the_catalogue_and_a_link_to_it(built: Built) -> None:
    # The wheel is built from this archive, so the link is followed there as well.
    with tarfile.open(built.sdist) as sdist:
        top = built.sdist.name.removesuffix(".tar.gz")
        names = set(sdist.getnames())
        links = {member.name: member.linkname for member in sdist.getmembers() if not member.isreg()}
    assert links == {f"{top}/ganzoo/registry.toml": "../registry.toml"}
    wanted = {
        "Makefile",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "registry.toml",
        "tests/test_packaging.py",
    }
    assert {f"{top}/{name}" for name in wanted} <= names
