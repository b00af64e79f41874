"""The examples: each runs from its file, with a budget of a few rounds."""

import re
from pathlib import Path

import pytest
from doc_pages import BUDGET, in_new_process
from PIL import Image

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))
LONGEST = 60
PRINTED = {
    "train_and_sample.py": ["256 images", "(20, 1, 28, 28)", "style-1.png"],
    "own_latent_space.py": ["at most 2.30 nats about digit", "information about bold", "pictures in runs"],
    "compare_by_hand.py": ["of the labels of real samples", "of 2.30 nats about category", "side-by-side.png"],
}
DRAWN = {
    "train_and_sample.py": ["sheet", "category-0", "style-0", "style-1"],
    "own_latent_space.py": ["look-0", "look-1", "look-2", "digits"],
    "compare_by_hand.py": ["side-by-side"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_does_what_it_says(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "ganzoo.toml").write_text(BUDGET, encoding="utf-8")
    status, output = in_new_process(["python", str(example), "256"], tmp_path, {})
    assert status == 0, output
    assert [text for text in PRINTED[example.name] if text not in output] == [], output
    drawn = {path.stem for path in tmp_path.rglob("*.png") if path.parent.name not in ("samples", "traversals")}
    assert drawn == set(DRAWN[example.name])
    for path in tmp_path.rglob("*.png"):
        with Image.open(path) as picture:
            picture.verify()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_short_and_uses_the_public_interface(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LONGEST
    assert re.findall(r"^\s*(?:from|import) (ganzoo\.[\w.]+)", text, re.MULTILINE) == []


def test_every_example_is_tested() -> None:
    assert {example.name for example in EXAMPLES} == set(PRINTED) == set(DRAWN)
