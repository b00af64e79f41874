"""The model of a run: looked up by its name, since no file of a run says what code to import."""

from typing import TYPE_CHECKING

from ganzoo.core.errors import UsageError
from ganzoo.runs.directory import RunDirectory
from ganzoo.zoo.manager import NotOffered, Zoo

if TYPE_CHECKING:
    from ganzoo.models.model import Model

__all__ = ["model_of"]


def model_of(run: RunDirectory, zoo: Zoo) -> "type[Model]":
    """The class of a run's model.

    Args:
        run: the run.
        zoo: where it is looked up.

    Raises:
        UsageError: no plugin offers it here, or the one that does cannot be used.
    """
    try:
        return zoo.model(run.record.config.model)
    except NotOffered as error:
        raise UsageError(
            f"{run.name} cannot be opened without its model: {error}; install the plugin that brings it, or name the "
            "file that does with --plugin FILE.py"
        ) from error
