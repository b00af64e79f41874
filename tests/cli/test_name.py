import json
from pathlib import Path

import numpy as np
import pytest
from cli_helpers import Ganzoo, one_sentence
from PIL import Image

from ganzoo.runs.names import FILE

WORDS = "three,one,four,seven,zero,two,five,six,nine,eight"
RUN = Path("runs/00001-infogan-mnist")


def stored() -> dict:
    return json.loads((RUN / FILE).read_text())["variables"]["category"]


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_names_by_hand_are_understood_everywhere_afterwards(runs: Path, ganzoo: Ganzoo) -> None:
    printed = ganzoo("name", "latest", "--set", f"category={WORDS}").stdout
    assert f"ganzoo sample {RUN} -n 20 --given category=three" in printed
    ganzoo("sample", 1, "-n", 2, "--given", "category=four", "--out", "named.png")
    ganzoo("sample", 1, "-n", 2, "--given", "category=2", "--out", "numbered.png")
    assert (pixels("named.png") == pixels("numbered.png")).all()
    assert "there is no class 'fuor'; did you mean 'four'" in one_sentence(
        ganzoo("sample", 1, "--given", "category=fuor", code=2)
    )
    ganzoo("traverse", 1, "style", "--component", 0, "--given", "category=nine", "--steps", 2, "--out", "t.png")
    assert "2 four" in ganzoo("show", "latest").stdout
    assert json.loads(ganzoo("show", "1", "--json").stdout)["names"] == {"category": WORDS.split(",")}


def test_a_name_that_is_a_number_is_a_name(runs: Path, ganzoo: Ganzoo) -> None:
    ganzoo("sample", 1, "-n", 2, "--given", "category=9", "--out", "ninth.png")
    ganzoo("name", 1, "--set", "category=9,8,7,6,5,4,3,2,1,x")
    ganzoo("sample", 1, "-n", 2, "--given", "category=x", "--out", "x.png")
    assert (pixels("ninth.png") == pixels("x.png")).all()
    refused = one_sentence(ganzoo("sample", 1, "--given", "category=0", code=2))
    assert "one of the names 9, 8, 7, 6, 5, 4, 3, 2, 1, x, not '0'" in refused
    # Rows go by class, and the one without a class is last.
    ganzoo("sample", 1, "-n", 2, "--given", "category=1,x", "--out", "two.png")


def test_labels_find_names(runs: Path, ganzoo: Ganzoo) -> None:
    values = json.loads(ganzoo("name", 1, "--labels", 30, "--seed", 3, "--json").stdout)["category"]
    assert values == stored()
    assert values["labels"] == 30 and values["seed"] == 3 and len(values["names"]) == 10
    printed = ganzoo("name", 1, "--labels", 30, "--seed", 3).stdout
    assert "of 30 labelled training samples" in printed
    assert stored() == values


def test_names_are_asked_for_in_a_terminal(runs: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.cli.name.is_terminal", lambda: True)
    answers = WORDS.split(",")
    printed = ganzoo("name", 1, "--device", "cpu", answer="\n".join(answers) + "\n").stdout
    assert stored()["names"] == answers and "▀" in printed
    assert "category 9 is called [unknown 9]" in printed
    again = ganzoo("name", 1, "--device", "cpu", answer="drei\n" + "\n" * 9).stdout
    assert "[three]" in again and stored()["names"] == ["drei", *answers[1:]]


def test_who_stops_answering_has_named_nothing(runs: Path, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.cli.name.is_terminal", lambda: True)
    ganzoo("name", 1, "--device", "cpu", answer="three\n", code=130)
    assert not (RUN / FILE).exists()


def test_names_are_forgotten(runs: Path, ganzoo: Ganzoo) -> None:
    ganzoo("name", 1, "--set", f"category={WORDS}")
    assert "have no names" in ganzoo("name", 1, "--clear", "--variable", "category").stdout
    assert not (RUN / FILE).exists()
    (RUN / FILE).write_text("{")
    assert "is damaged" in one_sentence(ganzoo("sample", 1, code=1))
    assert "is damaged" in one_sentence(ganzoo("name", 1, "--labels", 10, code=1))
    assert ganzoo("name", 1, "--clear", "--json").stdout == "{}\n"
    ganzoo("sample", 1, "-n", 1)


def test_a_resumed_run_is_not_disturbed_by_names(runs: Path, ganzoo: Ganzoo) -> None:
    ganzoo("name", 1, "--set", f"category={WORDS}")
    ganzoo("train", "--resume", "1", "--images", 288, "--quiet")
    assert stored()["names"] == WORDS.split(",")
    ganzoo("sample", 1, "-n", 1, "--given", "category=three")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ([], "use --labels 100, or --set"),
        (["--labels", "0"], "'--labels'"),
        (["--labels", "10", "--clear"], "exclude each other"),
        (["--labels", "10", "--set", f"category={WORDS}"], "exclude each other"),
        (["--set", f"category={WORDS}", "--variable", "category"], "leave --variable out"),
        (["--set", "category"], "--set takes code=name,name"),
        (["--set", "category=one,two"], "has 10 categories, and got 2 names"),
        (["--set", "style=one,two"], "'style' is a uniform code"),
        (["--labels", "10", "--variable", "stile"], "did you mean 'style'"),
        (["--clear", "--variable", "category"], "no names to forget"),
    ],
)
def test_bad_requests_name_nothing(line: list[str], sentence: str, runs: Path, ganzoo: Ganzoo) -> None:
    assert sentence in one_sentence(ganzoo("name", 1, *line, code=2))
    assert not (RUN / FILE).exists()
