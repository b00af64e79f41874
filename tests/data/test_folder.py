import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.batches import batches
from ganzoo.data.file_split import FileSplit
from ganzoo.data.folder import Folder

WriteImage = Callable[..., Path]


@pytest.fixture
def pets(tmp_path: Path, write_image: WriteImage) -> Path:
    """Twenty cats and ten dogs; each picture is of one colour, its number."""
    for number in range(20):
        write_image(f"pets/cats/{number:02}.png", number)
    for number in range(10):
        write_image(f"pets/dogs/young/{number:02}.png", 100 + number)
    return tmp_path / "pets"


def colours(folder: Folder, part: str) -> list[int]:
    split = folder.split(part)
    return [int(split[index][0, 0, 0]) for index in range(len(split))]


def test_subfolders_are_classes(pets: Path) -> None:
    folder = Folder(path=str(pets), size=8, test_share=0)
    assert (folder.spec.name, folder.spec.shape, folder.spec.size) == ("pets", (3, 8, 8), 30)
    assert folder.spec.labels["label"].classes == ("cats", "dogs")
    assert folder.spec.labels["label"].frequencies == (20 / 30, 10 / 30)
    assert folder.split("train").labels["label"].tolist() == [0] * 20 + [1] * 10
    assert colours(folder, "train") == [*range(20), *range(100, 110)]


@pytest.mark.parametrize("channels", [1, 3])
def test_size_and_channels_are_options(pets: Path, channels: int) -> None:
    folder = Folder(path=str(pets), size=16, channels=channels)
    tensor = folder.split("train").tensor()
    assert tensor is not None
    assert tensor.dtype == torch.uint8
    assert tensor.shape[1:] == folder.spec.shape == (channels, 16, 16)


def test_parts_are_disjoint_complete_and_fixed_by_the_path(pets: Path, write_image: WriteImage) -> None:
    folder = Folder(path=str(pets), size=8, test_share=0.4)
    train, test = colours(folder, "train"), colours(folder, "test")
    assert sorted(train + test) == [*range(20), *range(100, 110)]
    assert 0 < len(test) < 30
    for number in range(200, 220):
        write_image(f"pets/cats/{number}.png", number)
    grown = Folder(path=str(pets), size=8, test_share=0.4)
    assert [colour for colour in colours(grown, "test") if colour < 200] == test


def test_folders_train_and_test_are_the_parts(tmp_path: Path, write_image: WriteImage) -> None:
    for number, name in enumerate(["train/a/1", "train/b/1", "train/b/2", "test/b/1", "test/c/1", "extra/1"]):
        write_image(f"set/{name}.png", number)
    folder = Folder(path=str(tmp_path / "set"), size=8)
    assert folder.spec.labels["label"].classes == ("a", "b")
    assert colours(folder, "train") == [0, 1, 2]
    assert colours(folder, "test") == [3, 4]
    assert folder.split("test").labels["label"].tolist() == [1, -1]


def test_numbers_are_classes_in_the_order_of_their_values(tmp_path: Path, write_image: WriteImage) -> None:
    for number in range(12):
        write_image(f"set/{number}/a.png")
    classes = Folder(path=str(tmp_path / "set"), size=8, test_share=0).spec.labels["label"].classes
    assert classes == tuple(map(str, range(12)))


def test_flat_folder_has_no_labels(tmp_path: Path, write_image: WriteImage) -> None:
    write_image("set/a.png")
    write_image("set/only/b.png")
    folder = Folder(path=str(tmp_path / "set"), size=8, test_share=0)
    assert folder.spec.labels == folder.split("train").labels == {}


def test_image_outside_of_any_class_is_unlabelled(pets: Path, write_image: WriteImage) -> None:
    write_image("pets/zebra.png", 250)
    folder = Folder(path=str(pets), size=8, test_share=0)
    assert folder.split("train").labels["label"].tolist() == [0] * 20 + [1] * 10 + [-1]
    assert sum(folder.spec.labels["label"].frequencies) == pytest.approx(1)


def test_few_labels_can_be_kept(pets: Path) -> None:
    folder = Folder(path=str(pets), size=8, test_share=0, labels=6)
    labels = folder.split("train").labels["label"]
    assert labels.add(1).bincount().tolist() == [24, 3, 3]
    assert folder.spec.labels["label"].frequencies == (0.5, 0.5)


def test_hidden_and_other_files_are_passed_over(pets: Path, write_image: WriteImage) -> None:
    (pets / "README.txt").write_text("pets")
    (pets / "link.png").symlink_to(pets / "nowhere.png")
    write_image("pets/.thumbnails/a.png")
    write_image("pets/cats/.a.png")
    assert Folder(path=str(pets), size=8, test_share=0).spec.size == 30


def test_links_in_a_circle_end(pets: Path) -> None:
    (pets / "again").symlink_to(pets)
    assert Folder(path=str(pets), size=8, test_share=0).spec.size == 30


