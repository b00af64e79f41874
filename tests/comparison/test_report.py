import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from report_helpers import comparison, page_of, parts
from training_helpers import Toys, start, zoo_of

from ganzoo.api import Run
from ganzoo.comparison.model import Comparison
from ganzoo.comparison.report import write_comparison_report, write_run_report
from ganzoo.comparison.sections import comparison_legend, comparison_protocol
from ganzoo.core.data import DataSpec, LabelSpec
from ganzoo.core.errors import RunError
from ganzoo.data.splits import TensorSplit, tensor_checksum
from ganzoo.evaluation.naming import set_names
from ganzoo.evaluation.records import Record, append_records
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import FAST

LARGEST = 5_000_000
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return start(tmp_path_factory.mktemp("runs"), "infogan", flags={"tick": 16}, categories=[4], noise=5)


@pytest.fixture(scope="module")
def gan(tmp_path_factory) -> Run:
    return start(tmp_path_factory.mktemp("runs"), "gan", noise=5)


@pytest.fixture(scope="module")
def page(run, tmp_path_factory) -> Path:
    return write_run_report(run.directory, zoo_of(), tmp_path_factory.mktemp("page") / "page.html")


def score(name: str, value: float | None, **more) -> Record:
    return Record.of(Score(name=name, value=value, protocol=f"how {name} is", **more), "codes", 64, FAST, 0)


def test_a_run_on_one_page(page, run):
    found, text = parts(page), page.read_text()
    assert found.texts["h1"] == ["infogan on toys"]
    assert found.texts["h2"] == ["Explore", "Samples", "Through the latent space", "Training", "Scores", "Provenance"]
    assert run.record.message in found.texts["p"]
    for expected in (run.record.data_checksum, "64 images", "options.categories", "ganzoo train infogan --data toys"):
        assert expected in text
    assert "not been measured yet" in text
    averaged = run.sampler.checkpoint.manifest.files["averaged.safetensors"].sha256
    assert averaged in text
    assert len(found.explorers) == 1
    assert len(text) < LARGEST


def test_the_page_lies_in_the_run_unless_it_is_asked_for_elsewhere(run):
    path = write_run_report(run.directory, zoo_of())
    assert path == run.path / "report.html"
    assert path.is_file()
    assert not list(run.path.glob(".*.tmp"))
    path.unlink()


def test_every_control_and_picture_has_a_name(page):
    found = parts(page)
    assert all(image["alt"] is not None for image in found.all("img"))
    identities = [each["id"] for _, each in found.elements if "id" in each]
    assert len(set(identities)) == len(identities)
    sliders = found.all("input", type="range")
    assert {each["id"] for each in sliders} == {each["for"] for each in found.all("label") if "for" in each}
    assert len(found.all("input", type="radio")) == 4
    assert len(found.all("fieldset")) == len(found.texts["legend"]) == 1
    assert found.texts["legend"] == ["category"]
    assert [each["type"] for each in found.all("button")] == ["button"]
    (html,) = found.all("html")
    assert html["lang"] == "en"


