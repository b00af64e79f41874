"""The downloaded sets, read by torchvision's own code from small files in their true formats."""

import gzip
import io
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.downloads import Download, default_root
from ganzoo.data.torchvision_sets import CIFAR10, KMNIST, SVHN, FashionMNIST

SMALL = {"train": (2,) * 10, "test": (1,) * 10}
LABELS = {"train": np.arange(20) % 10, "test": np.arange(10)}
RANDOM = np.random.default_rng(0)
GREY = {part: RANDOM.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8) for part, labels in LABELS.items()}
COLOUR = {part: RANDOM.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8) for part, labels in LABELS.items()}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets files through that are not the published ones, which is what the checksums are there to stop."""
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda path, md5: True)
    monkeypatch.setattr("ganzoo.data.downloads.is_whole", lambda path, archive: path.is_file())
    for dataset in (FashionMNIST, KMNIST, SVHN, CIFAR10):
        monkeypatch.setattr(dataset, "counts", SMALL)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", fail)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4) for size in array.shape) + array.tobytes()


def write_grey(root: Path, folder: str) -> None:
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for part, stem in (("train", "train"), ("test", "t10k")):
        (raw / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY[part])))
        (raw / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[part].astype(np.uint8))))


def write_cifar10(root: Path) -> None:
    """The archive, as it is downloaded: five pickles to train with, four images in each."""
    contents = {"test_batch": (COLOUR["test"], LABELS["test"]), "batches.meta": None}
    for number in range(5):
        rows = slice(4 * number, 4 * number + 4)
        contents[f"data_batch_{number + 1}"] = (COLOUR["train"][rows], LABELS["train"][rows])
    with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name, content in contents.items():
            held = {"label_names": list(CIFAR10.classes)}
            if content is not None:
                held = {"data": content[0].reshape(-1, 3072), "labels": content[1].tolist()}
            packed = pickle.dumps(held, protocol=2)
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(packed)
            archive.addfile(entry, io.BytesIO(packed))


def write_svhn(root: Path) -> None:
    from scipy.io import savemat

    for part, labels in LABELS.items():
        digits = np.where(labels == 0, 10, labels).astype(np.uint8)[:, None]
        savemat(root / f"{part}_32x32.mat", {"X": COLOUR[part].transpose(2, 3, 1, 0), "y": digits})


def written(dataset: type[Download], root: Path) -> dict[str, np.ndarray]:
    if dataset is SVHN:
        write_svhn(root)
    elif dataset is CIFAR10:
        write_cifar10(root)
    else:
        write_grey(root, {"fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}[dataset.name])
        return {part: images[:, None] for part, images in GREY.items()}
    return COLOUR


@pytest.mark.usefixtures("small", "offline")
@pytest.mark.parametrize("dataset", [FashionMNIST, KMNIST, SVHN, CIFAR10])
def test_files_in_their_true_format_are_read(dataset: type[Download], tmp_path: Path) -> None:
    images = written(dataset, tmp_path)
    made = dataset(root=str(tmp_path))
    for part in ("train", "test"):
        split = made.split(part)
        assert split.tensor().numpy().tobytes() == images[part].tobytes()
        assert split[0].shape == made.spec.shape
        assert split[0].dtype == torch.uint8
        assert split.labels["label"].tolist() == LABELS[part].tolist()
        assert split.labels["label"].dtype == torch.int64
    assert made.spec.size == 20
    assert len({made.split("train").checksum, made.split("test").checksum}) == 2
    assert made.split("train").checksum == dataset(root=str(tmp_path)).split("train").checksum
    few = dataset(root=str(tmp_path), labels=10).split("train")
    assert few.labels["label"].add(1).bincount().tolist() == [10] + [1] * 10


@pytest.mark.parametrize(
    ("dataset", "shape", "train", "test"),
    [
        (FashionMNIST, (1, 28, 28), 60000, 10000),
        (KMNIST, (1, 28, 28), 60000, 10000),
        (SVHN, (3, 32, 32), 73257, 26032),
        (CIFAR10, (3, 32, 32), 50000, 10000),
    ],
)
@pytest.mark.usefixtures("offline")
def test_specification_needs_no_download(
    dataset: type[Download], shape: tuple[int, ...], train: int, test: int, tmp_path: Path
) -> None:
    spec = dataset(root=str(tmp_path)).spec
    assert (spec.name, spec.shape, spec.range, spec.size) == (dataset.name, shape, (-1, 1), train)
    assert len(set(spec.labels["label"].classes)) == 10
    assert sum(dataset.counts["test"]) == test
    assert not list(tmp_path.iterdir())


def test_classes_are_those_of_torchvision() -> None:
    from torchvision import datasets

    assert list(FashionMNIST.classes) == datasets.FashionMNIST.classes
    assert list(KMNIST.classes) == datasets.KMNIST.classes


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("dataset", [FashionMNIST, KMNIST, SVHN, CIFAR10])
def test_offline_says_what_was_wanted_where_it_would_go_and_what_needs_no_network(
    dataset: type[Download], tmp_path: Path
) -> None:
    root = tmp_path / "deep" / "root"
    with pytest.raises(RunError) as caught:
        dataset(root=str(root)).split("train")
    said = str(caught.value)
    assert said.startswith(f"the data set {dataset.name} could not be downloaded into {root} (")
    assert "Name or service not known" in said
    assert said.endswith("or use one that needs none: mnist, or any folder of images (--data path/)")
    assert "\n" not in said


@pytest.mark.usefixtures("small", "offline")
@pytest.mark.parametrize("stem", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_half_unpacked_files_are_damage_and_not_a_matter_of_the_network(tmp_path: Path, stem: str) -> None:
    write_grey(tmp_path, "FashionMNIST")
    FashionMNIST(root=str(tmp_path)).split("train")
    file = tmp_path / "FashionMNIST" / "raw" / stem
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(RunError, match=r"fashion-mnist in .* is damaged \(.*\); delete FashionMNIST there") as caught:
        FashionMNIST(root=str(tmp_path)).split("train")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("small")
def test_other_numbers_than_published_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_grey(tmp_path, "KMNIST")
    monkeypatch.setattr(KMNIST, "counts", {"train": (2,) * 9 + (1,), "test": (1,) * 10})
    with pytest.raises(RunError, match=r"damaged \(20 images and 20 labels\)"):
        KMNIST(root=str(tmp_path)).split("train")
    monkeypatch.setattr(KMNIST, "counts", {"train": (2,) * 8 + (1, 3), "test": (1,) * 10})
    with pytest.raises(RunError, match="classes are not as frequent"):
        KMNIST(root=str(tmp_path)).split("train")


@pytest.mark.usefixtures("offline")
def test_published_md5_guards_the_pickles(tmp_path: Path) -> None:
    write_cifar10(tmp_path)
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    with pytest.raises(RunError, match=r"cifar10 in .* is damaged"):
        CIFAR10(root=str(tmp_path)).split("train")


def test_missing_scipy_is_said_before_anything_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SVHN, "needs", "no_such_module")
    with pytest.raises(RunError, match="svhn is read with no_such_module: pip install no_such_module"):
        SVHN(root=str(tmp_path / "root")).split("train")
    assert not (tmp_path / "root").exists()


def test_root_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="the folder cannot be made: "):
        KMNIST(root=str(tmp_path / "file" / "root")).split("train")


@pytest.mark.usefixtures("small", "offline")
def test_files_in_a_read_only_folder_are_used_and_missing_ones_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_svhn(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert len(SVHN(root=str(tmp_path)).split("train")) == 20
    assert not list(tmp_path.glob(".*lock"))
    with pytest.raises(RunError, match="the folder cannot be written to"):
        KMNIST(root=str(tmp_path)).split("train")


def test_default_root_is_a_cache_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("GANZOO_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert KMNIST().root == default_root() == tmp_path / ".cache" / "ganzoo"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_root() == tmp_path / "cache" / "ganzoo"
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "sets"))
    assert default_root() == tmp_path / "sets"


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="labels=70000 is impossible"):
        KMNIST(labels=70000)
    with pytest.raises(UsageError, match="no option of data set kmnist 'rot'; did you mean 'root'"):
        KMNIST(rot="x")


def test_torchvision_is_not_imported_before_it_is_needed() -> None:
    program = """
import sys
from ganzoo.data.plugin import ganzoo_register_datasets
for dataset in ganzoo_register_datasets():
    if dataset.name != "folder":
        assert dataset().spec.size
assert len(ganzoo_register_datasets()[0]().split("test")) == 10000
assert not {"torchvision", "scipy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
