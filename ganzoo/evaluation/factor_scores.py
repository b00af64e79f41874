"""How well codes separate known factors: pure functions of both, after disentanglement_lib (Locatello et al. 2019).

Throughout, N samples have D codes and k factors. Codes are (N, D) floating point; ``classes`` has one number a
code: 0 where it is a number, K where it is one of K classes that have no order, of which the column holds the
index. Where every code is a number, each function is that of disentanglement_lib, which knows no others; where
one is a class, whatever is told by distances between numbers is told by "the same" and "another". Factors are
(N, k) int64, the indices of their values. Neither has to be scaled.

scipy and scikit-learn take long to import, so each function imports what it needs of them.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BINS",
    "DCI",
    "Array",
    "Indices",
    "Trees",
    "beta_vae",
    "dci",
    "factor_vae",
    "gap",
    "importances",
    "least_varying",
    "mean_difference",
    "mig",
    "mutual_information",
    "sap_matrix",
    "spread",
]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Trees = Literal["boosting", "forest"]

BINS = 20
"""Bins of equal width, from the smallest to the largest value, that a number is put into to count information."""

_ALIVE = 0.05
"""Standard deviation below which the FactorVAE score leaves a code out."""


class DCI(NamedTuple):
    """Disentanglement, completeness and informativeness, each in [0, 1]."""

    disentanglement: float
    completeness: float
    informativeness: float


def mutual_information(codes: Array, factors: Indices, classes: Sequence[int]) -> Array:
    """Information between each code, in bins, and each factor: (D, k), in nats."""
    from sklearn.metrics import mutual_info_score

    return np.array(
        [
            [mutual_info_score(factor, code if size else _binned(code)) for factor in factors.T]
            for code, size in zip(codes.T, classes, strict=True)
        ]
    )


def mig(information: Array, factors: Indices) -> float:
    """The mutual information gap (Chen et al. 2018, arXiv 1802.04942, section 4.1).

    Args:
        information: (D, k) between codes and factors, D at least 2, in nats.
        factors: (N, k).

    Returns:
        Of each factor the information of the best code less that of the second best, as a share of the
        factor's entropy; the mean over factors.
    """
    from sklearn.metrics import mutual_info_score

    entropies = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    return float((_gaps(information) / entropies).mean())


def sap_matrix(
    codes: Array, factors: Indices, test_codes: Array, test_factors: Indices, classes: Sequence[int]
) -> Array:
    """How well each code alone predicts each factor (Kumar et al. 2018, arXiv 1711.00848, section 3).

    Returns:
        (D, k) shares of the test samples that a linear support vector machine gets right, with C = 0.01 and
        balanced classes; ``gap`` of it is the SAP score.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    matrix = np.empty((codes.shape[1], factors.shape[1]))
    for code, size in enumerate(classes):
        seen, unseen = (_expanded(values[:, [code]], [size])[0] for values in (codes, test_codes))
        for factor in range(factors.shape[1]):
            machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # of codes that say nothing
                machine.fit(seen, factors[:, factor])
            matrix[code, factor] = machine.score(unseen, test_factors[:, factor])
    return matrix


def gap(matrix: Array) -> float:
    """Of each column of (D, k) the largest value less the second largest; the mean over columns."""
    return float(_gaps(matrix).mean())


def importances(
    codes: Array,
    factors: Indices,
    test_codes: Array,
    test_factors: Indices,
    classes: Sequence[int],
    trees: Trees = "boosting",
    seed: int = 0,
) -> tuple[Array, float]:
    """How much each code matters to trees that predict each factor from all codes.

    Args:
        codes: to fit to.
        factors: those of ``codes``.
        test_codes: to predict from.
        test_factors: those of ``test_codes``.
        classes: of the codes.
        trees: ``boosting``, scikit-learn's gradient-boosted trees as they come, which disentanglement_lib
            uses; or ``forest``, 20 trees with at least 50 samples a leaf, a hundred times faster (Eastwood and
            Williams 2018 used a forest too).
        seed: of the trees.

    Returns:
        (D, k) decreases of impurity, each column summing to 1, or to 0 where no tree could split; and the
        share of test samples that are predicted correctly, averaged over factors.
    """
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    wide, owner = _expanded(codes, classes)
    wide_test, _ = _expanded(test_codes, classes)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    right = []
    for factor in range(factors.shape[1]):
        model: Any
        if trees == "boosting":
            model = GradientBoostingClassifier(random_state=seed)
        else:
            model = RandomForestClassifier(20, min_samples_leaf=50, max_features=None, random_state=seed)
        model.fit(wide, factors[:, factor])
        np.add.at(matrix[:, factor], owner, model.feature_importances_)
        right.append(model.score(wide_test, test_factors[:, factor]))
    return matrix, float(np.mean(right))


