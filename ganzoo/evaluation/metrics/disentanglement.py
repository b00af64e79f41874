"""Disentanglement: whether each code follows one of the factors that made the sample."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ganzoo.core.data import FactorDataset
from ganzoo.data.batches import to_range
from ganzoo.evaluation.code_dimensions import code_dimensions, read_dimensions
from ganzoo.evaluation.factor_draws import Draws, FreshDraws, PooledDraws
from ganzoo.evaluation.factor_scores import (
    Array,
    Indices,
    Trees,
    beta_vae,
    dci,
    factor_vae,
    gap,
    importances,
    least_varying,
    mean_difference,
    mig,
    mutual_information,
    sap_matrix,
    spread,
)
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Counts", "Disentanglement"]

_BATCH = 64
_AT_ONCE = 250
"""Batches that are compared at once; bounds memory, and changes the random choices."""
_ENCODED = 2000
"""Samples that are made at once; bounds memory, changes no result."""


@dataclass(frozen=True)
class Counts:
    """How much of everything is used; the published numbers unless given.

    Attributes:
        train: samples, batches and pairs to fit to.
        test: samples, batches and pairs to test on.
        fresh: whether every batch is of samples of its own.
        trees: that DCI rests on.
    """

    train: int = 10_000
    test: int = 5_000
    fresh: bool = True
    trees: Trees = "boosting"


_COUNTS = {"fast": Counts(fresh=False, trees="forest"), "full": Counts()}


@dataclass(frozen=True)
class _Reader:
    """The codes that a critic reads off samples: posterior means of numbers, the likeliest of classes."""

    subject: Subject
    dataset: FactorDataset
    names: tuple[str, ...]
    classes: tuple[int, ...]

    @property
    def what(self) -> str:
        """The dimensions in words."""
        unordered = sum(size > 0 for size in self.classes)
        categorical = f", {unordered} of them categorical" if unordered else ""
        return f"{len(self.names)} code dimensions{categorical} ({self.subject.critic_protocol})"

    def __call__(self, combinations: Indices) -> Array:
        """The codes (N, D) of combinations (N, k)."""
        parts = [self._read(combinations[start : start + _ENCODED]) for start in range(0, len(combinations), _ENCODED)]
        return np.concatenate(parts)

    def _read(self, combinations: Indices) -> Array:
        observed = self.dataset.observe(torch.from_numpy(combinations))
        return read_dimensions(self.subject, to_range(observed, self.subject.data))


class Disentanglement(Metric):
    """The scores of disentanglement_lib (Locatello et al. 2019, arXiv 1811.12359, appendix C) of the critic's codes.

    A continuous code is one representation dimension a component, its posterior mean. A categorical code is one
    dimension, its likeliest class, whose classes have no order; disentanglement_lib knows no such dimensions, so
    the protocol says how many there are. Samples are any combinations of the factors.

    The full setting is the published protocol: 10,000 samples, batches and pairs to fit to and 5,000 to test on,
    of 64 samples each, 3 million samples in all. The fast one chooses batches among 10,000 and 5,000 samples, and
    DCI rests on a forest; scores of the two must not be compared.
    """

    name: ClassVar[str] = "disentanglement"
    summary: ClassVar[str] = "FactorVAE, BetaVAE, MIG, DCI and SAP of the codes, on data with known factors"
    group: ClassVar[Group] = "disentanglement"

    def __init__(self, counts: Counts | None = None) -> None:
        self._counts = counts

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Seven scores.

        Raises:
            Unavailable: the data have no known factors, or the run has fewer than two code dimensions.
        """
        dataset = subject.dataset
        if not isinstance(dataset, FactorDataset):
            raise Unavailable(f"the factors of {subject.data.name} are not known; train on sprites or dsprites")
        read = _reader(subject, dataset)
        counts = self._counts or _COUNTS[subject.setting.name]
        sizes = list(dataset.factors.values())
        random = np.random.default_rng(subject.generator("disentanglement").initial_seed())
        fit, test = (random.integers(0, sizes, (count, len(sizes))) for count in (counts.train, counts.test))
        codes, test_codes = read(fit), read(test)

        draws: tuple[Draws, Draws] = (PooledDraws(codes, fit, random), PooledDraws(test_codes, test, random))
        if counts.fresh:
            draws = (FreshDraws(read, sizes, random),) * 2
        yield from self._of_batches(subject, read, draws, counts, spread(codes, read.classes), random)

        head = f"disentanglement_lib, {read.what}, {len(sizes)} factors"
        names = {"codes": list(read.names), "factors": list(dataset.factors)}
        information = mutual_information(codes, fit, read.classes)
        yield subject.score(
            "mig",
            mig(information, fit),
            f"{head}, 20 bins, {counts.train:,} samples",
            better="higher",
            real=counts.train,
            details={**names, "information": information.tolist()},
        )
        both = f"{counts.train:,} samples to fit to and {counts.test:,} to test on"
        matrix = sap_matrix(codes, fit, test_codes, test, read.classes)
        yield subject.score(
            "sap",
            gap(matrix),
            f"{head}, linear support vector machines, {both}",
            better="higher",
            real=counts.train + counts.test,
            details={**names, "accuracy": matrix.tolist()},
        )
        seed = int(random.integers(2**31))
        weights, right = importances(codes, fit, test_codes, test, read.classes, counts.trees, seed)
        trees = {"boosting": "gradient-boosted trees", "forest": "a forest in place of gradient-boosted trees"}
        for part, value in dci(weights, right)._asdict().items():
            yield subject.score(
                f"dci_{part}",
                value,
                f"{head}, {trees[counts.trees]}, {both}",
                better="higher",
                unit="share" if part == "informativeness" else "",
                real=counts.train + counts.test,
                details={} if part == "informativeness" else {**names, "importance": weights.tolist()},
            )

    def _of_batches(
        self,
        subject: Subject,
        read: _Reader,
        draws: tuple[Draws, Draws],
        counts: Counts,
        overall: Array,
        random: np.random.Generator,
    ) -> Iterator[Score]:
        factors = len(read.dataset.factors)
        kept, least, shared, differences = [], [], [], []
        for draw, count in zip(draws, (counts.train, counts.test), strict=True):
            kept.append(random.integers(0, factors, count))
            shared.append(random.integers(0, factors, count))
            parts = [slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE)]
            fixed = (draw.fixed(kept[-1][part], _BATCH) for part in parts)
            least.append(np.concatenate([least_varying(each, overall, read.classes) for each in fixed]))
            pairs = (draw.pairs(shared[-1][part], _BATCH) for part in parts)
            differences.append(np.concatenate([mean_difference(*pair, read.classes) for pair in pairs]))
        origin = "" if counts.fresh else f", chosen among {counts.train:,} and {counts.test:,} samples"
        protocol = (
            f"disentanglement_lib, {read.what}, {factors} factors, {counts.train:,} batches "
            f"of {_BATCH} to fit to and {counts.test:,} to test on{origin}"
        )
        value, votes = factor_vae(least[0], kept[0], least[1], kept[1], (len(read.names), factors))
        accuracy = beta_vae(differences[0], shared[0], differences[1], shared[1])
        details = {"codes": list(read.names), "factors": list(read.dataset.factors), "votes": votes.tolist()}
        shown: dict[str, Any] = {"better": "higher", "unit": "share", "ceiling": 1 / factors}
        yield subject.score("factor_vae", value, protocol, details=details, **shown)
        yield subject.score("beta_vae", accuracy, protocol, **shown)


def _reader(subject: Subject, dataset: FactorDataset) -> _Reader:
    found = code_dimensions(subject.latent)
    return _Reader(subject, dataset, tuple(each.name for each in found), tuple(each.classes for each in found))
