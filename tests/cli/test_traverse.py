from pathlib import Path

import pytest
from cli_helpers import Ganzoo, Trained, one_sentence
from PIL import Image


@pytest.fixture
def run(trained: Trained, ganzoo: Ganzoo) -> Path:
    return trained.run


def test_every_code_into_the_run(runs: Path, ganzoo: Ganzoo) -> None:
    folder = runs / "00001-infogan-mnist" / "traversals"
    for path in folder.iterdir():
        path.unlink()
    printed = ganzoo("traverse").stdout.splitlines()
    assert printed == [
        f"runs/00001-infogan-mnist/traversals/{name}.png" for name in ("category-0", "style-0", "style-1")
    ]
    assert len(list(folder.iterdir())) == 3


def test_one_component_with_a_film(run: Path, ganzoo: Ganzoo) -> None:
    line = ["traverse", run, "style", "--component", 1, "--steps", 4, "--gif", "--out", "pictures"]
    assert ganzoo(*line).stdout == "pictures/style-1.png\npictures/style-1.gif\n"
    with Image.open("pictures/style-1.gif") as film, Image.open("pictures/style-1.png") as picture:
        assert (film.format, picture.format) == ("GIF", "PNG")


def test_one_file_is_a_picture_or_a_film(run: Path, ganzoo: Ganzoo) -> None:
    assert ganzoo("traverse", run, "category", "--out", "c.gif").stdout == "c.gif\n"
    assert ganzoo("traverse", run, "category", "--out", "c.png").stdout == "c.png\n"
    assert sorted(path.name for path in Path().iterdir()) == ["c.gif", "c.png"]


def test_other_variables_can_be_pinned_and_the_name_says_so(runs: Path, ganzoo: Ganzoo) -> None:
    line = ["traverse", 1, "style", "--component", 0, "--given", "category=3", "--rows", 2, "--seed", 5]
    assert ganzoo(*line).stdout.strip().endswith("/traversals/style-0-seed5-category=3.png")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["colour"], "there is no latent variable 'colour'"),
        (["stile"], "did you mean 'style'?"),
        (["style", "--component", "2"], "0 to 1, not 2"),
        (["--component", "1"], "component 1 of which variable?"),
        (["style", "--given", "style=0"], "cannot be both given and traversed"),
        (["--out", "one.png"], "one.png is one file and there are 3 traversals"),
        (["--out", "one.jpg"], "end it in .png or .gif"),
        (["--steps", "0"], "--steps"),
    ],
)
def test_bad_requests_write_nothing(line: list[str], sentence: str, run: Path, ganzoo: Ganzoo) -> None:
    assert sentence in one_sentence(ganzoo("traverse", run, *line, code=2))
    assert not list(Path().iterdir())
