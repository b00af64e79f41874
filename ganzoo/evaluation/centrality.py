"""A choice among runs without labels: the run whose codes agree most with those that the others have found.

Source: Lin et al. 2020, arXiv 1906.06034, ModelCentrality. Codes that mean something are found again and again, and
each run that fails does so in its own way; so good runs agree with each other, and bad ones with nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzoo.core.errors import UsageError
from ganzoo.core.latents import Latents
from ganzoo.core.variables import Categorical
from ganzoo.evaluation.code_dimensions import code_dimensions, read_dimensions
from ganzoo.evaluation.evaluate import open_subject
from ganzoo.evaluation.factor_scores import Array, Indices, factor_vae, least_varying, spread
from ganzoo.evaluation.matching import accuracy, contingency, one_to_one
from ganzoo.evaluation.metrics.codes import categorical_codes, read_code
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.subject import Subject
from ganzoo.runs.directory import RunDirectory
from ganzoo.zoo.manager import Zoo

__all__ = ["KINDS", "Agreement", "Kind", "agreement_of_categories", "agreement_of_factors", "rank"]

Kind = Literal["categories", "factors"]
KINDS: tuple[Kind, ...] = ("categories", "factors")

BATCH = 64
"""Samples in which one code dimension keeps its value."""
SAMPLES = 16_384
"""Generated samples of each run; the standard error of an agreement is then about 3 % at most."""
_AT_ONCE = 8
"""Batches that are made at once; bounds memory, changes no result."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Agreement:
    """How much each of R runs agrees with each other one.

    Attributes:
        runs: the runs.
        kind: what agrees: ``categories`` of real samples, or ``factors``, what each code dimension changes.
        pairs: (R, R), shares from 0 to 1, symmetric, NaN on the diagonal.
        samples: how many samples each agreement rests on.
    """

    runs: tuple[RunDirectory, ...]
    kind: Kind
    pairs: Array
    samples: int

    @property
    def means(self) -> Array:
        """The mean agreement of each run with the others, (R,)."""
        others = ~np.eye(len(self.runs), dtype=bool)
        means: Array = self.pairs[others].reshape(len(self.runs), -1).mean(axis=1)
        return means

    @property
    def order(self) -> list[int]:
        """The runs by mean agreement, the highest first; equal ones as they were given."""
        return sorted(range(len(self.runs)), key=lambda index: -self.means[index])


def rank(
    runs: Sequence[RunDirectory],
    zoo: Zoo,
    *,
    kind: Kind | None = None,
    samples: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Progress = lambda name, done, total: None,
) -> Agreement:
    """Compare runs with each other by what their codes have found; no label is read.

    Args:
        runs: at least three, on the same data.
        zoo: where models and data are looked up.
        kind: what has to agree; categories where every run has a categorical code, otherwise factors.
        samples: real training samples for categories, generated ones of each run for factors; 10,000 and 16,384
            unless given, and at most as many real ones as there are.
        seed: of the samples.
        device: where to compute.
        progress: told the name of each run before its turn, how many are done, and of how many.

    Raises:
        UsageError: there are fewer than three runs, they are not on the same data, or one lacks such codes.
        RunError: a run has no whole checkpoint, or its data have changed or cannot be read.
    """
    if len({run.path.resolve() for run in runs}) < max(3, len(runs)):
        raise UsageError("ranking takes at least three runs, each once: of two, nobody can say which one is odd")
    first = runs[0]
    for run in runs[1:]:
        if run.record.data_checksum != first.record.data_checksum:
            raise UsageError(f"{run.name} was trained on other data than {first.name}, so their codes do not compare")
    subjects: list[Subject] = []
    for run in runs:
        # No features are needed, so whatever the default extractor lacks must not matter.
        subject = open_subject(run, zoo, extractor="values", seed=seed, device=device)
        subjects.append(subject)
        subject.dataset = subjects[0].dataset  # the same samples, held once
    if kind is None:
        kind = "categories" if all(_has_categories(subject) for subject in subjects) else "factors"
    agree = {"categories": agreement_of_categories, "factors": agreement_of_factors}[kind]
    pairs, used = agree(subjects, samples, progress)
    return Agreement(tuple(runs), kind, pairs, used)


