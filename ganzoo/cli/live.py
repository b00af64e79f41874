"""The live display of a run in a terminal: a bar, the terms, and what the generator draws by now."""

from time import perf_counter

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text
from torch import Tensor

from ganzoo.cli.display import PlainLines, headline, remaining
from ganzoo.cli.text import count, duration, measure
from ganzoo.core.data import DataSpec
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.pictures import grid, half_blocks
from ganzoo.training.events import Tick
from ganzoo.training.plan import Plan

__all__ = ["LiveDisplay"]

CELL = 16
"""Terminal columns that one previewed sample gets, half as many lines: enough to recognise a digit."""
PREVIEW_COLUMNS = 10
PREVIEW_ROWS = 2
MEASURED = ("information", "class_accuracy")
"""Families of reports, which are named like a player's terms and are in nobody's loss."""


class LiveDisplay(PlainLines):
    """Redraws itself a few times a second; the last frame stays on the screen.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live: Live | None = None
        self.tick: Tick | None = None
        self.preview: Text | None = None
        self.images = 0

    def started(self, plan: Plan, run: RunDirectory) -> None:
        """Takes over the terminal."""
        self.title, self.data, self.budget = headline(plan, run), plan.game.data, plan.config.images
        self.images = self.first_image = run.record.images
        self.first_second = perf_counter()
        self.live = Live(console=self.console, get_renderable=self.frame, refresh_per_second=4)
        self.live.start()

    def progressed(self, images: int) -> None:
        """Notes the progress for the next frame."""
        self.images = images

    def ticked(self, tick: Tick) -> None:
        """Notes the statistics, and draws some samples."""
        self.tick, self.images = tick, tick.images
        # The title, the bar, two empty lines and the line that the cursor is on.
        used = len(self.console.render_lines(terms(tick))) + 5
        self.preview = preview_of(tick.preview(), self.data, self.console, used)

    def close(self) -> None:
        """Leaves the last frame on the screen."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def frame(self) -> RenderableType:
        """The display as it is now."""
        parts: list[RenderableType] = [Text(self.title, "bold", no_wrap=True, overflow="ellipsis"), self._bar()]
        if self.tick is not None:
            parts.append(Padding(terms(self.tick), (1, 0, 0, 0)))
        if self.preview is not None:
            parts.append(Padding(self.preview, (1, 0, 0, 0)))
        return Group(*parts)

    def _bar(self) -> RenderableType:
        rate = self.tick.images_per_second if self.tick else self._first_rate()
        left = remaining(self.images, self.budget, rate)
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            ProgressBar(total=self.budget, completed=self.images, width=30),
            f"{count(self.images)} of {count(self.budget)} images",
            f"{count(round(rate))}/s",
            f"ETA {duration(left)}",
        )
        return bar

    def _first_rate(self) -> float:
        return (self.images - self.first_image) / max(perf_counter() - self.first_second, 1e-9)


def terms(tick: Tick) -> RenderableType:
    """Every statistic: the terms of each player, then what was measured, side by side where there is room."""
    groups: dict[str, Table] = {}
    for name, value in sorted(tick.stats.items(), key=lambda item: not player_of(item[0])):
        player = player_of(name)
        table = groups.setdefault(player or "measured", Table.grid(padding=(0, 2)))
        label = name.removeprefix(f"{player}/")
        table.add_row(Text(label), Text(measure(name, value, tick.ceilings), style="cyan"))
    blocks = [Group(Text(title, style="bold"), table) for title, table in groups.items()]
    return Columns(blocks, padding=(0, 4))


def player_of(name: str) -> str:
    """The player whose loss a statistic is a term of; empty for what is only measured."""
    owner, slash, _ = name.partition("/")
    return owner if slash and owner not in MEASURED else ""


def preview_of(samples: Tensor, data: DataSpec, console: Console, used: int) -> Text | None:
    """Samples as half-block characters, as many as there is room for; None if there is none.

    Args:
        samples: (n, *shape).
        data: how a sample is drawn.
        console: the terminal.
        used: lines that are taken by other things.
    """
    columns = min(PREVIEW_COLUMNS, len(samples), console.width // CELL)
    rows = min(PREVIEW_ROWS, len(samples) // max(columns, 1), (console.height - used) // (CELL // 2))
    if columns < 1 or rows < 1:
        return None
    picture = grid(samples[: rows * columns], data, columns)
    text = Text(no_wrap=True)
    for line in half_blocks(picture, columns * CELL):
        for character, foreground, background in line:
            text.append(character, Style(color=foreground, bgcolor=background))
        text.append("\n")
    text.rstrip()
    return text
