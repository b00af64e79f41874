import lzma
import shutil
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
import torch

from ganzoo.core.data import Split
from ganzoo.core.errors import RunError, UsageError
from ganzoo.data import bundled, mnist
from ganzoo.data.mnist import MNIST

PUBLISHED = {
    "train": (
        60000,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "test": (
        10000,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


@pytest.fixture(scope="module")
def whole() -> MNIST:
    return MNIST()


@pytest.fixture(scope="module")
def few() -> MNIST:
    return MNIST(labels=100)


@pytest.fixture(scope="module", params=["train", "test"])
def part(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def content(split: Split) -> tuple[str, str]:
    """SHA-256 of the two original files, put together again from the tensors."""
    images, labels, size = split.tensor(), split.labels["label"], len(split).to_bytes(4)
    assert images is not None
    picture = bytes((0, 0, 8, 3)) + size + (28).to_bytes(4) * 2 + images.numpy().tobytes()
    return sha256(picture).hexdigest(), sha256(bytes((0, 0, 8, 1)) + size + bytes(labels.tolist())).hexdigest()


def test_both_parts_are_the_published_files(whole: MNIST, part: str) -> None:
    split = whole.split(part)
    size, images, labels = PUBLISHED[part]
    assert len(split) == size
    assert content(split) == (images, labels)


def test_samples_are_bytes_and_labels_are_indices(whole: MNIST, part: str) -> None:
    split = whole.split(part)
    assert split[0].shape == (1, 28, 28)
    assert split[0].dtype == torch.uint8
    assert split.labels["label"].dtype == torch.int64
    assert split[3].equal(split.tensor()[3])


def test_specification_agrees_with_the_data(whole: MNIST) -> None:
    spec, split = whole.spec, whole.split("train")
    assert (spec.name, spec.shape, spec.range, spec.size) == ("mnist", (1, 28, 28), (-1, 1), len(split))
    assert spec.labels["label"].classes == tuple("0123456789")
    shares = split.labels["label"].bincount().double() / len(split)
    assert spec.labels["label"].frequencies == tuple(shares.tolist())


def test_checksums_of_parts_and_options_differ(whole: MNIST, few: MNIST) -> None:
    checksums = {whole.split("train").checksum, whole.split("test").checksum}
    checksums.add(few.split("train").checksum)
    assert len(checksums) == 3


def test_specification_decompresses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "_read", None)
    assert MNIST().spec.size == 60000


def test_few_labels_are_balanced_and_the_test_part_keeps_its_own(few: MNIST) -> None:
    labels = few.split("train").labels["label"]
    assert labels[labels >= 0].bincount().tolist() == [10] * 10
    assert few.spec.labels["label"].frequencies == (0.1,) * 10
    assert few.split("test").labels["label"].min() == 0


@pytest.mark.parametrize("labels", [0, 9, 60001, "many"])
def test_impossible_number_of_labels_is_refused(labels: object) -> None:
    with pytest.raises(UsageError, match="labels"):
        MNIST(labels=labels)


def test_unknown_option_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="no option of data set mnist 'label'; did you mean 'labels'"):
        MNIST(label=3)


def test_bundled_files_are_small_and_their_licence_is_beside_them() -> None:
    folder = Path(str(files("ganzoo.data"))) / "files" / "mnist"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    notice = (folder / "NOTICE").read_text()
    assert "Yann LeCun, Corinna Cortes, Christopher J. C. Burges" in notice
    assert "CC BY-SA 3.0" in notice


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def of_other_content(path: Path) -> None:
    path.write_bytes(lzma.compress(bytes(10008)))


def much_too_long(path: Path) -> None:
    path.write_bytes(lzma.compress(bytes(10**6), preset=0))


def not_compressed(path: Path) -> None:
    path.write_bytes(b"<html>")


@pytest.mark.parametrize("harm", [missing, truncated, of_other_content, much_too_long, not_compressed])
def test_damaged_package_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    copy = tmp_path / "files" / "mnist"
    shutil.copytree(str(files("ganzoo.data").joinpath("files", "mnist")), copy)
    harm(copy / "t10k-labels-idx1-ubyte.xz")
    monkeypatch.setattr(bundled, "files", lambda package: tmp_path)
    monkeypatch.setattr(mnist, "_read", mnist._read.__wrapped__)  # not what an earlier test has read
    with pytest.raises(RunError, match=r"the bundled .*t10k-labels-idx1-ubyte.*; install ganzoo again$") as caught:
        MNIST().split("test")
    assert "\n" not in str(caught.value)


def test_what_has_been_begun_is_what_is_used_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "_begun", {})
    monkeypatch.setattr(bundled, "_unpack", lambda name: f"unpacked {name}".encode())
    bundled.begin()
    begun = bundled._begun["train-images-idx3-ubyte"]
    bundled.begin()
    assert bundled._begun == {"train-images-idx3-ubyte": begun}
    assert bundled.unpacked("train-images-idx3-ubyte") is begun.result()
    assert bundled._begun == {}
    again = bundled.unpacked("train-images-idx3-ubyte")
    assert again == begun.result() and again is not begun.result()


def test_what_goes_wrong_ahead_is_told_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "_begun", {})
    monkeypatch.setattr(bundled, "files", lambda package: Path("nowhere"))
    monkeypatch.setattr(mnist, "_read", mnist._read.__wrapped__)
    bundled.begin()
    with pytest.raises(RunError, match=r"train-images-idx3-ubyte.xz cannot be read .*; install ganzoo again$"):
        MNIST().split("train")
