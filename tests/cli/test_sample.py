from pathlib import Path

import numpy as np
import pytest
from cli_helpers import TINY, Ganzoo, Trained, one_sentence, refused
from PIL import Image

import ganzoo.api as api
from ganzoo.cli.drawing import file_stem, pinned, taking_turns
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform
from ganzoo.sampling.pictures import to_uint8

SPACE = LatentSpec(
    z=Normal(3),
    label=Categorical(3, role="condition", names=("zero", "seven", "a, b")),
    digit=Categorical(3, role="code", names=("2", "0", "unknown 1")),
    style=Uniform(2, role="code"),
    tilt=Uniform(1, role="code"),
    flag=Bernoulli(1, role="code"),
)


@pytest.fixture
def run(trained: Trained, ganzoo: Ganzoo) -> Path:
    """The trained run, which sampling with --out leaves as it is."""
    return trained.run


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_without_a_run_the_newest_is_drawn_into_its_own_folder(runs: Path, ganzoo: Ganzoo) -> None:
    printed = Path(ganzoo("sample").stdout.strip())
    assert printed == Path("runs/00001-infogan-mnist/samples/sheet-seed0.png")
    assert printed.is_file()


def test_one_picture(run: Path, ganzoo: Ganzoo) -> None:
    assert ganzoo("sample", run, "-n", 9, "--out", "deep/grid.png").stdout == "deep/grid.png\n"
    assert pixels("deep/grid.png").ndim == 3


def test_a_folder_holds_a_file_a_sample(run: Path, ganzoo: Ganzoo) -> None:
    assert ganzoo("sample", run, "-n", 3, "--first", 99_999, "--out", "files").stdout == "files\n"
    assert sorted(path.name for path in Path("files").iterdir()) == ["100000.png", "100001.png", "99999.png"]


def test_the_files_are_the_samples_of_the_python_interface(run: Path, ganzoo: Ganzoo) -> None:
    ganzoo(
        "sample", run, "-n", 2, "--seed", 7, "--first", 3, "--given", "category=3", "--out", "files", "--device", "cpu"
    )
    opened = api.open(run)
    expected = to_uint8(opened.sample(2, seed=7, first=3, category=3), opened.data).numpy()
    assert (pixels("files/00003.png") == expected[0]).all()
    assert (pixels("files/00004.png") == expected[1]).all()


def test_an_archive_holds_the_pixels_of_the_files(run: Path, ganzoo: Ganzoo) -> None:
    ganzoo("sample", run, "-n", 3, "--first", 2, "--out", "files")
    assert ganzoo("sample", run, "-n", 3, "--first", 2, "--out", "deep/pixels.npz").stdout == "deep/pixels.npz\n"
    with np.load("deep/pixels.npz") as archive:
        assert (archive["arr_0"] == [pixels(f"files/0000{index}.png") for index in (2, 3, 4)]).all()
    assert [path.name for path in Path("deep").iterdir()] == ["pixels.npz"]


def test_values_are_taken_in_turns_whichever_sample_is_the_first(run: Path, ganzoo: Ganzoo) -> None:
    ganzoo("sample", run, "-n", 4, "--given", "category=1,2,3", "--out", "all")
    ganzoo("sample", run, "-n", 2, "--first", 2, "--given", "category=1,2,3", "--out", "some")
    for name in ("00002.png", "00003.png"):
        assert (pixels(Path("all", name)) == pixels(Path("some", name))).all()
    ganzoo("sample", run, "--given", "category=1,2,3", "--out", "turns.png")


def test_the_name_of_a_picture_says_what_it_shows(runs: Path, ganzoo: Ganzoo) -> None:
    printed = ganzoo("sample", 1, "-n", 4, "--first", 2, "--seed", 3, "--given", "style=0.5,-0.5").stdout
    assert Path(printed.strip()).name == "n4-from2-seed3-style=0.5,-0.5.png"


