"""The critic's trunk as a representation of real samples, held against the samples' own values."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ganzoo.core.streams import stable_seed
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.subject import Part, Subject

__all__ = [
    "COMPACT",
    "COMPONENTS",
    "STANDARD",
    "Classes",
    "Pair",
    "compact",
    "fit_seed",
    "pooled",
    "read_by",
    "representations",
    "supervision",
    "true_classes",
]

SIDE = 4
"""Maps are averaged down to this many cells a side."""

COMPONENTS = 64
"""Principal components that distances are measured in. On MNIST, k-means and nearest neighbours find the same
in 64, 128 and 256 of them."""

RAW = ("pixels", "values")
"""What samples as they are are called: of pictures, and of anything else."""

# What protocols say of the features, whichever they are; the critic's layers have names of its own.
_LAYERS = f"all the critic's layers, averaged to {SIDE}×{SIDE}"
STANDARD = f"standardised features ({_LAYERS})"
COMPACT = f"at most {COMPONENTS} components of the features ({_LAYERS}, of unit length)"


class Pair(NamedTuple):
    """A representation of labelled real samples.

    Attributes:
        train: (N, F), float32, of training samples.
        test: (M, F), of test samples.
        what: what it is, in words.
    """

    train: Tensor
    test: Tensor
    what: str


class Classes(NamedTuple):
    """The classes of the samples of a pair.

    Attributes:
        train: (N,), int64.
        test: (M,), int64.
        names: of the classes, in index order.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    names: tuple[str, ...]


def read_by(subject: Subject, name: str) -> str:
    """What a protocol adds of the critic for the representation of that name; nothing for the samples' own values."""
    return "" if name in RAW else f"; {subject.critic_protocol}"


def true_classes(subject: Subject) -> Classes:
    """Classes of the labelled samples that representations are fitted to and tested on.

    Raises:
        Unavailable: the data have no labels, fewer than 10 samples a class, or one class alone.
    """
    train, test = (_labelled(subject, part)[1] for part in ("train", "test"))
    names = subject.data.labels[subject.label].classes
    for part, classes in (("training", train), ("test", test)):
        subject.at_least(10 * len(names), len(classes), f"labelled {part} samples")
        if bool((classes == classes[0]).all()):
            raise Unavailable(f"all labelled {part} samples of {subject.data.name} are of one class")
    return Classes(train.numpy(), test.numpy(), names)


def supervision(subject: Subject) -> str:
    """What has to be said of errors in the first label where it is a condition of the model; else nothing."""
    return "the critic was trained with these labels" if subject.label in subject.latent.conditions else ""


def representations(subject: Subject) -> Iterator[tuple[str, Pair]]:
    """The critic's trunk, the values themselves (``pixels`` of pictures), and the codes where there are any.

    Raises:
        Unavailable: the critic sees a condition, so a sample alone has no features.
    """
    train, test = (torch.cat(list(_trunk(subject, part).values()), dim=1) for part in ("train", "test"))
    names = ", ".join(_trunk(subject, "test"))
    yield "critic", Pair(train, test, f"the critic's trunk ({names}), maps averaged to {SIDE}×{SIDE}")
    yield _values(subject)
    if subject.latent.codes:
        train, test = (_posteriors(subject, part) for part in ("train", "test"))
        if train.numel():
            codes = ", ".join(subject.latent.codes)
            yield "codes", Pair(train, test, f"parameters of the critic's posteriors over {codes}")


def compact(subject: Subject) -> Iterator[tuple[str, Pair]]:
    """The critic's trunk, each layer brought to unit length, and the values, both for measuring distances.

    Raises:
        Unavailable: as for ``representations``.
    """

    def critic() -> Pair:
        train, test = (
            torch.cat([normalize(layer) for layer in _trunk(subject, part).values()], dim=1)
            for part in ("train", "test")
        )
        names = ", ".join(_trunk(subject, "test"))
        what = f"the critic's trunk ({names}), maps averaged to {SIDE}×{SIDE}, each layer of unit length"
        return _projected(Pair(train, test, what), subject)

    yield "critic", subject.once(("compact", "critic"), critic)
    name, values = _values(subject)
    yield name, subject.once(("compact", name), lambda: _projected(values, subject))


def pooled(map: Tensor) -> Tensor:
    """A map (n, C, H, W) averaged to at most 4×4 and flattened, (n, F); other shapes are flattened alone.

    Source: Radford, Metz & Chintala 2016, arXiv 1511.06434, section 5.1, who take maxima; averages are what
    clusters of such features are made from.
    """
    if map.dim() == 4:
        map = adaptive_avg_pool2d(map, (min(SIDE, map.shape[2]), min(SIDE, map.shape[3])))
    return map.flatten(1)


def fit_seed(subject: Subject, *key: int | str) -> int:
    """A seed for scikit-learn, in [0, 2**32), that depends on the subject's seed and the key."""
    return stable_seed(subject.seed, "evaluation", *key) % 2**32


def _labelled(subject: Subject, part: Part) -> tuple[Tensor, Tensor]:
    return subject.labelled(part, subject.setting.train if part == "train" else subject.setting.real)


def _trunk(subject: Subject, part: Part) -> dict[str, Tensor]:
    """The pooled maps of the trunk by layer, (N, F) each."""

    def make() -> dict[str, Tensor]:
        values = _labelled(subject, part)[0]
        kept = _distinct(subject.layers(values[:1]))
        maps = subject.layers(values, pooled)
        if not kept:
            raise Unavailable("the critic's trunk has no layers to look at")
        return {name: maps[name] for name in kept}

    return subject.once(("trunk", part), make)


def _distinct(maps: dict[str, Tensor]) -> list[str]:
    """The layers that are not merely the values of the one before in another shape or order."""
    names: list[str] = []
    before: Tensor | None = None
    for name, map in maps.items():
        values = map.flatten().sort().values
        if before is None or not torch.equal(values, before):
            names.append(name)
        before = values
    return names


def _values(subject: Subject) -> tuple[str, Pair]:
    train, test = (_labelled(subject, part)[0].flatten(1) for part in ("train", "test"))
    pixels, values = RAW
    name = pixels if subject.data.is_image else values
    return name, Pair(train, test, f"the {name} themselves")


def _posteriors(subject: Subject, part: Part) -> Tensor:
    """Posterior parameters of every code that the critic recognises, side by side, (N, head widths)."""

    def make() -> Tensor:
        values = _labelled(subject, part)[0]
        # Where there is no code the critic is not asked: it may judge samples beside something else alone.
        recognised = subject.judge(values).recognised if len(subject.latent.codes) else {}
        read = [recognised[name] for name in subject.latent.codes if name in recognised]
        return torch.cat([values.new_empty(len(values), 0), *read], dim=1)

    return subject.once(("posteriors", part), make)


def _projected(pair: Pair, subject: Subject) -> Pair:
    """The pair on the first principal components of its training samples, if it is wider."""
    count = min(COMPONENTS, len(pair.train))
    if pair.train.shape[1] <= count:
        return pair
    from sklearn.decomposition import PCA  # takes long to import

    solver = PCA(count, svd_solver="randomized", iterated_power=3, random_state=fit_seed(subject, "components"))
    solver.fit(pair.train.numpy())
    train, test = (torch.from_numpy(solver.transform(part.numpy())) for part in (pair.train, pair.test))
    return Pair(train, test, f"{pair.what}, on {count} principal components")
