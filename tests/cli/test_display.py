import io
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from ganzoo.cli.display import JsonLines, PlainLines, Watcher, observer_for, remaining
from ganzoo.cli.live import LiveDisplay, player_of, preview_of
from ganzoo.core.data import DataSpec
from ganzoo.training.events import Summary, Tick

DATA = DataSpec(name="toys", shape=(1, 28, 28), size=24)
STATS = {
    "critic/adversarial": 1.5,
    "critic/information/category": -2.25,
    "critic_accuracy": 0.75,
    "generator/adversarial": 0.5,
    "information/category": 2.25,
    "information/style": 0.125,
}


def plan() -> Any:
    """As much of a plan as a display asks for."""
    return SimpleNamespace(
        config=SimpleNamespace(model="infogan", recipe="paper", images=1000),
        game=SimpleNamespace(data=DATA),
        hardware=SimpleNamespace(name="cpu (1 thread)", precision="fp32"),
        as_dict=lambda: {"rounds": 8},
    )


def run() -> Any:
    return SimpleNamespace(path=Path("runs/00001-infogan-toys"), record=SimpleNamespace(images=0))


def tick(images: int = 250, rate: float = 125.0) -> Tick:
    ceilings = {"information/category": math.log(10)}
    return Tick(images, 2.0, rate, STATS, ceilings, lambda: torch.linspace(-1, 1, 24 * 784).view(24, 1, 28, 28))


def summary(status: str = "finished") -> Summary:
    return Summary(
        status=status,
        images=1000,
        seconds=511.0,
        stats={"critic/adversarial": math.nan},
        pictures=[Path("runs/00001-infogan-toys/samples/1000.png")],
        sentences=["Samples carry 2.25 of at most 2.30 nats about category."],
        next=["ganzoo traverse runs/00001-infogan-toys"],
        resume="ganzoo train --resume runs/00001-infogan-toys",
    )


def played(watcher: Watcher, status: str = "finished") -> Watcher:
    with watcher:
        watcher.started(plan(), run())
        watcher.progressed(125)
        watcher.ticked(tick())
        watcher.saved(250, Path("runs/00001-infogan-toys/checkpoints/000000250"))
        watcher.finished(run(), summary(status))
    return watcher


def test_quiet_prints_the_final_line_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert not played(Watcher()).interrupted
    assert capsys.readouterr().out == "finished: 1,000 images in 8:31, in runs/00001-infogan-toys\n"


def test_the_final_line_of_an_interrupted_run_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert played(Watcher(), "interrupted").interrupted
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.endswith("; go on with: ganzoo train --resume runs/00001-infogan-toys\n")


def test_plain_lines_are_one_a_tick(capsys: pytest.CaptureFixture[str]) -> None:
    played(PlainLines())
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first == "infogan@paper on toys, cpu (1 thread), fp32, in runs/00001-infogan-toys"
    assert second.split("  ") == [
        "250 of 1,000 images (25%)",
        "125/s",
        "ETA 0:06",
        "critic/adversarial 1.500",
        "critic/information/category -2.250",
        "critic_accuracy 0.750",
        "generator/adversarial 0.500",
        "information/category 2.250 of 2.303 nats",
        "information/style 0.125 nats",
    ]
    assert "Samples carry 2.25 of at most 2.30 nats about category." in rest
    assert "  runs/00001-infogan-toys/samples/1000.png" in rest
    assert rest[-2:] == ["type next", "  ganzoo traverse runs/00001-infogan-toys"]
    assert "to go on" not in rest


