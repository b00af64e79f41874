"""The pages in a real browser: what is on the canvas is what the sampler says, and the policy holds."""

import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from browser_helpers import CHROMIUM, Browser, Page
from report_helpers import comparison, page_of, parts
from training_helpers import Toys, start, zoo_of

from ganzoo.api import Run
from ganzoo.cli.drawing import pinned
from ganzoo.comparison.figures import tiles
from ganzoo.comparison.report import write_comparison_report, write_run_report
from ganzoo.core.data import LabelSpec

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

EVIL = "</script><img src=x onerror=\"window.pwned='yes'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return start(tmp_path_factory.mktemp("runs"), "infogan", categories=[4], noise=5)


@pytest.fixture(scope="module")
def file(run, tmp_path_factory) -> Path:
    return write_run_report(run.directory, zoo_of(), tmp_path_factory.mktemp("page") / "page.html")


def canvas(page: Page, which: int = 0) -> np.ndarray:
    """The red channel of a canvas, once it has caught up with its controls."""
    height, width, data = page.run(f"""(async () => {{
        const canvas = document.querySelectorAll("canvas")[{which}];
        while (Number(canvas.dataset.sprite) !== index(explorers[{which}])) await new Promise((r) => setTimeout(r, 5));
        const {{ height, width }} = canvas;
        // Read from a copy: a canvas that is read often is no business of the page's.
        const copy = new OffscreenCanvas(width, height).getContext("2d", {{ willReadFrequently: true }});
        copy.drawImage(canvas, 0, 0);
        const pixels = copy.getImageData(0, 0, width, height).data;
        return [height, width, [...pixels].filter((_, i) => i % 4 === 0)];
    }})()""")
    return np.array(data, np.uint8).reshape(height, width)


def expected(run: Run, draw: int = 0, **given) -> np.ndarray:
    """What the sampler makes of this state."""
    samples = run.sampler.sample(1, first=draw, given=given)
    return tiles(samples, run.data).numpy()[0, :, :, 0]


def values(run: Run, file: Path, key: str) -> list[float]:
    axis = next(axis for axis in parts(file).explorers[0]["axes"] if axis["key"] == key)
    return [float(text) for text in axis["given"]]


def slide(page: Page, key: str, position: int) -> None:
    """Moves a slider, or chooses a button, as a hand would."""
    page.run(f"""(() => {{
        const inputs = [...document.querySelectorAll("input")].filter((input) => input.dataset.axis === "{key}");
        const input = inputs.length > 1 ? inputs[{position}] : inputs[0];
        if (input.type === "radio") input.click();
        else {{
            input.value = {position};
            input.dispatchEvent(new Event("input", {{ bubbles: true }}));
        }}
    }})()""")


def test_moving_a_slider_changes_the_picture_as_the_sampler_says(browser, run, file):
    page = browser.open(file)
    style = values(run, file, "style.0")
    assert np.array_equal(canvas(page), expected(run, category=0, style=[0.0, 0.0]))
    seen = []
    for position in (0, 3, len(style) - 1):
        slide(page, "style.0", position)
        seen.append(canvas(page))
        assert np.array_equal(seen[-1], expected(run, category=0, style=[style[position], 0.0]))
    assert not np.array_equal(seen[0], seen[-1])
    slide(page, "category", 2)
    slide(page, "style.1", 1)
    both = [style[-1], values(run, file, "style.1")[1]]
    assert np.array_equal(canvas(page), expected(run, category=2, style=both))
    assert page.run("document.querySelector('output').textContent") == "0.98"
    assert page.run("document.querySelector('.state').textContent").startswith(
        "category 2 · style 0 0.98 · style 1 -0."
    )
    assert page.complaints() == []


def test_the_die_changes_the_noise_alone(browser, run, file):
    page = browser.open(file, "#category=3&style.0=1")
    before = page.run("explorers[0].positions")
    for _ in range(3):
        page.run("document.querySelector('.die button').click()")
        after = page.run("explorers[0].positions")
        assert after[:-1] == before[:-1]
        assert after[-1] != before[-1]
        style = [values(run, file, "style.0")[1], 0.0]
        assert np.array_equal(canvas(page), expected(run, after[-1], category=3, style=style))
        before = after


