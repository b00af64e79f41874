from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.sampling import files
from ganzoo.sampling.files import write_archive, write_pngs
from ganzoo.sampling.pictures import to_uint8

GREY = DataSpec(name="grey", shape=(1, 28, 28), size=1)


def batches(data: DataSpec, *sizes: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.rand(size, *data.shape, generator=random) * 3 - 1.5 for size in sizes]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG" and image.mode == "RGB"
        return np.asarray(image)


@pytest.mark.parametrize(
    "data",
    [
        GREY,
        DataSpec(name="one pixel", shape=(3, 1, 1), size=1),
        DataSpec(name="wide", shape=(3, 5, 300), size=1),
        DataSpec(name="tall", shape=(1, 300, 2), size=1),
        DataSpec(name="points", shape=(2,), size=1, drawn_as="points"),
        DataSpec(name="heat", shape=(6,), size=1, drawn_as="heatmap"),
    ],
    ids=lambda data: data.name,
)
def test_a_file_is_the_picture_of_its_sample(data: DataSpec, tmp_path: Path) -> None:
    samples = batches(data, 3, 2)
    write_pngs(samples, data, tmp_path / "deep" / "folder", first=99_998)
    names = ["99998.png", "99999.png", "100000.png", "100001.png", "100002.png"]
    assert {path.name for path in (tmp_path / "deep" / "folder").iterdir()} == set(names)
    for name, expected in zip(names, to_uint8(torch.cat(samples), data).numpy(), strict=True):
        assert (pixels(tmp_path / "deep" / "folder" / name) == expected).all()


def test_smooth_pictures_that_need_more_than_a_block_are_compressed(tmp_path: Path) -> None:
    data = DataSpec(name="ramp", shape=(1, 64, 64), size=1)
    ramp = torch.linspace(-1, 1, 64)[:, None].expand(1, 1, 64, 64)
    write_pngs([ramp], data, tmp_path)
    assert (tmp_path / "00000.png").stat().st_size < 64 * 64 * 3 / 20


def test_the_generator_waits_for_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, taken, written = Event(), [], []

    def slowly(values: np.ndarray, folder: Path, first: int) -> None:
        go_on.wait(60)
        written.append(first)

    def counted() -> Iterator[Tensor]:
        for index, batch in enumerate(batches(GREY, *[2] * 40)):
            taken.append(index)
            if len(taken) == files._AHEAD + 1:
                go_on.set()
            assert len(taken) - len(written) <= files._AHEAD + 2
            yield batch

    monkeypatch.setattr(files, "_write_batch", slowly)
    write_pngs(counted(), GREY, tmp_path)
    assert sorted(written) == list(range(0, 80, 2))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_sentence_and_no_part_of_a_file_stays(tmp_path: Path) -> None:
    (tmp_path / "00002.png").symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"could not write .*00002.png \(no space left on device\): free some space"):
        write_pngs(batches(GREY, 4, 4), GREY, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir())[:2] == ["00000.png", "00001.png"]
    assert not (tmp_path / "00002.png").is_symlink()


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(RunError, match=r"could not write .*taken"):
        write_pngs(batches(GREY, 1), GREY, tmp_path / "taken")


def test_samples_of_other_data_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    wrong = [*batches(GREY, 1), torch.zeros(1, 1, 14, 14)]
    with pytest.raises(UsageError, match=r"not \(1, 14, 14\)"):
        write_archive(wrong, GREY, tmp_path / "pixels.npz", 2)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match=r"not \(1, 14, 14\)"):
        write_pngs(wrong, GREY, tmp_path)


def test_an_archive_is_read_by_numpy(tmp_path: Path) -> None:
    samples = batches(GREY, 3, 2, 4)
    path = tmp_path / "deep" / "pixels.npz"
    write_archive(iter(samples), GREY, path, 9)
    with np.load(path) as archive:
        assert archive.files == ["arr_0"]
        assert (archive["arr_0"] == to_uint8(torch.cat(samples), GREY).numpy()).all()


def test_an_archive_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "pixels.npz"
    path.write_bytes(b"old")

    def failing() -> Iterator[Tensor]:
        yield batches(GREY, 2)[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match=r"pixels.npz \(no space left on device\): free some space"):
        write_archive(failing(), GREY, path, 4)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]
