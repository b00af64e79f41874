from collections.abc import Callable
from pathlib import Path

import pytest

from ganzoo.core.errors import UsageError
from ganzoo.data.folder import Folder
from ganzoo.data.mnist import MNIST
from ganzoo.data.open import open_dataset
from ganzoo.data.torchvision_sets import KMNIST
from ganzoo.zoo.manager import Zoo

WriteImage = Callable[..., Path]


@pytest.fixture(scope="module")
def zoo() -> Zoo:
    return Zoo()


def test_name_opens_a_registered_set(zoo: Zoo) -> None:
    assert isinstance(open_dataset(zoo, "mnist"), MNIST)
    assert open_dataset(zoo, "mnist", labels=100).options.labels == 100


def test_root_reaches_the_sets_that_download(zoo: Zoo, tmp_path: Path) -> None:
    kmnist = open_dataset(zoo, "kmnist", root=tmp_path)
    assert isinstance(kmnist, KMNIST)
    assert kmnist.root == tmp_path
    assert isinstance(open_dataset(zoo, "mnist", root=tmp_path), MNIST)


def test_path_opens_a_folder(
    zoo: Zoo, tmp_path: Path, write_image: WriteImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image("faces/a.png")
    monkeypatch.chdir(tmp_path)
    for path in ("faces", "faces/", "./faces", str(tmp_path / "faces")):
        folder = open_dataset(zoo, path, size=8, test_share=0)
        assert isinstance(folder, Folder)
        assert folder.spec.size == 1


def test_name_of_a_set_goes_before_a_folder_of_that_name(
    zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mnist").mkdir()
    assert isinstance(open_dataset(zoo, "mnist"), MNIST)


def test_unknown_name_gets_a_suggestion(zoo: Zoo) -> None:
    with pytest.raises(UsageError, match="no data set 'mnits'; did you mean"):
        open_dataset(zoo, "mnits")


@pytest.mark.parametrize("option", ["name", "zoo", "roots"])
def test_no_option_collides_with_an_argument(zoo: Zoo, option: str) -> None:
    with pytest.raises(UsageError, match=f"no option of data set mnist '{option}'"):
        open_dataset(zoo, "mnist", **{option: 3})
