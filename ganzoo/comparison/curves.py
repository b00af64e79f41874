"""Training curves as small SVG charts, which a page takes as they are: no script, and the page's own colours."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ganzoo.comparison.wording import amount
from ganzoo.core.latent import LatentSpec

__all__ = ["Chart", "Line", "Reference", "Training", "charts", "draw"]

Stats = Sequence[Mapping[str, Any]]

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 24
STYLES = 8
"""Line styles that the page's style sheet has."""
POINTS = 400
"""Points of a line; of a longer one every so many are drawn."""
_TICKS = 4


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        label: what it is of.
        points: (progress in images, value), in order; a value that is not finite interrupts the line.
        place: which of the page's line styles it has.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    place: int


@dataclass(frozen=True)
class Reference:
    """A level to read a chart against."""

    value: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One statistic, or several on one scale.

    Attributes:
        title: what is shown.
        unit: of its values; may be empty. ``share`` is shown in percent.
        lines: at least one.
        references: levels to read it against.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    references: tuple[Reference, ...] = ()

    @property
    def legend(self) -> list[tuple[str, int]]:
        """The labels and their line styles; several lines may share one."""
        return list(dict.fromkeys((line.label, line.place % STYLES) for line in self.lines))

    @property
    def last(self) -> str:
        """Where each line ends, in words, for readers who cannot see it."""
        ends = ((line.label, value) for line in self.lines for _, value in _finite(line)[-1:])
        return "; ".join(f"{label} {amount(value, self.unit)}" for label, value in ends)


@dataclass(frozen=True)
class Training:
    """What is drawn of a run.

    Attributes:
        label: of its lines; those of runs with the same label look the same.
        stats: the statistics of every tick.
        latent: its latent space.
    """

    label: str
    stats: Stats
    latent: LatentSpec


def charts(trainings: Sequence[Training]) -> list[Chart]:
    """The statistics that say how a training went: losses, information, accuracies.

    Args:
        trainings: of one alone the players' losses share a chart; of several each statistic has a chart, with a
            line a training.
    """
    found: list[Chart] = []
    names = list(dict.fromkeys(key for training in trainings for tick in training.stats for key in tick))
    players = [key.partition("/")[0] for key in names if key.endswith("/adversarial")]
    if len(trainings) == 1:
        stats = trainings[0].stats
        lines = [_line(stats, f"{player}/adversarial", player, place) for place, player in enumerate(players)]
        found += _chart("Adversarial losses", "", lines)
    else:
        for player in players:
            found += _chart(f"Adversarial loss of the {player}", "", _lines(trainings, f"{player}/adversarial"))
    for key in sorted(key for key in names if key.startswith("information/")):
        name = key.partition("/")[2]
        spaces = [training.latent for training in trainings]
        ceilings = sorted({latent.entropy(name) for latent in spaces if name in latent and latent[name].discrete})
        references = [Reference(ceiling, f"H({name}) = {ceiling:.2f}") for ceiling in ceilings]
        found += _chart(f"Information about {name}", "nats", _lines(trainings, key), references)
    found += _chart("Accuracy of the critic", "share", _lines(trainings, "critic_accuracy"), [Reference(0.5, "chance")])
    for key in sorted(key for key in names if key.startswith("class_accuracy/")):
        title = f"Critic names the {key.partition('/')[2]} of real samples rightly"
        found += _chart(title, "share", _lines(trainings, key))
    return found


