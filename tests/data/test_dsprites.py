"""dSprites, read from small files in its true format."""

import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from ganzoo.core.errors import RunError
from ganzoo.data.dsprites import DSprites

SIZES = (3, 2, 5, 2, 3)
COUNT = 180
IMAGES = np.random.default_rng(0).integers(0, 2, (COUNT, 64, 64), dtype=np.uint8)


class Small(DSprites):
    """As many values of each factor as a test can write."""

    classes: ClassVar = {
        name: names[:size] for (name, names), size in zip(DSprites.classes.items(), SIZES, strict=True)
    }
    turn = 4


class Explosive:
    """Says so where it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("unpickled the metadata",))


def write(path: Path, **changed: np.ndarray) -> Path:
    """The file as published: colour is in the classes, and the metadata are a pickled object."""
    factors = np.stack(np.unravel_index(np.arange(COUNT), SIZES), axis=1)
    arrays = {
        "metadata": np.array({"title": "dSprites", "latents_sizes": Explosive()}, dtype=object),
        "imgs": IMAGES,
        "latents_classes": np.column_stack([np.zeros(COUNT, np.int64), factors]),
        "latents_values": np.column_stack([np.ones(COUNT), factors.astype(float)]),
    }
    np.savez_compressed(path, **(arrays | changed))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz")


def test_the_published_set_is_known_before_it_is_read() -> None:
    dsprites = DSprites(file="nowhere.npz")
    assert dict(dsprites.factors) == {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
    assert dsprites.spec.shape == (1, 64, 64)
    assert dsprites.spec.size == pytest.approx(737_280 * 0.9, rel=1e-4)
    assert all(len(set(label.classes)) == len(label.classes) for label in dsprites.spec.labels.values())


def test_file_is_read_wherever_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(file.parent))
    expected = torch.from_numpy(IMAGES[:7] * 255).unsqueeze(1)
    for dataset in (Small(), Small(root=str(file.parent)), Small(file=str(file))):
        assert dataset.render(torch.arange(7)).equal(expected)


def test_parts_are_the_pictures_of_their_labels(file: Path) -> None:
    dataset = Small(file=str(file))
    train, test = dataset.split("train"), dataset.split("test")
    assert len(train) == dataset.spec.size and len(train) + len(test) == COUNT and len(test) > 0
    seen = []
    for split in (train, test):
        factors = torch.stack([split.labels[name] for name in dataset.factors], dim=1)
        place = np.ravel_multi_index(tuple(factors.T.numpy()), SIZES)
        rows = split.rows(torch.arange(len(split)))
        assert rows.equal(torch.from_numpy(IMAGES[place] * 255).unsqueeze(1))
        assert rows.equal(dataset.observe(factors))
        seen += place.tolist()
    assert sorted(seen) == list(range(COUNT))
    assert train.checksum != test.checksum


def test_the_first_orientation_stays_with_the_last_which_looks_the_same(file: Path) -> None:
    held = {tuple(row) for row in torch.stack(list(Small(file=str(file)).split("test").labels.values()), 1).tolist()}
    ends = {row for row in held if row[2] in (0, 4)}
    assert ends and all((*row[:2], 4 - row[2], *row[3:]) in held for row in ends)


def test_checksum_is_that_of_the_pictures(file: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.npz", imgs=1 - IMAGES)
    checksums = {Small(file=str(path)).split("train").checksum for path in (file, other, file)}
    assert len(checksums) == 2


def test_missing_file_is_told_where_to_get(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not at .*or40x32y32_64x64\.npz; get dsprites_.*github\.com.* \(-d file=PATH"):
        DSprites(root=str(tmp_path)).split("train")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"latents_classes": np.zeros((COUNT, 6), np.int64)}, "its latents_classes are not the grid of factors"),
        ({"imgs": IMAGES[:-1]}, r"its imgs are uint8 of shape \(179, 64, 64\)"),
        ({"imgs": IMAGES.astype(np.int64)}, r"its imgs are int64"),
        ({"imgs": np.asfortranarray(IMAGES)}, "its imgs are uint8"),
        ({"imgs": np.array(IMAGES.tolist(), dtype=object)}, "its imgs are object"),
    ],
)
def test_file_of_other_arrays_is_refused(tmp_path: Path, changed: dict[str, np.ndarray], reason: str) -> None:
    path = write(tmp_path / "wrong.npz", **changed)
    with pytest.raises(RunError, match=rf"wrong\.npz is not the dSprites file \({reason}.*get dsprites_ndarray"):
        Small(file=str(path)).split("test")


@pytest.mark.parametrize("damage", ["cut", "text", "flipped", "empty"])
def test_damaged_file_is_refused_in_one_sentence(file: Path, damage: str) -> None:
    content = file.read_bytes()
    middle = len(content) // 2
    flipped = bytes(255 - byte for byte in content[middle : middle + 64])
    damaged = {
        "cut": content[:middle],
        "text": b"<html>not found</html>",
        "flipped": content[:middle] + flipped + content[middle + 64 :],
        "empty": b"",
    }
    file.write_bytes(damaged[damage])
    with pytest.raises(RunError, match=r"is not the dSprites file"):
        Small(file=str(file)).split("train")


def test_archive_without_pictures_is_refused(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(tmp_path / "part.npz", "w") as part:
        part.writestr("latents_classes.npy", whole.read("latents_classes.npy"))
    with pytest.raises(RunError, match=r"part\.npz is not the dSprites file"):
        Small(file=str(tmp_path / "part.npz")).split("train")
