from pathlib import Path

import pytest
import torch
from cli_helpers import TINY, Ganzoo, Trained, called, one_sentence
from PIL import Image

import ganzoo as library
from ganzoo.core.latents import Latents
from ganzoo.sampling.sampler import Sampler


@pytest.fixture(scope="module")
def turns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two codes of which one value a row can be given."""
    folder = tmp_path_factory.mktemp("turns")
    latent = "z: normal(2), category: categorical(3) code, flag: bernoulli(1) code, style: uniform(1) code"
    called("train", "infogan", *TINY, "--images", "64", "-o", f"latent={latent}", cwd=folder)
    return folder / "runs" / "00001-infogan-mnist"


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
    ("line", "given", "same"),
    [
        (["style", "--rows", 3], "category=0,1,2", {"category": [0, 1, 2]}),
        (["style", "--rows", 5], "category=0,1,2", {"category": [0, 1, 2, 0, 1]}),
        (["z", "--rows", 5], "flag=0,1", {"flag": [0, 1, 0]}),  # the rows are the classes of category
        (["category", "--steps", 3, "--rows", 7], "flag=0,1", {"flag": [0, 1, 0]}),
    ],
)
def test_rows_take_several_values_in_turns_as_a_list_in_python(
    line: list[object],
    given: str,
    same: dict[str, list[int]],
    turns: Path,
    ganzoo: Ganzoo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Latents] = []
    generate = Sampler.generate  # a generator as little trained as this one draws all latents alike
    monkeypatch.setattr(Sampler, "generate", lambda self, latents: seen.append(latents) or generate(self, latents))
    ganzoo("traverse", turns, *line, "--component", 0, "--given", given, "--out", "turns")
    name, *flags = line
    sizes = {str(flag).strip("-"): size for flag, size in zip(flags[::2], flags[1::2], strict=True)}
    library.open(turns).traverse(name, 0, **sizes, **same)
    shown, expected = seen
    assert torch.equal(shown.flat, expected.flat)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["colour"], "there is no latent variable 'colour'"),
        (["stile"], "did you mean 'style'?"),
        (["style", "--component", "2"], "0 to 1, not 2"),
        (["--component", "1"], "component 1 of which variable?"),
        (["style", "--given", "style=0"], "cannot be both given and traversed"),
        (["--given", "category=0,1"], "taken in turns along one variable; name one of: z, category"),
        (["--out", "one.png"], "one.png is one file and there are 3 traversals"),
        (["--out", "one.jpg"], "end it in .png or .gif"),
        (["--steps", "0"], "--steps"),
    ],
)
def test_bad_requests_write_nothing(line: list[str], sentence: str, run: Path, ganzoo: Ganzoo) -> None:
    assert sentence in one_sentence(ganzoo("traverse", run, *line, code=2))
    assert not list(Path().iterdir())