def agreement_of_categories(
    subjects: Sequence[Subject], samples: int | None = None, progress: Progress = lambda name, done, total: None
) -> tuple[Array, int]:
    """Shares of real training samples that two runs put into the same category, under the best one-to-one matching.

    Runs with several categorical codes match the codes one to one as well, so that the mean share is highest; a code
    that is left over agrees with none.

    Args:
        subjects: R runs on the same data, each with a categorical code.
        samples: how many samples; as many as the setting says unless given.
        progress: as for ``rank``.

    Returns:
        (R, R), symmetric, NaN on the diagonal; and the number of samples.

    Raises:
        UsageError: a run has no categorical code, or its critic cannot read one.
    """
    values = subjects[0].real("train", samples).values
    codes: list[list[_Code]] = []
    for done, subject in enumerate(subjects):
        progress(subject.run.name, done, len(subjects))
        with _refusing(subject):
            known = categorical_codes(subject).items()
            codes.append([_Code(read_code(subject, values, name), each.size) for name, each in known])
    pairs = np.full((len(subjects),) * 2, np.nan)
    for i, ours in enumerate(codes):
        for j, theirs in enumerate(codes[:i]):
            pairs[i, j] = pairs[j, i] = _matched(ours, theirs)
    return pairs, len(values)


def agreement_of_factors(
    subjects: Sequence[Subject], samples: int | None = None, progress: Progress = lambda name, done, total: None
) -> tuple[Array, int]:
    """FactorVAE's score of each run's codes with the code dimensions of each other run for factors.

    A run makes batches of samples in each of which one of its code dimensions keeps its value. From what another's
    critic reads off them, it is predicted which: by the other's dimension that varies least (see
    ``factor_scores.factor_vae``), each half of the batches from the votes of the other half. An agreement is the
    mean of both directions.

    Args:
        subjects: R runs on the same data, each with at least two code dimensions.
        samples: generated samples of each run.
        progress: as for ``rank``.

    Returns:
        (R, R), symmetric, NaN on the diagonal; and the number of samples.

    Raises:
        UsageError: a run has fewer than two code dimensions, its critic cannot read them, or there are too few samples.
    """
    dimensions = []
    for subject in subjects:
        with _refusing(subject):
            dimensions.append(code_dimensions(subject.latent))
    classes = [[each.classes for each in found] for found in dimensions]
    needed, wanted = 2 * BATCH * max(map(len, dimensions)), SAMPLES if samples is None else samples
    if wanted < needed:
        raise UsageError(f"--samples {wanted} is too few for this many code dimensions; take {needed:,} or more")
    batches = wanted // BATCH
    scores = np.full((len(subjects),) * 2, np.nan)
    for i, truth in enumerate(subjects):
        progress(truth.run.name, i, len(subjects))
        fixed = np.arange(batches) % len(dimensions[i])
        latents = truth.latent.sample(batches * BATCH, truth.seed).flat.view(batches, BATCH, -1)
        for batch, dimension in zip(latents, fixed, strict=True):
            columns = dimensions[i][dimension].columns
            batch[:, columns] = batch[0, columns]
        read: dict[int, list[Array]] = {j: [] for j in range(len(subjects)) if j != i}
        for few in torch.split(latents, _AT_ONCE):
            shown = truth.sampler.generate(Latents(truth.latent, few.flatten(0, 1)))
            for j, parts in read.items():
                with _refusing(subjects[j]):
                    parts.append(read_dimensions(subjects[j], shown))
        for j, parts in read.items():
            codes = np.concatenate(parts).reshape(batches, BATCH, -1)
            scores[i, j] = _predicted(codes, fixed, classes[j], len(dimensions[i]))
    return (scores + scores.T) / 2, batches * BATCH


class _Code(NamedTuple):
    """A categorical code as it was read: a class for each sample (N,), and how many classes there are."""

    read: Tensor
    size: int


def _matched(ours: Sequence[_Code], theirs: Sequence[_Code]) -> float:
    """The mean share of samples on which codes of two runs agree, under the best matching of codes and of classes."""
    from scipy.optimize import linear_sum_assignment  # takes long to import

    shares = np.zeros((len(ours), len(theirs)))
    for i, one in enumerate(ours):
        for j, other in enumerate(theirs):
            table = contingency(one.read, other.read, one.size, other.size)
            shares[i, j] = accuracy(table, one_to_one(table))
    return float(shares[linear_sum_assignment(shares, maximize=True)].sum() / max(shares.shape))


def _predicted(codes: Array, fixed: Indices, classes: Sequence[int], factors: int) -> float:
    """FactorVAE's score of codes (V, N, D), each half of the batches by the votes of the other."""
    shape, half = (codes.shape[2], factors), len(codes) // 2
    least = least_varying(codes, spread(codes.reshape(-1, shape[0]), classes), classes)
    one, other = slice(half), slice(half, None)
    both = ((one, other), (other, one))
    return float(np.mean([factor_vae(least[a], fixed[a], least[b], fixed[b], shape)[0] for a, b in both]))


def _has_categories(subject: Subject) -> bool:
    return any(isinstance(variable, Categorical) for _, variable in subject.latent.codes.items())


@contextmanager
def _refusing(subject: Subject) -> Iterator[None]:
    """Says of which run something cannot be had."""
    try:
        yield
    except Unavailable as reason:
        raise UsageError(f"{subject.run.name} cannot be ranked: {reason}") from reason