def draw(chart: Chart) -> Markup:
    """A chart as an ``<svg>`` element that is as wide as its place.

    Lines have the classes ``line line-0``, ``line line-1``, … and levels to read them against ``reference``.
    """
    points = [point for line in chart.lines for point in _finite(line)]
    last = max((images for images, _ in points), default=0) or 1
    ticks = _ticks(*_range(chart, [value for _, value in points]))
    low, high = ticks[0], ticks[-1]
    right = WIDTH - RIGHT

    def x(images: float) -> float:
        return round(LEFT + (right - LEFT) * images / last, 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    parts = [_element("title", chart.title), _element("desc", f"At the end: {chart.last}.")]
    for tick in ticks:
        parts.append(_element("path", class_="rule", d=f"M{LEFT} {y(tick)}H{right}"))
        parts.append(
            _label(f"{100 * tick:g} %" if chart.unit == "share" else f"{tick:g}", LEFT - 6, y(tick) + 4, "end")
        )
    for images in (tick for tick in _ticks(0, last) if tick <= last):
        parts.append(_label(_images(images), x(images), HEIGHT - 6, "middle"))
    for reference in chart.references:
        parts.append(_element("path", class_="reference", d=f"M{LEFT} {y(reference.value)}H{right}"))
        parts.append(_label(reference.label, right, y(reference.value) - 4, "end"))
    for line in chart.lines:
        parts.append(_element("path", class_=f"line line-{line.place % STYLES}", d=_path(line, x, y)))
    return _element("svg", Markup("").join(parts), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")


def _chart(title: str, unit: str, lines: Iterable[Line], references: Sequence[Reference] = ()) -> list[Chart]:
    """The chart, unless there is nothing to draw."""
    drawn = tuple(line for line in lines if _finite(line))
    return [Chart(title, unit, drawn, tuple(references))] if drawn else []


def _lines(trainings: Sequence[Training], key: str) -> list[Line]:
    labels = list(dict.fromkeys(training.label for training in trainings))
    return [_line(each.stats, key, each.label, labels.index(each.label)) for each in trainings]


def _line(stats: Stats, key: str, label: str, place: int) -> Line:
    points = [(float(tick["images"]), float(tick[key])) for tick in stats if isinstance(tick.get(key), int | float)]
    stride = math.ceil(len(points) / POINTS) or 1
    # Counted from the end, so that the newest value is always there.
    return Line(label, tuple(points[::-1][::stride][::-1]), place)


def _finite(line: Line) -> list[tuple[float, float]]:
    return [point for point in line.points if math.isfinite(point[1])]


def _range(chart: Chart, values: Sequence[float]) -> tuple[float, float]:
    """What the vertical axis has to hold."""
    values = [*values, *(reference.value for reference in chart.references)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    # A ceiling says little without the zero below it.
    low = min(low, 0.0) if chart.unit == "nats" else low
    size = max(abs(low), abs(high))
    size = size if size > 1e-300 else 1.0  # what is smaller has no round numbers around it
    if high - low < 1e-6 * size:  # a flat line, in the middle; finer differences are rounding
        whole = chart.unit == "share" and low >= 0 and high <= 1
        return (0.0, 1.0) if whole else (low - 0.5 * size, high + 0.5 * size)
    margin = 0.0 if chart.unit else 0.04 * (high - low)
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that hold the range between the first and the last of them."""
    rough = (high - low) / _TICKS
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= 0.999 * rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _path(line: Line, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    steps, pen_is_up = [], True
    for images, value in line.points:
        if math.isfinite(value):
            # "h0" makes a lone point a dot.
            steps.append(f"M{x(images)} {y(value)}h0" if pen_is_up else f"L{x(images)} {y(value)}")
        pen_is_up = not math.isfinite(value)
    return "".join(steps)


def _label(text: str, x: float, y: float, anchor: str) -> Markup:
    return _element("text", text, class_="tick", x=x, y=round(y, 1), text_anchor=anchor)


def _element(name: str, content: str = "", **attributes: object) -> Markup:
    """An element; whatever is not markup already is escaped. ``text_anchor`` is written ``text-anchor``."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    head = Markup("").join(Markup(' {}="{}"').format(Markup(key), value) for key, value in pairs)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), head, content)


def _images(count: float) -> str:
    """Progress in images, short: ``320k``."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.3g}"
