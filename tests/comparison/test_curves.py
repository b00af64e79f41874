import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ganzoo.comparison import curves
from ganzoo.comparison.curves import Chart, Line, Reference, Training
from ganzoo.core.latent import LatentSpec

LATENT = LatentSpec.parse("z: normal(2), category: categorical(10) code, style: uniform(2) code")
STATS = [
    {
        "images": images,
        "seconds": 1.0,
        "critic/adversarial": 1.4 - images / 1000,
        "generator/adversarial": 0.7,
        "critic/information/category": -1.0,
        "information/category": images / 500,
        "information/style": -0.5,
        "critic_accuracy": 0.6,
        "class_accuracy/label": 0.9,
    }
    for images in range(100, 1001, 100)
]


def chart(*values: float, unit: str = "", references: tuple[Reference, ...] = ()) -> Chart:
    points = tuple((100.0 * (index + 1), value) for index, value in enumerate(values))
    return Chart("a title", unit, (Line("one", points, 0),), references)


def parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)


def lines(drawn: str) -> list[list[tuple[float, float]]]:
    """The points of each line, as they lie on the picture."""
    paths = [path.get("d", "") for path in parsed(drawn) if "line" in path.get("class", "").split()]
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)] for path in paths]


def test_a_run_has_a_chart_for_each_statistic_that_matters():
    found = curves.charts([Training("infogan", STATS, LATENT)])
    assert [each.title for each in found] == [
        "Adversarial losses",
        "Information about category",
        "Information about style",
        "Accuracy of the critic",
        "Critic names the label of real samples rightly",
    ]
    losses, category, style, accuracy, _ = found
    assert losses.legend == [("critic", 0), ("generator", 1)]
    (ceiling,) = category.references
    assert ceiling.value == pytest.approx(math.log(10))
    assert ceiling.label == "H(category) = 2.30"
    assert style.references == ()  # the information of a continuous code may exceed its differential entropy
    assert accuracy.references == (Reference(0.5, "chance"),)


def test_several_runs_share_charts_and_those_of_one_entrant_look_the_same():
    gan = [{"images": 100, "critic/adversarial": 1.0}]
    found = {
        each.title: each
        for each in curves.charts(
            [Training("infogan", STATS, LATENT), Training("gan", gan, LATENT.noise), Training("gan", gan, LATENT.noise)]
        )
    }
    assert [line.label for line in found["Adversarial loss of the critic"].lines] == ["infogan", "gan", "gan"]
    assert found["Adversarial loss of the critic"].legend == [("infogan", 0), ("gan", 1)]
    assert found["Adversarial loss of the generator"].legend == [("infogan", 0)]


@pytest.mark.parametrize("stats", [[], [{"images": 5, "seconds": 1.0}], [{"images": 5, "critic_accuracy": None}]])
def test_nothing_measured_is_no_chart(stats):
    assert curves.charts([Training("gan", stats, LATENT)]) == []


def test_a_line_goes_where_its_values_are():
    (points,) = lines(curves.draw(chart(0.0, 0.5, 1.0, unit="share")))
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] - points[1][1] == pytest.approx(points[1][1] - points[2][1])
    assert points[0] == pytest.approx((curves.LEFT + (curves.WIDTH - curves.LEFT - curves.RIGHT) / 3, 166), abs=0.2)
    assert points[2] == pytest.approx((curves.WIDTH - curves.RIGHT, curves.TOP))


def test_what_is_not_finite_interrupts_the_line():
    svg = parsed(curves.draw(chart(1.0, 2.0, math.nan, 3.0, math.inf)))
    (path,) = [each.get("d", "") for each in svg if each.get("class") == "line line-0"]
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert "nan" not in path and "inf" not in path
    assert "one 3" in curves.draw(chart(1.0, 2.0, math.nan, 3.0, math.inf))


def test_references_lie_within_the_picture_and_carry_their_label():
    svg = parsed(curves.draw(chart(0.1, 0.2, unit="nats", references=(Reference(2.3, "H(c)"),))))
    (path,) = [each.get("d", "") for each in svg if each.get("class") == "reference"]
    assert curves.TOP <= float(re.findall(r"[\d.]+", path)[1]) < curves.HEIGHT / 2
    assert "H(c)" in [each.text for each in svg]


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30), st.sampled_from(["", "share", "nats"]))
@example([-1.0], "share")
@example([5e-324], "nats")
@example([0.0, -1e-320], "")
def test_every_point_is_inside_and_the_ticks_are_few(values, unit):
    svg = curves.draw(chart(*values, unit=unit))
    for points in lines(svg):
        for x, y in points:
            assert curves.LEFT <= x <= curves.WIDTH - curves.RIGHT
            assert curves.TOP - 0.1 <= y <= curves.HEIGHT - curves.BOTTOM + 0.1
    rules = [each for each in parsed(svg) if each.get("class") == "rule"]
    assert 2 <= len(rules) <= 8


def test_a_long_run_is_thinned_and_keeps_its_newest_value():
    stats = [{"images": images, "critic_accuracy": images / 10_000} for images in range(10_001)]
    ((line,),) = [each.lines for each in curves.charts([Training("gan", stats, LATENT)])]
    assert len(line.points) <= curves.POINTS
    assert line.points[-1] == (10_000, 1.0)


def test_names_are_escaped_and_described_for_those_who_cannot_see():
    svg = curves.draw(Chart("<b>&", "", (Line('"><script>', ((1.0, 2.0),), 0),)))
    assert "<script>" not in svg
    root = parsed(svg)
    assert root.get("role") == "img"
    assert [each.text for each in root][:2] == ["<b>&", 'At the end: "><script> 2.']
