"""The package that a plugin author starts from: complete, installable, with tests that pass as it comes."""

import re
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.hookspecs import API_VERSION

__all__ = ["FILES", "write_package"]

_TEMPLATES = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40

FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/test.yml": "workflow.yml.j2",
    "src/{module}/__init__.py": "model.py.j2",
    "src/{module}/py.typed": "py.typed.j2",
    "src/{module}/registry.toml": "registry.toml.j2",
    "tests/test_{identifier}.py": "test.py.j2",
}
"""The package's files, and the template of each."""


def write_package(name: str, folder: Path) -> Path:
    """Writes the package of a new plugin, ``ganzoo-NAME``, with one small model called NAME.

    The package is whole or not there at all: it is written elsewhere in the folder, then renamed.

    Args:
        name: the model's name; small letters, digits and single hyphens, a letter first.
        folder: where to write it, a folder that exists.

    Returns:
        The package's folder.

    Raises:
        UsageError: the name cannot be used, a model of ganzoo has it, or there is no such folder or something
            in the way.
        OSError: a file cannot be written.
    """
    _check_name(name)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} to write ganzoo-{name} in; make it first")
    target = folder / f"ganzoo-{name}"
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already; choose another name or --dir, or remove it")
    names = _names(name)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=False,  # what is written is code, and the names in it are letters, digits and hyphens
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    with TemporaryDirectory(dir=folder, prefix=".ganzoo-") as draft:
        # One level down, for the temporary folder itself is closed to others.
        root = Path(draft, target.name)
        for path, template in FILES.items():
            file = root / path.format_map(names)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(environment.get_template(template).render(names), encoding="utf-8")
        root.rename(target)
    return target


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise UsageError(
            f"{name!r} cannot name a plugin; use small letters, digits and single hyphens, a letter first, "
            f"at most {_LONGEST} in all, such as hello-gan"
        )
    if name.split("-")[0] == "ganzoo":
        raise UsageError(f"leave ganzoo- out of {name!r}; it names the model, and the package is called ganzoo-NAME")
    if name in Catalogue.read().models:
        raise UsageError(f"ganzoo has a model {name!r} already; choose a name of your own")


def _names(name: str) -> dict[str, str]:
    """What the templates fill in."""
    stem = "".join(part.capitalize() for part in name.split("-"))
    stem = f"{stem[:-3]}GAN" if name.endswith("gan") else stem
    return {
        "name": name,
        "package": f"ganzoo-{name}",
        "module": f"ganzoo_{name.replace('-', '_')}",
        "identifier": name.replace("-", "_"),
        # No name that the module imports, and no keyword, ends in one of these.
        "model": stem if stem.endswith("GAN") else f"{stem}Model",
        "loss": f"{stem}Loss",
        "api": str(API_VERSION),
        "ganzoo": ".".join(version("ganzoo").split(".")[:2]),
    }
