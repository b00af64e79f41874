"""Trained runs that are part of ganzoo: found by name where the user has none of that name, and never written to."""

from pathlib import Path

from ganzoo.core.errors import RunError
from ganzoo.core.reading import digest_file

__all__ = ["find_shipped", "is_shipped", "outputs", "shipped"]

FOLDER = Path(__file__).parents[1] / "pretrained"
"""Where they are; ``benchmarks/ship.py`` writes them, with ``ganzoo export``."""


def shipped() -> list[str]:
    """Their names, in order."""
    return sorted(record.parent.name for record in FOLDER.glob("*/run.json"))


def find_shipped(name: str) -> Path | None:
    """The directory of the run of that name, once its weights are those that ``registry.toml`` describes.

    Args:
        name: the whole name.

    Returns:
        The directory; None if there is no such run.

    Raises:
        RunError: the weights are damaged.
    """
    if name not in shipped():
        return None
    from ganzoo.zoo.catalogue import Catalogue  # only a run that is part of ganzoo has need of it

    path, expected = FOLDER / name, Catalogue.read().weights.get(name)
    try:
        found = [digest_file(file, expected.bytes) for file in path.glob("checkpoints/*/*")] if expected else []
    except OSError as error:
        raise RunError(f"the weights of {name} cannot be read ({error}); install ganzoo again") from error
    if expected is None or expected.sha256 not in found:
        raise RunError(
            f"the weights of {name} are damaged (their SHA-256 is not the one in registry.toml); install ganzoo again"
        )
    return path


def is_shipped(run: Path) -> bool:
    """Whether a run's directory is one of these."""
    return run.resolve().parent == FOLDER.resolve()


def outputs(run: Path) -> Path:
    """Where pictures and pages of a run go.

    Args:
        run: the run's directory.

    Returns:
        The directory, or for a run that is part of ganzoo a folder of its name in the working directory.
    """
    return Path(run.name) if is_shipped(run) else run
