"""Fashion-MNIST, KMNIST, SVHN and CIFAR-10, downloaded and read by torchvision and held in memory."""

from abc import abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, Split
from ganzoo.core.invariance import Affine, Flip, Invariance
from ganzoo.data.archives import Archive
from ganzoo.data.downloads import Download, Part
from ganzoo.data.labels import LABEL, keep_labels, label_spec
from ganzoo.data.splits import TensorSplit, tensor_checksum

__all__ = ["CIFAR10", "KMNIST", "SVHN", "FashionMNIST"]

_IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
_CIFAR10_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))


class _Labelled(Download):
    """A set of small images, each of one class."""

    shape: ClassVar[tuple[int, int, int]]
    classes: ClassVar[tuple[str, ...]]
    invariances: ClassVar[tuple[Invariance, ...]] = (Affine(),)

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        self._spec = DataSpec(
            name=self.name,
            shape=self.shape,
            size=sum(self.counts["train"]),
            labels=label_spec(self.classes, self.counts["train"], self.options.labels),
            invariances=self.invariances,
        )

    @property
    def spec(self) -> DataSpec:
        """The specification, from what has been published; nothing is read or downloaded."""
        return self._spec

    def load(self, part: Part) -> Split:
        """Downloads the set if it is not there, and reads one part.

        Raises:
            RunError: it cannot be downloaded, or its files are damaged.
        """
        images, labels = self.arrays(self.fetch(part))
        counts = self.counts[part]
        if images.shape != (sum(counts), *self.shape) or labels.shape != images.shape[:1]:
            raise self.damaged(part, f"{len(images)} images and {len(labels)} labels")
        if labels.min() < 0 or torch.bincount(labels, minlength=len(counts)).tolist() != list(counts):
            raise self.damaged(part, "its classes are not as frequent as they should be")
        keep = self.options.labels if part == "train" else None
        labels = keep_labels(labels, counts, keep, self.name)
        return TensorSplit(images, {LABEL: labels}, tensor_checksum(images, labels))

    @abstractmethod
    def arrays(self, source: Any) -> tuple[Tensor, Tensor]:
        """Images (M, C, H, W) uint8 and labels (M,) int64 of torchvision's data set."""


class _Grey(_Labelled):
    """A set in the format of MNIST, with its number of images and as many of each class."""

    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    counts: ClassVar[dict[str, tuple[int, ...]]] = {"train": (6000,) * 10, "test": (1000,) * 10}

    def check_files(self, part: Part) -> None:
        """Compares the sizes of the unpacked files with those that they must have: torchvision reads them whole.

        Raises:
            ValueError: one is larger or smaller.
        """
        for place in self.files[part]:
            images, count = "images" in place, sum(self.counts["train" if "train" in place else "test"])
            expected = 16 + count * prod(self.shape) if images else 8 + count
            found = (self.root / place).stat().st_size
            if found != expected or not (self.root / place).is_file():
                raise ValueError(f"{place} has {found:,} bytes, not {expected:,}")

    def arrays(self, source: Any) -> tuple[Tensor, Tensor]:
        """Images (M, 1, 28, 28) uint8 and labels (M,) int64."""
        return source.data.unsqueeze(1), source.targets


def _idx_files(folder: str) -> dict[str, tuple[str, ...]]:
    # torchvision asks for both parts before it reads either.
    return dict.fromkeys(("train", "test"), tuple(f"{folder}/raw/{stem}-ubyte" for stem in _IDX))


def _idx_archives(folder: str, home: str, *published: tuple[int, str]) -> dict[str, Archive]:
    """The four packed files, each with its size and SHA-256, in the order of ``_IDX``."""
    return {
        f"{folder}/raw/{stem}-ubyte.gz": Archive(f"{home}/{stem}-ubyte.gz", size, digest)
        for stem, (size, digest) in zip(_IDX, published, strict=True)
    }


