"""Memorisation: whether generated samples are copies of training samples."""

import math
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.representation import COMPONENTS, fit_seed
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.subject import Subject

__all__ = ["Memorisation", "copying_z", "nearness"]

_FAST, _FULL = 2_000, 5_000  # generated samples that are looked up, and as many test samples

CHUNK = 500
"""Samples whose distances to all training samples are held at once."""

SEARCHED = 60_000
"""Training samples that are searched, at most …"""

VALUES = 2**27
"""… and values in them (512 MB)."""

FITTED = 10_000
"""Training samples that the principal components are found from."""

NEIGHBOURS = 50
"""Training samples around the nearest one that say how dense the data are there."""

USUAL = 0.01
"""Share of unseen real samples that are called copies."""

NEEDED = 200
"""Samples of each kind, so that a share of 1 % is more than nothing."""


class Memorisation(Metric):
    """The share of generated samples that are suspiciously near to one training sample.

    A sample's nearness is its distance to the nearest training sample, divided by the mean distance to the 50
    that follow: small for a copy, and not merely for a picture that is typical, as generated ones tend to be.
    As near as the nearest 1 % of test samples counts as a copy, so that about 1 % is innocent; the floor is the
    share of test samples by the measure of other ones. Distances are between the values, on
    their first 64 principal components. Copies of samples outside the part of the training split that is searched
    are not found.

    ``z`` in the details is the data-copying statistic for the distances alone: far below 0 where generated
    samples are nearer to training samples than test samples are. A tenth of copies hardly moves it.

    Source: the nearness, Carlini et al. 2023, arXiv 2301.13188, section 5.1; ``z``, Meehan, Chaudhuri & Dasgupta
    2020, arXiv 2004.05675, section 3.1, over the whole space as one cell.
    """

    name: ClassVar[str] = "memorisation"
    summary: ClassVar[str] = "share of samples that look like copies of training samples"
    group: ClassVar[Group] = "health"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """``memorisation``.

        Raises:
            Unavailable: there are fewer than 200 generated, training or test samples.
        """
        most = _FULL if subject.setting.name == "full" else _FAST
        count = min(most, subject.setting.samples)
        subject.at_least(NEEDED, count, "generated samples")
        train = subject.real("train", min(SEARCHED, max(NEEDED, VALUES // subject.data.numel))).values
        test = subject.real("test").values[:most]
        for part, values in (("training", train), ("test", test)):
            subject.at_least(NEEDED, len(values), f"real {part} samples")
        data, unseen, fakes = _projected(subject, train, test, subject.fakes(count))
        near, distances = nearness(fakes, data)
        usual, usual_distances = nearness(unseen, data)
        floor = (_copies(usual[::2], usual[1::2]) + _copies(usual[1::2], usual[::2])) / 2
        yield subject.score(
            "memorisation",
            _copies(near, usual),
            f"{count:,} generated samples, each nearer to one of {len(data):,} training samples, relative to the "
            f"{NEIGHBOURS} that follow, than {100 * (1 - USUAL):.0f} % of {len(unseen):,} test samples; values on "
            f"{data.shape[1]} principal components",
            unit="share",
            better="lower",
            floor=floor,
            samples=count,
            real=len(unseen),
            split="test",
            details={
                "z": copying_z(distances, usual_distances),
                "median": float(near.median()),
                "median_of_test": float(usual.median()),
            },
        )


def nearness(samples: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
    """How near each sample is to the nearest row of the data.

    Args:
        samples: (N, F).
        data: (M, F), more than one row.

    Returns:
        (N,), the distance to the nearest row divided by the mean distance to the (at most 50) that follow, in
        [0, 1], and 1 where all of them are the sample itself; and (N,), the distance alone.
    """
    count = min(NEIGHBOURS + 1, len(data))
    chunks = (samples[start : start + CHUNK] for start in range(0, len(samples), CHUNK))
    found = torch.cat([torch.cdist(rows, data).topk(count, largest=False).indices for rows in chunks])
    # Found by a matrix product, which rounds the distance of equals to more than 0; so once more for these few.
    distances = (samples[:, None] - data[found]).norm(dim=2).sort(dim=1).values
    nearest, following = distances[:, 0], distances[:, 1:].mean(dim=1)
    return torch.where(following > 0, nearest / following, 1.0), nearest


def copying_z(generated: Tensor, unseen: Tensor) -> float:
    """Mann and Whitney's U of two sets of distances to the training samples, as a standard score.

    About normal with variance 1 where both are of one distribution; negative where the generated are smaller.

    Args:
        generated: (N,), distances of generated samples.
        unseen: (M,), of real samples that were not trained on.
    """
    from scipy.stats import mannwhitneyu  # takes long to import

    n, m = len(generated), len(unseen)
    above = float(mannwhitneyu(generated.numpy(), unseen.numpy()).statistic)
    return (above - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def _copies(nearness: Tensor, usual: Tensor) -> float:
    """Share that is as near as 1 % of the usual."""
    return float((nearness <= usual.quantile(USUAL)).double().mean())


def _projected(subject: Subject, train: Tensor, *others: Tensor) -> list[Tensor]:
    """Values on the principal components of training samples, where they have more dimensions."""
    flat = [values.flatten(1) for values in (train, *others)]
    if flat[0].shape[1] <= COMPONENTS:
        return flat
    from sklearn.decomposition import PCA

    seed = fit_seed(subject, "memorisation")
    solver = PCA(COMPONENTS, svd_solver="randomized", iterated_power=3, random_state=seed)
    solver.fit(flat[0][:FITTED].numpy())
    return [torch.from_numpy(solver.transform(values.numpy())) for values in flat]
