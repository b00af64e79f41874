"""Names for what a run's codes have found: from a few labelled samples, or by hand."""

from collections.abc import Mapping, Sequence
from itertools import count

import torch
from pydantic import ValidationError
from torch import Tensor

from ganzoo.core.data import validation_sentence
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.streams import generator
from ganzoo.core.variables import Categorical
from ganzoo.data.batches import to_range
from ganzoo.evaluation.evaluate import open_subject
from ganzoo.evaluation.matching import Matching, accuracy, contingency, many_to_one, one_to_one
from ganzoo.evaluation.metrics.codes import read_code
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.subject import Subject
from ganzoo.models.game import latent_space
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.model import model_of
from ganzoo.runs.names import CategoryNames, Names, read_names, told_apart, write_names
from ganzoo.zoo.manager import Zoo

__all__ = ["category_of", "name_categories", "names_of", "set_names"]


def name_categories(
    run: RunDirectory,
    zoo: Zoo,
    labels: int = 100,
    variable: str | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Names:
    """Name the categories of a code after the classes of a few labelled training samples, and store the names.

    The critic reads the code of each sample. Codes and classes are then matched, one to one where there are
    enough classes, otherwise each code with its most frequent class (see ``matching``). The run's networks stay
    as they are, so the labels only ever serve to find words.

    Args:
        run: the run.
        zoo: where its model and data are looked up.
        labels: labelled samples to use, of all classes as chance has it; all of them where there are fewer.
        variable: the code; the only categorical one unless given.
        seed: which samples.
        device: where to compute.

    Returns:
        The names of all the run's variables that have some.

    Raises:
        UsageError: there is no such categorical code, no label, or the critic cannot read the code.
        RunError: the run has no checkpoint, or its data have changed or cannot be read.
    """
    if labels < 1:
        raise UsageError(f"naming takes at least 1 labelled sample, not {labels}")
    stored, name = read_names(run), category_of(_latent(run, zoo), variable)
    # No features are needed, so whatever the default extractor lacks must not matter.
    subject = open_subject(run, zoo, extractor="values", seed=seed, device=device)
    try:
        label = subject.label
        values, classes = _labelled(subject, label, labels, seed)
        codes = read_code(subject, values, name)
    except Unavailable as reason:
        raise UsageError(f"{name!r} cannot be named by labels: {reason}; name it by hand, with --set") from reason
    known = subject.data.labels[label].classes
    table = contingency(codes, classes, subject.latent[name].size, len(known))
    matching, names = names_of(table, known)
    checkpoint = subject.sampler.checkpoint
    found = CategoryNames(
        names=names,
        classes=tuple(matching),
        label=label,
        labels=len(classes),
        seed=seed,
        agreement=accuracy(table, matching),
        images=None if checkpoint is None else checkpoint.images,
    )
    return _store(run, stored, {name: found})


def set_names(run: RunDirectory, zoo: Zoo, names: Mapping[str, Sequence[str]]) -> Names:
    """Store names that somebody has chosen; categories called as a class of the data's are ordered by it.

    Args:
        run: the run; it needs no checkpoint.
        zoo: where its model is looked up.
        names: by variable, a name for each category; equal ones get a number.

    Returns:
        The names of all the run's variables that have some.

    Raises:
        UsageError: there is no such categorical code, there are more or fewer names than categories, or one is
            impossible.
        RunError: the names stored so far are damaged.
    """
    stored, data = read_names(run), run.record.data_spec
    latent, found = _latent(run, zoo), {}
    for given, chosen in names.items():
        name = category_of(latent, given)
        if len(chosen) != latent[name].size:
            raise UsageError(f"{name!r} has {latent[name].size} categories, and got {len(chosen)} names; give one each")
        label = next(iter(data.labels), None)
        known = data.labels[label].classes if label is not None else ()
        words = [each.strip() for each in chosen]
        classes = tuple(known.index(word) if word in known else None for word in words)
        try:
            found[name] = CategoryNames(names=told_apart(words), classes=classes, label=label)
        except ValidationError as error:
            raise UsageError(f"{name!r}: {validation_sentence(error)}") from error
    return _store(run, stored, found)


def category_of(latent: LatentSpec, variable: str | None = None) -> str:
    """The categorical code that is meant.

    Args:
        latent: the latent space.
        variable: its name; None for the only one.

    Raises:
        UsageError: there is none, there are several, or the variable is no categorical code.
    """
    known = [name for name, each in latent.codes.items() if isinstance(each, Categorical)]
    if not known:
        raise UsageError("this run has no categorical code to name; names are for models with codes, such as infogan")
    if variable is None:
        if len(known) > 1:
            raise UsageError(f"which code is to be named? say --variable, one of: {', '.join(known)}")
        return known[0]
    found = latent[variable]
    if variable not in known:
        raise UsageError(f"{variable!r} is a {found.kind} {found.role}; only categorical codes are named: {known[0]}")
    return variable


def names_of(table: Tensor, classes: Sequence[str]) -> tuple[Matching, tuple[str, ...]]:
    """Names for codes by how often each goes with each class.

    Where there are no more codes than classes, each class gives its name to the one code that fits it best in the
    best one-to-one matching. A code that this leaves out, and any code where there are more than classes, is called
    after the class that it goes with most often; the second code of a class has a number behind its name.

    Args:
        table: (K, C) counts.
        classes: C names.

    Returns:
        The class of each code, None for one that never occurs, and K names, no two alike; codes that never occur
        are called "unknown 1" and so on.
    """
    majority = many_to_one(table)
    matching = one_to_one(table) if len(table) <= len(classes) else majority
    stands = [most if best is None else best for best, most in zip(matching, majority, strict=True)]
    unknown = (f"unknown {number}" for number in count(1))
    words = [next(unknown) if index is None else classes[index] for index in stands]
    # The plain name goes to the code that was matched, or else to the one with most samples of the class.
    support = [0 if index is None else int(table[code, index]) for code, index in enumerate(stands)]
    order = sorted(range(len(words)), key=lambda code: (matching[code] is None, -support[code]))
    unique = dict(zip(order, told_apart(words[code] for code in order), strict=True))
    return stands, tuple(unique[code] for code in range(len(words)))


def _latent(run: RunDirectory, zoo: Zoo) -> LatentSpec:
    config = run.record.config
    return latent_space(model_of(run, zoo)(**config.options), run.record.data_spec)


def _labelled(subject: Subject, label: str, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Labelled training samples (m, *shape) and their classes (m,), m at most n."""
    split = subject.dataset.split("train", subject.data.sources[0])
    classes = split.labels.get(label, torch.empty(0, dtype=torch.int64))
    known = (classes >= 0).nonzero().squeeze(1)
    if not len(known):
        raise Unavailable(f"no training sample of {subject.data.name} has a known {label}")
    chosen = known[torch.randperm(len(known), generator=generator(seed, "naming"))[:n]]
    values = torch.stack([split[index] for index in chosen.tolist()])
    return to_range(values, subject.data), classes[chosen]


def _store(run: RunDirectory, stored: Names, found: Mapping[str, CategoryNames]) -> Names:
    names = Names(variables={**stored.variables, **found})
    write_names(run, names)
    return names