def test_an_address_leads_to_a_state_and_the_state_to_an_address(browser, run, file):
    page = browser.open(file, "#category=3&style.0=0&noise-draw=2&nothing=1&style.1=99")
    low = values(run, file, "style.0")[0]
    assert np.array_equal(canvas(page), expected(run, 2, category=3, style=[low, 0.0]))
    slide(page, "category", 1)
    said = parse_qs(page.run("location.hash.slice(1)"))
    middle = str(len(values(run, file, "style.1")) // 2)
    assert said == {"category": ["1"], "style.0": ["0"], "style.1": [middle], "noise-draw": ["2"]}
    page.run("location.hash = '#category=2'")
    page.run("new Promise((resolve) => setTimeout(resolve, 50))")
    assert np.array_equal(canvas(page), expected(run, 2, category=2, style=[low, 0.0]))


def test_the_command_beside_the_picture_draws_it(browser, run, file):
    page = browser.open(file, "#category=1&style.0=2&style.1=0&noise-draw=3")
    shown = canvas(page)
    words = shlex.split(page.run("document.querySelector('.command').textContent"))
    assert words[:7] == ["ganzoo", "sample", run.path.name, "-n", "1", "--first", "3"]
    given = [after for word, after in pairwise(words) if word == "--given"]
    assert np.array_equal(shown, expected(run, 3, **pinned(given, run.latent)))


def test_everything_can_be_done_from_the_keyboard(browser, file):
    page = browser.open(file)
    page.run("document.querySelector('input[type=radio]').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    page.press("Tab")
    assert page.run("document.activeElement.dataset.axis") == "style.0"
    start = page.run("explorers[0].positions")
    page.press("ArrowLeft")
    page.press("Tab")
    page.press("ArrowUp")
    page.press("Tab")
    assert page.run("document.activeElement.tagName") == "BUTTON"
    page.press(" ")
    category, first, second, die = page.run("explorers[0].positions")
    assert (category, first, second) == (2, start[1] - 1, start[2] + 1)
    assert die != start[3]
    canvas(page)
    assert page.run("document.querySelector('canvas').ariaLabel").startswith("A sample: category 2")


def test_the_page_asks_for_nothing_and_runs_nothing_but_its_own_script(browser, file):
    page = browser.open(file)
    canvas(page)
    assert page.requests() == [file.resolve().as_uri()]
    assert page.complaints() == []
    page.run("""(() => {
        const script = document.createElement("script");
        script.textContent = "window.pwned = 'yes'";
        document.body.append(script);
        const image = new Image();
        image.src = "https://ganzoo.invalid/x.png";
        document.body.append(image);
        document.body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='window.pwned=1'>x</p>");
        document.body.lastElementChild.click();
    })()""")
    assert page.run("window.pwned ?? null") is None
    assert len([each for each in page.complaints() if "Content Security Policy" in str(each)]) >= 4
    assert page.requests() == [file.resolve().as_uri()]


def test_a_class_name_stays_inert(browser, tmp_path):
    class Evil(Toys):
        @property
        def spec(self):
            classes = LabelSpec(classes=("a", EVIL, "it's $HOME", "<!--"), frequencies=(0.25,) * 4)
            return super().spec.model_copy(update={"labels": {"label": classes}})

    page = browser.open(page_of("cgan", Evil, tmp_path), "#label=1")
    canvas(page)
    assert page.run("window.pwned ?? null") is None
    assert page.complaints() == []
    assert page.run("document.querySelectorAll('.choices span')[1].textContent") == EVIL
    assert EVIL in page.run("document.querySelector('.state').textContent")
    slide(page, "label", 2)
    words = shlex.split(page.run("document.querySelector('.command').textContent"))
    assert words[-1] == "label=it's $HOME"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(browser, file, width):
    page = browser.open(file)
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 500)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("document.querySelector('canvas').getBoundingClientRect().width") >= 200


def test_dark_and_print_have_their_own_colours(browser, file):
    page = browser.open(file)

    def ground(**media) -> list[int]:
        page.call("Emulation.setEmulatedMedia", **media)
        colour = page.run("getComputedStyle(document.body).backgroundColor")
        return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]

    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    assert min(ground(media="screen", features=[{**dark[0], "value": "light"}])) > 230
    assert max(ground(media="screen", features=dark)) < 50
    assert ground(media="print", features=dark) == [255, 255, 255]
    assert page.run("getComputedStyle(document.querySelector('.choices').parentElement).display") == "none"


def test_explorers_of_a_comparison_move_together(browser, run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    gan = start(folder / "runs", "gan", noise=5)
    made = comparison(infogan=run, gan=gan)
    page = browser.open(write_comparison_report(made, folder / "report.html", zoo_of()), "#category=2")
    assert page.run("explorers.length") == 2
    page.run("document.querySelectorAll('.die button')[1].click()")
    draw = page.run("explorers[1].positions[0]")
    assert draw > 0
    assert np.array_equal(canvas(page, 0), expected(run, draw, category=2, style=[0.0, 0.0]))
    assert np.array_equal(canvas(page, 1), expected(gan, draw))
    assert page.complaints() == []
