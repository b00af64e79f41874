"""From layers of settings to one configuration, each value of which knows where it comes from."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import UsageError, unknown
from ganzoo.runs.config import RunConfig, default_schedule
from ganzoo.runs.settings import Layer, parse_count

__all__ = ["resolve"]

_COUNTS = ("images", "batch", "schedule", "half_life", "tick", "save_every")


def resolve(layers: Sequence[Layer], options: type[BaseModel]) -> tuple[RunConfig, dict[str, str]]:
    """Settles every setting: built-in defaults < the model's < the layers, of which the last counts.

    A class of options may say which of them are two ways to say one thing:
    ``alternatives = {"latent": ("noise", "styles")}``. Setting one side in a later layer drops what
    earlier layers said of the other side, defaults included, and one layer that sets both is refused.

    Args:
        layers: weakest first; ``model`` and ``data`` must be among the values.
        options: the model's class of options.

    Returns:
        The configuration, whose ``options`` hold every option that has a meaning (those that a chosen
        alternative replaces are left out) and can be given to ``options`` again; and the origin of each
        value by dotted key: a layer's, "default", or "from images" where it follows from the budget.

    Raises:
        UsageError: a setting or option is unknown, impossible or in conflict with another.
    """
    rivals = _rivals(options)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        _refuse_conflict(layer, rivals)
        for key, value in layer.values.items():
            if value is not None:
                for rival in rivals.get(key, ()):
                    values.pop(rival, None)
            values[key] = parse_count(value, f"{key} ({layer.origin_of(key)})") if key in _COUNTS else value
            origins[key] = layer.origin_of(key)

    given = {key.removeprefix("options."): value for key, value in values.items() if _is_option(key)}
    chosen = _validated(given, options, str(values.get("model")), origins).model_dump(mode="json")
    for key in [key for key in values if values[key] is not None]:
        for rival in rivals.get(key, ()):
            chosen.pop(rival.removeprefix("options."), None)

    settings = {key: value for key, value in values.items() if not _is_option(key)}
    settings |= {f"options.{name}": value for name, value in chosen.items()}
    images = settings.get("images", RunConfig.model_fields["images"].default)
    batch = settings.get("batch", RunConfig.model_fields["batch"].default)
    schedule = default_schedule(images, batch)
    config = _configured(schedule | settings, origins)
    fallback = dict.fromkeys(schedule, "from images")
    return config, {key: origins.get(key, fallback.get(key, "default")) for key in config.flat()}


def _is_option(key: str) -> bool:
    return key.startswith("options.")


def _rivals(options: type[BaseModel]) -> dict[str, set[str]]:
    """By dotted key of an option, the keys that it cannot stand beside."""
    alternatives: Mapping[str, Sequence[str]] = getattr(options, "alternatives", {})
    result: dict[str, set[str]] = {}
    for one, others in alternatives.items():
        for other in others:
            result.setdefault(f"options.{one}", set()).add(f"options.{other}")
            result.setdefault(f"options.{other}", set()).add(f"options.{one}")
    return result


def _refuse_conflict(layer: Layer, rivals: Mapping[str, set[str]]) -> None:
    given = [key for key, value in layer.values.items() if value is not None]
    for key in given:
        for rival in rivals.get(key, set()).intersection(given):
            one, other = sorted((key, rival), key=given.index)
            names = f"{one.removeprefix('options.')} and {other.removeprefix('options.')}"
            places = " and ".join(dict.fromkeys(layer.origin_of(each) for each in (one, other)))
            raise UsageError(f"the options {names} say the same thing twice ({places}): give one of them")


def _validated(given: Mapping[str, Any], options: type[BaseModel], model: str, origins: Mapping[str, str]) -> BaseModel:
    try:
        return options.model_validate(given)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
                name = str(problem["loc"][0])
                sentence = unknown(f"option of {model}", name, options.model_fields)
                raise UsageError(f"{origins[f'options.{name}']}: {sentence}") from error
        raise _impossible(error, f"option of {model}, ", "options.", origins) from error


def _configured(settings: dict[str, Any], origins: Mapping[str, str]) -> RunConfig:
    try:
        return RunConfig.from_flat(settings)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            if problem["type"] == "extra_forbidden":
                raise unknown("setting", str(problem["loc"][0]), RunConfig.model_fields) from error
        raise _impossible(error, "", "", origins) from error


def _impossible(error: ValidationError, what: str, prefix: str, origins: Mapping[str, str]) -> UsageError:
    location = error.errors(include_url=False)[0]["loc"]
    origin = origins.get(f"{prefix}{location[0]}") if location else None
    sentence = f"{what}{validation_sentence(error)}"
    return UsageError(f"{origin}: {sentence}" if origin else sentence)