def test_broken_images_are_named_counted_and_left_out(pets: Path) -> None:
    (pets / "cats" / "03.png").write_bytes(b"broken")
    whole = (pets / "dogs" / "young" / "04.png").read_bytes()
    (pets / "dogs" / "young" / "04.png").write_bytes(whole[: len(whole) // 2])
    folder = Folder(path=str(pets), size=8, test_share=0)
    with pytest.warns(UserWarning, match=r"2 of 30 images .* are left out: 'cats/03.png' \(not an image") as caught:
        assert folder.spec.size == 28
    assert "'dogs/young/04.png'" in str(caught[0].message)
    assert list(folder.skipped) == ["cats/03.png", "dogs/young/04.png"]
    assert colours(folder, "train") == [n for n in (*range(20), *range(100, 110)) if n not in (3, 104)]
    assert folder.split("train").labels["label"].tolist() == [0] * 19 + [1] * 9


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.jpg").write_bytes(b"broken")
    folder = Folder(path=str(tmp_path), test_share=0)
    with pytest.raises(RunError, match=r"none of the 30 images .* can be read: '0.jpg' \(.*\).* and 20 more$"):
        folder.split("train")


def test_bomb_is_left_out(pets: Path, monkeypatch: pytest.MonkeyPatch, write_image: WriteImage) -> None:
    write_image("pets/cats/bomb.png", size=(9, 8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64)
    with pytest.warns(UserWarning, match=r"1 of 31 images .*'cats/bomb.png' \(9×8 pixels are more than the limit"):
        assert Folder(path=str(pets), size=8, test_share=0).spec.size == 30


def test_streamed_set_equals_the_one_in_memory(pets: Path) -> None:
    (pets / "cats" / "03.png").write_bytes(b"broken")
    held, streamed = (Folder(path=str(pets), size=8, memory=memory) for memory in (10**6, 0))
    with pytest.warns(UserWarning, match="left out"):
        specs = held.spec, streamed.spec
    assert specs[0] == specs[1]
    assert isinstance(streamed.split("train"), FileSplit)
    assert streamed.split("train").tensor() is None
    assert held.split("train").checksum == streamed.split("train").checksum
    one, other = (
        next(batches(folder.split("train"), specs[0], batch=40, seed=5, workers=0)) for folder in (held, streamed)
    )
    assert one.values.equal(other.values)
    assert one.labels["label"].equal(other.labels["label"])


def test_streamed_split_can_be_sent_to_a_worker(pets: Path) -> None:
    split = Folder(path=str(pets), size=8, memory=0, test_share=0).split("train")
    assert pickle.loads(pickle.dumps(split))[3].equal(split[3])


def test_file_that_breaks_later_is_named(pets: Path) -> None:
    split = Folder(path=str(pets), size=8, memory=0, test_share=0).split("train")
    (pets / "cats" / "00.png").unlink()
    with pytest.raises(RunError, match=r"the image 'cats/00.png' in .* cannot be read: No such file"):
        split[0]


def test_checksum_follows_names_contents_and_labels(pets: Path, write_image: WriteImage) -> None:
    def checksum(**options: int) -> str:
        return Folder(path=str(pets), size=8, test_share=0, **options).split("train").checksum

    seen = [checksum(), checksum(labels=4)]
    assert checksum() == seen[0]
    write_image("pets/cats/00.png", 99)
    seen.append(checksum())
    (pets / "cats" / "00.png").rename(pets / "cats" / "0.png")
    seen.append(checksum())
    assert len(set(seen)) == 4


def test_name_is_fit_for_a_run_directory(tmp_path: Path, write_image: WriteImage) -> None:
    write_image("my faces (2)/a.png")
    assert Folder(path=str(tmp_path / "my faces (2)"), test_share=0).spec.name == "my-faces-2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "nowhere"}, "'nowhere' does not exist, where a folder of images was expected"),
        ({"path": "file.zip"}, "'file.zip' is a file"),
        ({"path": "empty"}, "no images to train with in empty"),
        ({"path": "pets", "labels": 1}, "labels=1 is impossible"),
        ({"path": "pets/cats", "labels": 3}, "labels=3 needs two or more subfolders"),
    ],
)
def test_impossible_folder_is_one_sentence(
    pets: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object], said: str
) -> None:
    monkeypatch.chdir(pets.parent)
    Path("empty").mkdir()
    Path("file.zip").touch()
    with pytest.raises(UsageError, match=said):
        _ = Folder(**options).spec


def test_missing_test_part_is_one_sentence(pets: Path) -> None:
    with pytest.raises(UsageError, match=r"no images to test with .*; a larger test_share"):
        Folder(path=str(pets), size=8, test_share=0).split("test")


@pytest.mark.parametrize("wrong", [{"size": 3}, {"channels": 2}, {"crop": "left"}, {"test_share": 1}, {"path": ""}])
def test_impossible_option_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"data set folder: {next(iter(wrong))}"):
        Folder(**{"path": "somewhere", **wrong})