def test_an_interrupted_run_prints_the_line_that_resumes(capsys: pytest.CaptureFixture[str]) -> None:
    played(PlainLines(), "interrupted")
    assert "to go on\n  ganzoo train --resume runs/00001-infogan-toys\n" in capsys.readouterr().out


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    played(JsonLines())
    started, ticked, saved, finished = map(json.loads, capsys.readouterr().out.splitlines())
    assert started == {"event": "started", "run": "runs/00001-infogan-toys", "plan": {"rounds": 8}}
    assert ticked["event"] == "tick"
    assert ticked["stats"] == STATS
    assert ticked["ceilings"] == {"information/category": math.log(10)}
    assert saved == {"event": "saved", "images": 250, "path": "runs/00001-infogan-toys/checkpoints/000000250"}
    assert finished["event"] == "finished"
    assert finished["stats"] == {"critic/adversarial": None}
    assert finished["status"] == "finished"


def test_quiet_json_is_the_last_object_alone(capsys: pytest.CaptureFixture[str]) -> None:
    played(JsonLines(quiet=True))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "finished"


@pytest.mark.parametrize(
    ("quiet", "as_json", "kind"),
    [(False, False, PlainLines), (True, False, Watcher), (False, True, JsonLines), (True, True, JsonLines)],
)
def test_without_a_terminal_there_is_no_live_display(quiet: bool, as_json: bool, kind: type) -> None:
    assert type(observer_for(quiet=quiet, as_json=as_json)) is kind


@pytest.mark.parametrize(("term", "kind"), [("xterm-256color", LiveDisplay), ("dumb", PlainLines)])
def test_a_terminal_gets_the_live_display_if_it_can(term: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert type(observer_for(quiet=False, as_json=False)) is kind


def terminal(width: int = 120, height: int = 50) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=height, highlight=False, color_system="truecolor"
    )


def shown(display: LiveDisplay) -> str:
    """The text of the present frame."""
    console = display.console
    return "\n".join("".join(segment.text for segment in line) for line in console.render_lines(display.frame()))


def test_the_live_display_shows_progress_terms_information_and_samples() -> None:
    display = LiveDisplay(terminal())
    with display:
        display.started(plan(), run())
        assert "0 of 1,000 images" in shown(display)
        display.progressed(125)
        assert "125 of 1,000 images" in shown(display)
        display.ticked(tick())
        frame = shown(display)
    for text in ("infogan@paper on toys", "250 of 1,000 images", "125/s", "ETA 0:06", "2.250 of 2.303 nats", "▀"):
        assert text in frame
    assert frame.index("generator") < frame.index("measured")
    assert display.live is None


def test_the_live_display_is_taken_down_when_the_run_fails() -> None:
    display = LiveDisplay(terminal())
    with pytest.raises(RuntimeError, match="failed"), display:
        display.started(plan(), run())
        raise RuntimeError("failed")
    assert display.live is None


@pytest.mark.parametrize(("width", "height"), [(120, 50), (80, 24), (40, 16), (20, 60), (10, 5)])
def test_a_frame_fits_into_the_terminal(width: int, height: int) -> None:
    display = LiveDisplay(terminal(width, height))
    with display:
        display.started(plan(), run())
        display.ticked(tick())
        lines = shown(display).splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum("▀" in line for line in lines) in range(0, 17)
    if height >= 24:
        assert len(lines) < height


@pytest.mark.parametrize(
    ("width", "height", "lines"), [(200, 60, 16), (100, 30, 16), (100, 18, 8), (100, 8, 0), (10, 60, 0)]
)
def test_the_preview_takes_the_room_there_is(width: int, height: int, lines: int) -> None:
    preview = preview_of(torch.zeros(24, 1, 28, 28), DATA, terminal(width, height), used=10)
    assert abs((preview.plain.count("\n") + 1 if preview else 0) - lines) <= 1


def test_reports_are_no_players_terms() -> None:
    owners = {name: player_of(name) for name in [*STATS, "class_accuracy/label"]}
    assert owners["critic/information/category"] == "critic"
    assert not owners["information/category"]
    assert not owners["critic_accuracy"]
    assert not owners["class_accuracy/label"]


def test_the_remaining_time_is_unknown_without_a_rate() -> None:
    assert remaining(250, 1000, 125.0) == 6
    assert remaining(1200, 1000, 125.0) == 0
    assert remaining(0, 1000, 0.0) == math.inf
