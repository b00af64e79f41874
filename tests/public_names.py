"""The public names of a module with their signatures, as text that is the same for every version of Python."""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from pydantic import BaseModel

__all__ = ["of_class", "of_module", "signature_of"]

PLAIN = (bool, int, float, str, tuple, frozenset)
"""Types of values that are shown; others have representations that change with the library."""


def of_module(module: ModuleType) -> Iterator[str]:
    """A line for each name in ``__all__``, and for each member of a class."""
    for name in module.__all__:
        value, path = getattr(module, name), f"{module.__name__}.{name}"
        if inspect.isclass(value):
            yield from of_class(path, value)
        elif inspect.isroutine(value):
            yield f"{path}{signature_of(value)}"
        elif name != "__version__" and isinstance(value, PLAIN):
            yield f"{path} = {value!r}"
        else:
            yield f"{path}: {type(value).__name__}"


def of_class(path: str, value: type) -> Iterator[str]:
    """A class, and what it and its bases in ganzoo have that is public."""
    bases = ", ".join(base.__qualname__ for base in value.__bases__ if base is not object)
    maker = next(each for each in value.__mro__ if "__init__" in vars(each))
    # What a model of pydantic's takes are its fields; what torch's modules and exceptions take is not our promise.
    own = (maker is object or maker.__module__.startswith("ganzoo")) and not issubclass(value, BaseModel)
    yield f"class {path}{signature_of(value) if own else ''}{f': {bases}' if bases else ''}"
    members: dict[str, list[str]] = {}
    annotated: set[str] = set()
    for each in reversed(value.__mro__):
        if not each.__module__.startswith("ganzoo"):
            continue
        for name, annotation in inspect.get_annotations(each).items():
            members[name] = [f"{path}.{name}: {shown(annotation)}{default_of(value, name)}"]
            annotated.add(name)
        for name, member in vars(each).items():
            function = inspect.unwrap(getattr(member, "__func__", member))
            if isinstance(member, property):
                members[name] = [f"{path}.{name}: property"]
            elif inspect.isfunction(function):
                members[name] = [f"{path}.{name}{signature_of(function)}"]
            elif inspect.isclass(member):
                members[name] = list(of_class(f"{path}.{name}", member))
            elif name not in annotated and isinstance(member, PLAIN):
                members[name] = [f"{path}.{name} = {member!r}"]
    for name, lines in sorted(members.items()):
        if name == "__call__" or (not name.startswith("_") and name != "model_config"):
            yield from lines


def default_of(value: type, name: str) -> str:
    """The default of a field of a pydantic model, as it would stand in the source."""
    field = value.model_fields.get(name) if issubclass(value, BaseModel) else None
    if field is None or field.is_required():
        return ""
    return f" = {value_text(field.default)}" if field.default_factory is None else " = …"


def signature_of(function: Callable[..., Any]) -> str:
    """``(n: int, *, seed: int = 0) -> Tensor``."""
    signature, parts, keyword_only = inspect.signature(function), [], False
    parameters = list(signature.parameters.values())
    for index, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_POSITIONAL:
            keyword_only = True
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        text = stars + parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {shown(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {value_text(parameter.default)}"
        parts.append(text)
        following = parameters[index + 1].kind if index + 1 < len(parameters) else None
        if parameter.kind is parameter.POSITIONAL_ONLY and following is not parameter.POSITIONAL_ONLY:
            parts.append("/")
    returned = signature.return_annotation
    return f"({', '.join(parts)})" + (f" -> {shown(returned)}" if returned is not signature.empty else "")


def value_text(value: object) -> str:
    """A default, if it is plain; others have no representation to rely on."""
    return repr(value) if value is None or isinstance(value, PLAIN) else "…"


def shown(annotation: Any) -> str:
    """A type without the modules that its parts are from."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, str):
        return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", annotation)
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):  # the arguments of a Callable
        return f"[{', '.join(map(shown, annotation))}]"
    if isinstance(annotation, typing.ForwardRef):
        return shown(annotation.__forward_arg__)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(shown, arguments))
    if origin is typing.Annotated:
        return shown(arguments[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None:
        name = "ClassVar" if origin is typing.ClassVar else origin.__name__
        return f"{name}[{', '.join(map(shown, arguments))}]"
    return str(getattr(annotation, "__qualname__", None) or getattr(annotation, "__name__", annotation))