def test_a_label_is_pinned_as_a_code_is(ganzoo: Ganzoo) -> None:
    ganzoo("train", "acgan", "--images", "32", *TINY[2:], "--quiet")
    ganzoo("sample", "latest", "-n", 2, "--given", "label=3", "--out", "threes.png")
    assert "known: 0, 1, 2" in one_sentence(ganzoo("sample", "1", "--given", "label=three", code=2))
    assert ganzoo("traverse").stdout == "runs/00001-acgan-mnist/traversals/label-0.png\n"


def test_ways_from_one_sample_to_another(run: Path, ganzoo: Ganzoo) -> None:
    ganzoo("sample", run, "--interpolate", "-n", 2, "--steps", 6, "--out", "ways.png")
    height, width, _ = pixels("ways.png").shape
    assert width > 2 * height


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--given", "categry=1"], "there is no latent variable 'categry'; did you mean 'category'?"),
        (["--given", "category=10"], "cannot set 'category'"),
        (["--given", "category=-1"], "cannot set 'category'"),
        (["--given", "category=three"], "there is no class 'three'"),
        (["--given", "style=5"], "cannot set 'style'"),
        (["--given", "style=0.1,0.2,0.3"], "cannot set 'style'"),
        (["--given", "category"], "--given takes name=value"),
        (["--given", "=3"], "there is no latent variable ''"),
        (["--out", "grid.jpg"], "cannot be written"),
        (["-n", "20000"], "let --out be a folder"),
        (["-n", "0"], "'-n'"),
        (["--interpolate", "--out", "folder"], "an interpolation is one picture"),
        (["--interpolate", "-n", "5000"], "not 50,000"),
        (["--device", "abacus"], "device 'abacus' cannot be used here"),
    ],
)
def test_bad_requests_write_nothing(line: list[str], sentence: str, run: Path, ganzoo: Ganzoo) -> None:
    assert sentence in refused(ganzoo, run, "sample", run, *line)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("items", "n", "first", "expected"),
    [
        (["label=1"], 1, 0, {"label": 1}),
        (["digit=0"], 1, 0, {"digit": "0"}),
        (["digit=1"], 1, 0, {"digit": "1"}),
        (["digit=2,unknown 1"], 2, 0, {"digit": ["2", "unknown 1"]}),
        (["label=a, b"], 1, 0, {"label": "a, b"}),
        (["label=zero,2"], 3, 0, {"label": ["zero", 2, "zero"]}),
        (["label=0,1"], 3, 5, {"label": [1, 0, 1]}),
        (["style=0.5,-0.5"], 3, 0, {"style": [0.5, -0.5]}),
        (["style=0.5"], 3, 0, {"style": 0.5}),
        (["tilt=-1,1"], 2, 0, {"tilt": [-1, 1]}),
        ([" flag = 1 ", "tilt=0"], 2, 0, {"flag": 1, "tilt": 0}),
        (["tilt=0", "tilt=1"], 2, 0, {"tilt": 1}),
        (["label=nothing"], 1, 0, {"label": "nothing"}),
    ],
)
def test_what_given_means(items: list[str], n: int, first: int, expected: dict[str, object]) -> None:
    assert pinned(items, SPACE, n, first) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [(["label=0,1"], True), (["style=0.5,0.1"], False), (["label=0"], False), (["label=a, b"], False), ([], False)],
)
def test_taking_turns(items: list[str], expected: bool) -> None:
    assert taking_turns(items, SPACE) is expected


@pytest.mark.parametrize("item", ["label", "label=", "="])
def test_given_without_a_value_is_refused(item: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        pinned([item], SPACE)


def test_a_file_name_is_safe_for_any_disk() -> None:
    assert file_stem("n4", "", "label=a/b:c d", "style=0.5,-0.5") == "n4-label=a_b_c_d-style=0.5,-0.5"
    assert len(file_stem("x" * 500)) == 120
