"""A plugin in a single file, without packaging: ``ganzoo train --plugin my_gan.py my-gan``."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

from ganzoo.core.errors import UsageError
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.installed import PROJECT
from ganzoo.zoo.loading import KINDS, Refused

__all__ = ["checked_file", "module_name", "read_plugin"]


def checked_file(file: Path) -> Path:
    """The file, if it could be a plugin.

    Raises:
        UsageError: it does not exist, or is no Python file.
    """
    if file.suffix != ".py":
        raise UsageError(f"--plugin takes a Python file, such as my_gan.py, not {file}")
    if not file.is_file():
        raise UsageError(f"--plugin {file}: there is no such file")
    return file


def module_name(file: Path) -> str:
    """What the module of a file is called: as nothing else, for a file called torch.py must not take torch's place."""
    return f"{PROJECT}_plugin_file_{re.sub(r'[^A-Za-z0-9]', '_', file.stem)}"


def read_plugin(file: Path) -> object:
    """Imports a file, and makes a plugin of it.

    Args:
        file: a Python file. With hooks in it, it is a plugin like any other. Without, it brings every class that it
            defines of a kind that a plugin can bring, models above all.

    Returns:
        The module, or an object with the hooks that the module leaves out.

    Raises:
        Refused: it has neither hooks nor such classes.
        BaseException: whatever the file raises.
    """
    name = module_name(file)
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # a name that ends in .py has a loader
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    if any(hasattr(value, f"{PROJECT}_impl") or name.startswith(f"{PROJECT}_") for name, value in vars(module).items()):
        return module
    classes = {kind.hook: found for kind in KINDS.values() if (found := _defined(module, kind.base))}
    if not classes:
        raise Refused("it defines no subclass of ganzoo.Model and implements no hook")
    hooks = {hook: hookimpl(lambda found=found: found, specname=hook) for hook, found in classes.items()}
    needed = vars(module).get("GANZOO_API")
    return SimpleNamespace(**hooks, **({} if needed is None else {"GANZOO_API": needed}))


def _defined(module: ModuleType, base: str) -> list[type]:
    """The classes of a kind that the module defines, but for those that only others of it are derived from."""
    home, _, name = base.partition(":")
    if home not in sys.modules:  # then nothing can be derived from it
        return []
    kind = getattr(sys.modules[home], name)
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__
    ]
    bases = {parent for each in own for parent in each.__mro__[1:]}
    return [each for each in dict.fromkeys(own) if "name" in vars(each) or each not in bases]
