import time
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence
from report_helpers import parts


def test_the_page_of_the_newest_run_lies_in_it(ganzoo: Ganzoo, runs: Path):
    result = ganzoo("report")
    assert result.stdout == "runs/00001-infogan-mnist/report.html\n"
    found = parts(Path(result.stdout.strip()))
    assert found.texts["h1"] == ["infogan on mnist"]
    assert [axis["key"] for axis in found.explorers[0]["axes"]][:2] == ["category", "style.0"]


def test_it_can_be_asked_for_elsewhere(ganzoo: Ganzoo, runs: Path):
    assert ganzoo("report", "1", "--out", "pages/mine.html").stdout == "pages/mine.html\n"
    assert Path("pages/mine.html").stat().st_size < 5_000_000
    assert not Path("runs/00001-infogan-mnist/report.html").exists()


@pytest.mark.parametrize("out", ["mine.pdf", "mine", "runs"])
def test_what_is_no_page_is_refused_at_once(ganzoo: Ganzoo, runs: Path, out: str):
    begun = time.monotonic()
    assert one_sentence(ganzoo("report", "1", "--out", out, code=2)) == f"--out {out} is no page; end it in .html"
    assert time.monotonic() - begun < 5
    assert list(Path().iterdir()) == [Path("runs")]


def test_a_run_that_is_not_there_is_one_sentence(ganzoo: Ganzoo, runs: Path):
    assert one_sentence(ganzoo("report", "7", code=2)).startswith("there is no run '7' in runs")
