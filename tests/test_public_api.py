"""Every public name with its signature, against ``tests/public_api.txt``: a change of the interface shows in review.

``UPDATE_API=1 pytest tests/test_public_api.py`` writes the file anew.
"""

import importlib
import inspect
import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

import ganzoo
from ganzoo.zoo import hookspecs

STORED = Path(__file__).with_name("public_api.txt")


def plain(text: str) -> str:
    """Without what differs between machines and versions of Python: home modules and addresses."""
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", text).replace("'", "")


def signature_of(function: Any) -> str:
    try:
        return plain(str(inspect.signature(function)))
    except ValueError:  # a class with the constructor of a built-in one
        return "(...)"


def shown(annotation: Any) -> str:
    return plain(annotation if isinstance(annotation, str) else inspect.formatannotation(annotation))


def of_class(path: str, value: type) -> Iterator[str]:
    """A class, and what it and its bases in ganzoo have that is public."""
    bases = ", ".join(plain(base.__qualname__) for base in value.__bases__ if base is not object)
    call = "" if inspect.isabstract(value) or issubclass(value, BaseModel) else signature_of(value)
    yield f"class {path}{call}{f': {bases}' if bases else ''}"
    members: dict[str, str] = {}
    for each in reversed(value.__mro__):
        if each.__module__.partition(".")[0] != "ganzoo":
            continue
        for name, annotation in inspect.get_annotations(each).items():
            members[name] = f"{path}.{name}: {shown(annotation)}"
        for name, member in vars(each).items():
            function = inspect.unwrap(getattr(member, "__func__", member))
            if isinstance(member, property):
                members[name] = f"{path}.{name}: property"
            elif inspect.isfunction(function):
                members[name] = f"{path}.{name}{signature_of(function)}"
            elif inspect.isclass(member):
                members[name] = "\n".join(of_class(f"{path}.{name}", member))
    yield from (line for name, line in sorted(members.items()) if not name.startswith("_") and name != "model_config")


def of_module(module: ModuleType) -> Iterator[str]:
    for name in module.__all__:
        value, path = getattr(module, name), f"{module.__name__}.{name}"
        if inspect.isclass(value):
            yield from of_class(path, value)
        elif name == "API_VERSION":
            yield f"{path} = {value}"
        elif inspect.isroutine(value):
            yield f"{path}{signature_of(value)}"
        else:
            yield f"{path}: {type(value).__name__}"


def public_api() -> str:
    modules = [ganzoo]
    testing = find_spec("ganzoo.testing")
    if testing is not None and testing.origin is not None:
        modules.append(importlib.import_module("ganzoo.testing"))
    lines = [line for module in modules for line in of_module(module)]
    hooks = [name for name in hookspecs.__all__ if name.startswith("ganzoo_")]
    lines += [f"hook {name}{signature_of(getattr(hookspecs, name))}" for name in hooks]
    return "\n".join(lines) + "\n"


def test_the_public_interface_is_the_one_that_was_agreed() -> None:
    current = public_api()
    if os.environ.get("UPDATE_API"):
        STORED.write_text(current, encoding="utf-8")
    stored = STORED.read_text(encoding="utf-8")
    difference = "\n".join(unified_diff(stored.splitlines(), current.splitlines(), "agreed", "now", lineterm="", n=0))
    assert stored == current, f"the public interface has changed; UPDATE_API=1 writes it down:\n{difference}"


def test_a_change_of_a_signature_is_seen() -> None:
    def train(model: "str | type[ganzoo.Model]", *, images: int = 3) -> None: ...

    assert signature_of(train) == "(model: str | type[Model], *, images: int = 3) -> None"
    text = public_api()
    assert "ganzoo.Observer.ticked(self, tick: Tick) -> None" in text
    assert "ganzoo.API_VERSION = 1" in text
    assert "hook ganzoo_tick(run: Path, tick: Any) -> None" in text