def test_the_policy_allows_exactly_what_is_in_the_page(page):
    text = page.read_text()
    (meta,) = parts(page).all("meta", http_equiv="Content-Security-Policy")
    policy = dict(rule.strip().split(" ", 1) for rule in str(meta["content"]).split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[rule] == f"'sha256-{digest}'"
    assert "unsafe" not in str(meta["content"])
    assert 'style="' not in text
    assert not re.search(r"\son\w+=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert not re.search(r'(?:src|href)="(?!data:)', text)


def test_the_scores_are_a_table_and_the_confusion_follows_the_matching(run, tmp_path):
    details = {"classes": ["n", "e", "s", "w"], "matching": [2, 0, None, 1]}
    details["confusion"] = [[0, 0, 8, 0], [3, 0, 0, 1], [0, 0, 0, 0], [0, 5, 0, 0]]
    records = [
        score("code_error/category", 0.25, unit="share", better="lower", details=details),
        score("code_error/category", 0.125, unit="share", better="lower", details=details),
        score("mystery", None, floor=0.5, ceiling=12.0),
    ]
    append_records(run.directory, records)
    page = write_run_report(run.directory, zoo_of(), tmp_path / "page.html")
    (run.path / "metrics.jsonl").unlink()
    found, text = parts(page), page.read_text()
    assert "Category against the classes" in found.texts["h2"]
    rows = [re.findall(r">([^<>]*)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)]
    start = rows.index(["", "n", "e", "s", "w"])
    # Each row is the share of the code's samples; codes in the order of the classes that they stand for.
    assert rows[start + 1 : start + 5] == [
        ["1", "75", "·", "·", "25"],
        ["3", "·", "100", "·", "·"],
        ["0", "·", "·", "100", "·"],
        ["2", "·", "·", "·", "·"],
    ]
    assert "12.5 %" in text and "25.0 %" not in text  # the newest one counts
    assert "how mystery is" in text
    assert "–" in found.texts["td"]


def test_names_of_categories_are_everywhere(run, tmp_path):
    details = {"classes": ["n", "e", "s", "w"], "matching": [2, 0, 3, 1], "confusion": [[1] * 4] * 4}
    append_records(run.directory, [score("code_error/category", 0.25, details=details)])
    set_names(run.directory, zoo_of(), {"category": ["south", "north", "<b>", "east"]})
    found = parts(write_run_report(run.directory, zoo_of(), tmp_path / "page.html"))
    for file in ("metrics.jsonl", "names.json"):
        (run.path / file).unlink()
    labels = found.explorers[0]["axes"][0]["labels"]
    assert sorted(labels) == ["<b>", "east", "north", "south"]
    assert found.texts["span"][:4] == labels
    assert [each for each in found.texts["th"] if each in labels][:4] == labels  # rows of the samples
    assert found.texts["th"].count("south") == 4  # there, of both traversals, and of the confusion


def test_a_run_of_other_data_than_images(tmp_path):
    class Dots(Toys):
        name = "toys"

        @property
        def spec(self):
            return DataSpec(name="toys", shape=(2,), size=96, drawn_as="points")

        def load(self, part):
            values = super().load(part).tensor().flatten(1)[:, :2].float() / 127.5 - 1
            return TensorSplit(values, {}, tensor_checksum(values))

    found = parts(page_of("infogan", Dots, tmp_path))
    assert found.explorers[0]["width"] == 64


def test_a_run_without_a_checkpoint_has_no_page(run, tmp_path):
    made = start(tmp_path, "gan")
    for manifest in made.path.glob("checkpoints/*/manifest.json"):
        manifest.unlink()
    with pytest.raises(RunError):
        write_run_report(made.directory, zoo_of())
    assert not (made.path / "report.html").exists()


class Evil(Toys):
    """Class names that are attacks."""

    @property
    def spec(self):
        classes = LabelSpec(classes=(EVIL, "'\"&", "{{ 7 * 7 }}", "<!--"), frequencies=(0.25,) * 4)
        return super().spec.model_copy(update={"labels": {"label": classes}})


def test_a_class_name_is_text_and_nothing_else(tmp_path):
    page = page_of("cgan", Evil, tmp_path)
    found, text = parts(page), page.read_text()
    assert EVIL not in text
    assert "<img src=x" not in text
    assert all(str(image["src"]).startswith("data:") for image in found.all("img"))
    assert len(found.all("script")) == 2
    assert found.explorers[0]["axes"][0]["labels"] == [EVIL, "'\"&", "{{ 7 * 7 }}", "<!--"]
    assert EVIL in found.texts["span"]
    assert "49" not in found.texts["span"]


# ---- comparisons ----


@pytest.fixture(scope="module")
def compared(run, gan, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("compared") / "report.html"
    return write_comparison_report(comparison(infogan=run, gan=gan), path, zoo_of())


def test_a_comparison_on_one_page(compared):
    found, text = parts(compared), compared.read_text()
    assert found.texts["h1"] == ["infogan and gan on toys"]
    assert found.texts["h2"] == ["Scores", "Explore", "Samples", "Training", "Provenance"]
    assert "10.0 ± 1.0 %" in text and "20.0 ± 1.0 %" in text
    assert text.count("★") == 1
    assert "infogan takes no class" in found.texts["li"] and "gan takes no class" in found.texts["li"]
    assert len(found.explorers) == 2
    assert "1 min 15 s" in text and "1,239 parameters" in text
    assert len(text) < LARGEST


def test_one_die_moves_all_explorers(compared):
    dice = [axis for data in parts(compared).explorers for axis in data["axes"] if axis["die"]]
    assert len(dice) == 2
    assert dice[0]["labels"] == dice[1]["labels"]


def test_what_was_not_the_same_is_said_first(run, gan, tmp_path):
    made = comparison(infogan=run, gan=gan)
    protocol = made.protocol.model_copy(update={"differences": ("gan saw <less>.",), "seeds": (0,)})
    made = with_seeds(made, [0], [0]).model_copy(update={"protocol": protocol})
    page = write_comparison_report(made, tmp_path / "report.html", zoo_of())
    text = page.read_text()
    assert text.index("Not everything was the same") < text.index("<h2>Scores</h2>")
    assert "gan saw &lt;less&gt;." in text
    assert "none is claimed to be the best" in text


def with_seeds(made: Comparison, *seeds: list[int]) -> Comparison:
    """The comparison, its entrants having runs of these seeds."""
    entrants = [
        entrant.model_copy(update={"runs": tuple(entrant.runs[0].model_copy(update={"seed": seed}) for seed in own)})
        for entrant, own in zip(made.entrants, seeds, strict=True)
    ]
    everyone = tuple(sorted({seed for own in seeds for seed in own}))
    protocol = made.protocol.model_copy(update={"seeds": everyone})
    return made.model_copy(update={"entrants": tuple(entrants), "protocol": protocol})


@pytest.mark.parametrize(
    ("seeds", "trained", "spread"),
    [
        (([0], [0]), "with seed 0", False),
        (([0, 1], [0, 1]), "once with each of 2 seeds (0, 1)", True),
        (([0], [1]), "infogan with seed 0 and gan with seed 1", False),
        (([0, 1], [0]), "infogan once with each of 2 seeds (0, 1) and gan with seed 0", True),
    ],
)
def test_the_protocol_says_which_seeds_there_were(run, gan, seeds, trained, spread):
    made = with_seeds(comparison(infogan=run, gan=gan), *seeds)
    assert f"images of toys, {trained}, and was measured on" in comparison_protocol(made)
    legend = comparison_legend(made)
    assert ("±" in legend) == ("star" in legend) == spread
    assert ("One seed" in legend) != spread


def test_a_run_that_is_gone_leaves_its_numbers(run, gan, tmp_path):
    made = json.loads(comparison(infogan=run, gan=gan).model_dump_json())
    for each in made["entrants"][1]["runs"]:
        each["path"] = str(tmp_path / "gone")
    page = write_comparison_report(
        type(comparison(infogan=run)).model_validate(made), tmp_path / "report.html", zoo_of()
    )
    text = page.read_text()
    assert "There are no pictures: there is no run" in text
    assert "20.0 ± 1.0 %" in text
    assert len(parts(page).explorers) == 1
