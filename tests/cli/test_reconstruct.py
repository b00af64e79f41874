from pathlib import Path

import numpy as np
import pytest
import torch
from cli_helpers import TINY, Ganzoo, called, one_sentence, refused
from PIL import Image

import ganzoo as library
from ganzoo.data.mnist import MNIST
from ganzoo.sampling.reconstruction import held_out, side_by_side


@pytest.fixture(scope="module")
def trained_bigan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BiGAN, which nothing here changes but by adding pictures."""
    folder = tmp_path_factory.mktemp("bigan")
    called("train", "bigan", *TINY, "--images", "64", cwd=folder)
    return folder / "runs" / "00001-bigan-mnist"


def test_the_picture_lies_in_the_run_and_its_name_says_what_it_shows(ganzoo: Ganzoo, trained_bigan: Path) -> None:
    printed = ganzoo("reconstruct", trained_bigan).stdout.strip()
    assert Path(printed) == trained_bigan / "samples" / "reconstructed-n10-seed0.png"
    assert Path(printed).is_file()
    ganzoo("reconstruct", "latest", "--runs", trained_bigan.parent, "-n", 3, "--seed", 7)
    assert (trained_bigan / "samples" / "reconstructed-n3-seed7.png").is_file()


def test_it_shows_what_the_python_interface_makes(ganzoo: Ganzoo, trained_bigan: Path) -> None:
    assert ganzoo("reconstruct", trained_bigan, "-n", 4, "--out", "deep/a.png", "--device", "cpu").stdout == (
        "deep/a.png\n"
    )
    run = library.open(trained_bigan)
    test = held_out(MNIST(), 4)
    expected = side_by_side(test, run.reconstruct(test), run.data)
    with Image.open("deep/a.png") as image:
        assert (np.asarray(image.convert("RGB")) == np.asarray(expected)).all()
    assert not torch.equal(test, run.reconstruct(test))


def test_a_model_without_an_encoder_is_one_sentence(ganzoo: Ganzoo, runs: Path) -> None:
    said = one_sentence(ganzoo("reconstruct", code=2))
    assert said == (
        "a model without an encoder cannot reconstruct samples; train one that has an encoder, such as "
        "'ganzoo train bigan'"
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--out", "folder/"], "reconstructions are one picture"),
        (["--out", "a.jpg"], "cannot be written"),
        (["-n", "0"], "'-n'"),
        (["-n", "1001"], "'-n'"),
        (["--device", "abacus"], "device 'abacus' cannot be used here"),
    ],
)
def test_bad_requests_write_nothing(line: list[str], sentence: str, trained_bigan: Path, ganzoo: Ganzoo) -> None:
    assert sentence in refused(ganzoo, trained_bigan, "reconstruct", trained_bigan, *line)
    assert not list(Path().iterdir())
