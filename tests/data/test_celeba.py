from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.batches import batches
from ganzoo.data.celeba import ATTRIBUTES, CelebA
from ganzoo.data.decoding import Decoded, Framing, decode_all

PARTITION = [0, 0, 0, 0, 0, 1, 2, 2]


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight faces in CelebA's own files: every second one smiles, face i is of the grey 20 i."""
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda path, md5: True)
    monkeypatch.setattr("ganzoo.data.downloads.is_whole", lambda path, archive: path.is_file())
    monkeypatch.setattr(CelebA, "counts", {"train": (5,), "test": (2,)})
    images = tmp_path / "celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    names = [f"{number + 1:06}.jpg" for number in range(len(PARTITION))]
    for number, name in enumerate(names):
        Image.fromarray(np.full((218, 178, 3), 20 * number, np.uint8)).save(images / name)
    smiling = ATTRIBUTES.index("Smiling")
    attributes = [[-1] * smiling + [1 if i % 2 else -1] + [-1] * (39 - smiling) for i in range(len(names))]
    lists: dict[str, tuple[list[str], list[list[int]]]] = {
        "list_attr_celeba.txt": ([str(len(names)), " ".join(ATTRIBUTES) + " "], attributes),
        "identity_CelebA.txt": ([], [[1]] * len(names)),
        "list_bbox_celeba.txt": ([str(len(names)), "image_id x_1 y_1 width height"], [[1, 2, 3, 4]] * len(names)),
        "list_landmarks_align_celeba.txt": ([str(len(names)), " ".join("abcdefghij")], [[1] * 10] * len(names)),
        "list_eval_partition.txt": ([], [[part] for part in PARTITION]),
    }
    for file, (head, rows) in lists.items():
        lines = [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, rows, strict=True)]
        (tmp_path / "celeba" / file).write_text("\n".join(head + lines) + "\n")
    return tmp_path


@pytest.mark.parametrize(("options", "size"), [({}, 64), ({"size": 16, "crop": "none"}, 16)])
def test_images_are_read_in_order_and_made_square(faces: Path, options: dict[str, object], size: int) -> None:
    celeba = CelebA(root=str(faces), **options)
    assert celeba.spec.shape == (3, size, size)
    assert celeba.spec.labels == {}
    split = celeba.split("train")
    assert split.tensor().shape == (5, 3, size, size)
    assert split.tensor()[:, 0, 0, 0].tolist() == [0, 20, 40, 60, 80]
    assert split[2].equal(split.tensor()[2])
    assert celeba.split("test")[1].eq(140).all()


def test_streamed_images_equal_those_in_memory(faces: Path) -> None:
    streamed = CelebA(root=str(faces), memory=0).split("train")
    assert streamed.tensor() is None
    assert streamed[3].equal(CelebA(root=str(faces)).split("train").tensor()[3])


def test_images_that_may_be_held_and_are_too_many_for_the_device_are_decoded_once(
    faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    celeba = CelebA(root=str(faces), size=8, attribute="Smiling")
    one_by_one = CelebA(root=str(faces), size=8, memory=0).split("train")
    expected = batches(one_by_one, celeba.spec, batch=4, seed=0, workers=0)
    calls: list[int] = []

    def counted(paths: list[Path], framing: Framing, *, hold: bool) -> Decoded:
        calls.append(len(paths))
        return decode_all(paths, framing, hold=hold)

    monkeypatch.setattr("ganzoo.data.file_split.decode_all", counted)
    streamed = batches(celeba.split("train"), celeba.spec, batch=4, seed=0, memory_limit=0)
    for _ in range(4):
        assert next(streamed).values.equal(next(expected).values)
    assert calls == [5]


def test_an_attribute_can_be_the_label(faces: Path) -> None:
    celeba = CelebA(root=str(faces), attribute="Smiling")
    assert celeba.spec.labels["label"].classes == ("not Smiling", "Smiling")
    assert celeba.spec.labels["label"].frequencies == (3 / 5, 2 / 5)
    assert celeba.split("train").labels["label"].tolist() == [0, 1, 0, 1, 0]
    assert celeba.split("test").labels["label"].tolist() == [0, 1]
    few = CelebA(root=str(faces), attribute="Smiling", labels=2)
    assert few.split("train").labels["label"].add(1).bincount().tolist() == [3, 1, 1]


def test_checksum_follows_part_and_label(faces: Path) -> None:
    plain, labelled = CelebA(root=str(faces)), CelebA(root=str(faces), attribute="Young")
    assert len({one.split(part).checksum for one in (plain, labelled) for part in ("train", "test")}) == 4


def test_missing_image_is_named(faces: Path) -> None:
    (faces / "celeba" / "img_align_celeba" / "000002.jpg").unlink()
    with pytest.raises(RunError, match=r"the image '000002.jpg' in .* cannot be read"):
        CelebA(root=str(faces)).split("train").tensor()


def test_missing_rows_are_damage(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CelebA, "counts", {"train": (6,), "test": (2,)})
    with pytest.raises(RunError, match=r"celeba in .* is damaged \(5 images\); delete celeba there"):
        CelebA(root=str(faces)).split("train")


def test_what_cannot_be_downloaded_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise RuntimeError("Too many users\nhave viewed this file")

    monkeypatch.setattr("torchvision.datasets.celeba.download_file_from_google_drive", refuse)
    with pytest.raises(RunError, match=r"celeba could not be downloaded into .* \(Too many users have viewed this"):
        CelebA(root=str(tmp_path)).split("train")


def test_specification_without_a_label_needs_no_download(tmp_path: Path) -> None:
    assert CelebA(root=str(tmp_path / "none"), size=32).spec.size == 162770
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"attribute": "Smilling"}, "no attribute of data set celeba 'Smilling'; did you mean 'Smiling'"),
        ({"labels": 10}, "labels are those of an attribute"),
        ({"size": 0}, "size: "),
    ],
)
def test_impossible_options_are_refused_before_a_download(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CelebA(**options)
