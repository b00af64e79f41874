from pathlib import Path

import pytest
from report_helpers import Parts

from ganzoo.comparison.page import render_page

PLAIN = {
    "eyebrow": "00001-a",
    "title": "a on b",
    "differences": (),
    "labels": ["a"],
    "groups": [],
    "remarks": [],
    "legend": "how to read it",
    "notes": [],
    "entrants": [],
    "seed": 0,
    "charts": [],
    "provenance": [],
    "command": "",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("try `-o r1=1` or `--images`", "try <code>-o r1=1</code> or <code>--images</code>"),
        ("<b> `<i>`", "&lt;b&gt; <code>&lt;i&gt;</code>"),
        ("one ` alone", "one  alone"),
        ("two `a` and ` one", "two <code>a</code> and  one"),
    ],
)
def test_commands_in_a_sentence_are_code(text, shown):
    assert f'<p class="lead">{shown}</p>' in render_page("comparison.html.j2", **PLAIN, lead=text)


def test_a_page_is_whole_and_well_formed():
    found = Parts(render_page("comparison.html.j2", **PLAIN, lead=""))
    assert found.texts["title"] == ["a on b · ganzoo"]
    assert found.all("main")
    assert not found.all("link")


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(Exception, match="'lead' is undefined"):
        render_page("comparison.html.j2", **PLAIN)


def test_the_script_is_short_and_of_one_file():
    script = Path(render_page.__globals__["__file__"]).with_name("templates") / "explorer.js"
    assert len(script.read_text().splitlines()) <= 150
