"""From what the user wrote after ``--data`` to a data set."""

import os
from pathlib import Path
from typing import Any

from ganzoo.core.data import Dataset
from ganzoo.core.errors import UsageError
from ganzoo.data.folder import Folder
from ganzoo.zoo.manager import Zoo

__all__ = ["lasting_name", "open_dataset"]


def open_dataset(zoo: Zoo, name: str, /, root: str | os.PathLike[str] | None = None, **options: Any) -> Dataset:
    """The data set of a name, or of a folder of images.

    Args:
        zoo: knows the names.
        name: a data set's name; or the path of a folder, which has a slash in it (``./faces``) or is the name
            of a folder that exists and of no data set.
        root: where downloads go, for the data sets that download; no other has use for it.
        **options: the data set's options by name.

    Raises:
        UsageError: there is no such data set or folder, or an option is unknown or has an impossible value.
    """
    if "/" in name or os.sep in name or name in (".", "..", "~"):
        return _folder(name, options)
    try:
        dataset = zoo.dataset(name)
    except UsageError:
        if Path(name).is_dir():
            return _folder(name, options)
        raise
    if root is not None and "root" in dataset.Options.model_fields:
        options["root"] = os.fspath(root)
    return dataset(**options)


def lasting_name(name: str, dataset: Dataset) -> str:
    """What names the data set from any working directory: its name, or a folder's absolute path."""
    is_path = isinstance(dataset, Folder) and name != Folder.name
    return str(Path(name).expanduser().resolve()) if is_path else name


def _folder(path: str, options: dict[str, Any]) -> Folder:
    if "path" in options:
        raise UsageError(f"the folder is given twice, as {path} and as path={options['path']}; give one of them")
    return Folder(path=path, **options)
