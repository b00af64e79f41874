"""Who takes part in a comparison: what was typed, understood as models and runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganzoo.core.errors import UsageError, unknown
from ganzoo.models.model import Model
from ganzoo.runs.directory import LATEST, RunDirectory
from ganzoo.runs.model import model_of
from ganzoo.training.configuration import join
from ganzoo.zoo.manager import Zoo

__all__ = ["Contender", "options_by_label", "understood"]


@dataclass(frozen=True)
class Contender:
    """One entrant as it was asked for.

    Attributes:
        label: names it in the comparison; no two are alike.
        model: its class.
        run: the trained run, or None for a model that is to be trained under the comparison's protocol.
        clash: what to say where the name could have meant something else.
    """

    label: str
    model: type[Model]
    run: RunDirectory | None = None
    clash: str = ""


def understood(entrants: Sequence[str | type[Model]], zoo: Zoo, root: Path | str) -> list[Contender]:
    """What is meant by each: a model, with a recipe's name after ``@``, or else a run.

    Args:
        entrants: ``MODEL[@RECIPE]``, a model's class, or a run's directory, number or name.
        zoo: where models are looked up.
        root: folder of the runs.

    Raises:
        UsageError: there is none, one does not exist, or one is named twice.
        RunError: a run's record is damaged.
    """
    if not entrants:
        raise UsageError("compare needs models or runs, such as `ganzoo compare acgan infogan`")
    found = [_one(entrant if isinstance(entrant, str) else join(zoo, entrant), zoo, root) for entrant in entrants]
    labels = [contender.label for contender in found]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"{label} is named twice; compare it with something else, such as another recipe of it")
    return found


def _one(text: str, zoo: Zoo, root: Path | str) -> Contender:
    if not text:
        raise UsageError("an entrant is the name of a model or of a run, not empty text")
    name = text.partition("@")[0]
    try:
        model = zoo.model(name)
    except UsageError as no_model:
        try:
            run = RunDirectory.open(text, root)
        except UsageError as no_run:
            looks_like_a_run = text == LATEST or text[0].isdecimal() or len(Path(text).parts) > 1
            raise (no_run if looks_like_a_run else no_model) from no_run
        return Contender(run.name, model_of(run, zoo), run)
    clash = ""
    if (Path(text) / "run.json").is_file():
        clash = f"{text} means the model here; the run directory of that name is ./{text}"
    return Contender(text, model, clash=clash)


def options_by_label(contenders: Sequence[Contender], items: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Which ``-o`` goes to which entrant, by label.

    ``label.key=value`` goes to the entrant of that label, or else to those whose model has that name; a bare
    ``key=value`` to every model that has such an option.

    Raises:
        UsageError: an option is for nobody, or for a run, which is trained already.
    """
    to_train = [contender for contender in contenders if contender.run is None]
    given: dict[str, list[str]] = {contender.label: [] for contender in to_train}
    for item in items:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"-o takes [model.]key=value, such as -o infogan.noise=32, not {item!r}")
        owners, option = _owners(to_train, contenders, key)
        for contender in owners:
            given[contender.label].append(f"{option}={value}")
    return {label: tuple(options) for label, options in given.items()}


def _owners(to_train: list[Contender], everybody: Sequence[Contender], key: str) -> tuple[list[Contender], str]:
    """Whose option a key of ``-o`` is, and what they call it."""
    for run in (contender for contender in everybody if contender.run is not None):
        if key.startswith(f"{run.label}."):
            raise UsageError(f"-o {key}: {run.label} is trained already, so no option of it can be set")
    for names in ([each.label for each in to_train], [each.model.name for each in to_train]):
        matching = [each for each, name in zip(to_train, names, strict=True) if key.startswith(f"{name}.")]
        if matching:
            longest = max(len(name) for name in names if key.startswith(f"{name}."))
            owners = [each for each, name in zip(to_train, names, strict=True) if key[:longest] == name]
            return owners, key[longest + 1 :]
    prefix, dot, _ = key.rpartition(".")
    if dot:
        raise unknown("model", prefix, [each.label for each in to_train], where="this comparison")
    owners = [each for each in to_train if key in each.model.Options.model_fields]
    if not owners:
        known = {name for each in to_train for name in each.model.Options.model_fields}
        raise unknown("option", key, known, where="any model of this comparison")
    return owners, key