def dci(matrix: Array, informativeness: float) -> DCI:
    """Disentanglement and completeness (Eastwood and Williams 2018, section 2).

    Args:
        matrix: (D, k) importances, D and k at least 2.
        informativeness: passed on.

    Returns:
        With them: of each code 1 less the entropy of its importances over factors, of each factor 1 less that
        of its importances over codes, in units of the largest entropy there could be, and averaged in
        proportion to their importances.
    """
    from scipy.stats import entropy

    codes, factors = matrix.shape
    weights = matrix if matrix.sum() else np.ones_like(matrix)
    weights = weights / weights.sum()
    per_code = 1 - entropy(matrix.T + 1e-11, base=factors)
    per_factor = 1 - entropy(matrix + 1e-11, base=codes)
    return DCI(float(per_code @ weights.sum(1)), float(per_factor @ weights.sum(0)), informativeness)


def spread(codes: Array, classes: Sequence[int]) -> Array:
    """How much codes vary over the last axis but one: (…, N, D) to (…, D), without bias.

    The variance of a number; of a class, half the probability that two samples differ, which for two classes is
    the variance of 0 and 1.
    """
    found: Array = codes.var(axis=-2, ddof=1)
    count = codes.shape[-2]
    for code, size in enumerate(classes):
        if size:
            shares = (codes[..., code, None] == np.arange(size)).mean(-2)
            found[..., code] = (1 - np.square(shares).sum(-1)) / 2 * count / (count - 1)
    return found


def least_varying(batches: Array, overall: Array, classes: Sequence[int]) -> Indices:
    """Which code varies least in each batch, measured by how much it varies over all.

    Args:
        batches: (V, N, D), V batches.
        overall: (D,), ``spread`` over all combinations.
        classes: of the codes.

    Returns:
        (V,) indices of codes; -1 where no code varies at all.
    """
    alive = np.flatnonzero(np.sqrt(overall) >= _ALIVE)
    if not len(alive):
        return np.full(len(batches), -1)
    relative = spread(batches, classes)[:, alive] / overall[alive]
    chosen: Indices = alive[relative.argmin(1)]
    return chosen


def factor_vae(
    least: Indices, fixed: Indices, test_least: Indices, test_fixed: Indices, shape: tuple[int, int]
) -> tuple[float, Indices]:
    """The FactorVAE score (Kim and Mnih 2018, arXiv 1802.05983, section 4).

    Args:
        least: (V,), for each batch the code that varies least, or -1.
        fixed: (V,), the factor that was kept the same in it.
        test_least: the same of other batches.
        test_fixed: the same of other batches.
        shape: (D, k).

    Returns:
        The share of the other batches whose factor is the one that most batches with the same least varying
        code had, 0 where no code varies; and these votes, (D, k).
    """
    votes = np.zeros(shape, np.int64)
    if (least < 0).any():
        return 0.0, votes
    np.add.at(votes, (least, fixed), 1)
    return float((votes.argmax(1)[test_least] == test_fixed).mean()), votes


def mean_difference(first: Array, second: Array, classes: Sequence[int]) -> Array:
    """Mean distance of codes in pairs of samples, (V, N, D) each: (V, D); of classes, how many differ."""
    distance = np.abs(first - second)
    unordered = np.array(classes) > 0
    distance[..., unordered] = distance[..., unordered] > 0
    found: Array = distance.mean(1)
    return found


def beta_vae(differences: Array, shared: Indices, test_differences: Array, test_shared: Indices) -> float:
    """The BetaVAE score (Higgins et al. 2017, section 3).

    Args:
        differences: (V, D), ``mean_difference`` of pairs that share the value of one factor.
        shared: (V,), that factor.
        test_differences: the same of other pairs.
        test_shared: the same of other pairs.

    Returns:
        The share of the other pairs whose factor a logistic regression gets right: one factor against the rest,
        C = 1, which was scikit-learn's default when disentanglement_lib was published.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    model = OneVsRestClassifier(LogisticRegression(solver="liblinear", random_state=0))
    return float(model.fit(differences, shared).score(test_differences, test_shared))


def _binned(values: Array) -> Indices:
    edges = np.histogram(values, BINS)[1]
    return np.digitize(values, edges[:-1])


def _gaps(matrix: Array) -> Array:
    ordered = np.sort(matrix, axis=0)
    gaps: Array = ordered[-1] - ordered[-2]
    return gaps


def _expanded(codes: Array, classes: Sequence[int]) -> tuple[Array, Indices]:
    """Codes with a column a class in place of the index of one, (N, D'), and which code each is of, (D',)."""
    blocks = [
        (codes[:, [code]] == np.arange(size)).astype(np.float64) if size else codes[:, [code]]
        for code, size in enumerate(classes)
    ]
    return np.hstack(blocks), np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