class FashionMNIST(_Grey):
    """Clothes, 60,000 to train, 10,000 to test, 28×28 grey (Xiao et al. 2017, arXiv 1708.07747)."""

    name: ClassVar[str] = "fashion-mnist"
    summary: ClassVar[str] = "clothes, 28×28 grey, 10 classes"
    files: ClassVar[dict[str, tuple[str, ...]]] = _idx_files("FashionMNIST")
    archives: ClassVar[Mapping[str, Archive]] = _idx_archives(
        "FashionMNIST",
        # The authors' own store; under the name that torchvision knows, it does without encryption.
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com",
        (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    )
    invariances: ClassVar[tuple[Invariance, ...]] = (Flip(), Affine(shear=0))
    classes: ClassVar[tuple[str, ...]] = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip

    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's FashionMNIST."""
        return datasets.FashionMNIST(self.root, train=part == "train", download=download)


class KMNIST(_Grey):
    """Cursive Japanese, 60,000 and 10,000 characters, 28×28 grey (Clanuwat et al. 2018, arXiv 1812.01718)."""

    name: ClassVar[str] = "kmnist"
    summary: ClassVar[str] = "cursive Japanese characters, 28×28 grey, 10 classes"
    files: ClassVar[dict[str, tuple[str, ...]]] = _idx_files("KMNIST")
    archives: ClassVar[Mapping[str, Archive]] = _idx_archives(
        "KMNIST",
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist",
        (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    )
    classes: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's KMNIST."""
        return datasets.KMNIST(self.root, train=part == "train", download=download)


class SVHN(_Labelled):
    """House numbers, 73,257 digits to train and 26,032 to test, 32×32 colour (Netzer et al. 2011)."""

    name: ClassVar[str] = "svhn"
    summary: ClassVar[str] = "digits of house numbers, 32×32 colour, 10 classes"
    needs: ClassVar[str | None] = "scipy"
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    counts: ClassVar[dict[str, tuple[int, ...]]] = {
        "train": (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
        "test": (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595),
    }
    files: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": ("train_32x32.mat",),
        "test": ("test_32x32.mat",),
    }
    archives: ClassVar[Mapping[str, Archive]] = {
        "train_32x32.mat": Archive(
            "https://ufldl.stanford.edu/housenumbers/train_32x32.mat",
            182040794,
            "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        ),
        "test_32x32.mat": Archive(
            "https://ufldl.stanford.edu/housenumbers/test_32x32.mat",
            64275384,
            "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        ),
    }

    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's SVHN."""
        return datasets.SVHN(self.root, split=part, download=download)

    def arrays(self, source: Any) -> tuple[Tensor, Tensor]:
        """Images (M, 3, 32, 32) uint8 and labels (M,) int64."""
        return torch.from_numpy(source.data), torch.from_numpy(source.labels)


class CIFAR10(_Labelled):
    """Photographs of ten kinds, 50,000 to train and 10,000 to test, 32×32 colour (Krizhevsky 2009).

    The files are Python pickles; torchvision opens one only after finding that its MD5 is the published one.
    """

    name: ClassVar[str] = "cifar10"
    summary: ClassVar[str] = "photographs of animals and vehicles, 32×32 colour, 10 classes"
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    invariances: ClassVar[tuple[Invariance, ...]] = (Flip(), Affine(shear=0))
    classes: ClassVar[tuple[str, ...]] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    counts: ClassVar[dict[str, tuple[int, ...]]] = {"train": (5000,) * 10, "test": (1000,) * 10}
    files: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("train", "test"),
        tuple(f"cifar-10-batches-py/{name}" for name in (*_CIFAR10_TRAIN, "test_batch", "batches.meta")),
    )

    archives: ClassVar[Mapping[str, Archive]] = {
        "cifar-10-python.tar.gz": Archive(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            170498071,
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        )
    }

    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's CIFAR10."""
        return datasets.CIFAR10(self.root, train=part == "train", download=download)

    def arrays(self, source: Any) -> tuple[Tensor, Tensor]:
        """Images (M, 3, 32, 32) uint8, channels last in memory, and labels (M,) int64."""
        return torch.from_numpy(source.data).permute(0, 3, 1, 2), torch.tensor(source.targets)
