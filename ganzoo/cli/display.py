"""What a run in progress prints: a live display, plain lines, JSON lines or next to nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import click

from ganzoo.cli.text import count, duration, measure, print_json
from ganzoo.runs.directory import RunDirectory
from ganzoo.training.events import Observer, Summary, Tick
from ganzoo.training.plan import Plan

__all__ = ["JsonLines", "PlainLines", "Watcher", "observer_for", "remaining"]


class Watcher(Observer):
    """Prints the final line alone; the base of everything that prints more.

    A context manager, so that a display is taken down however the run ends.
    """

    interrupted = False
    """Whether the run was stopped before its budget was used."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the terminal; may be called twice."""

    def finished(self, run: RunDirectory, summary: Summary) -> None:
        """Takes the display down and prints how the run ended."""
        self.close()
        self.interrupted = summary.status == "interrupted"
        self.conclude(run, summary)

    def conclude(self, run: RunDirectory, summary: Summary) -> None:
        """Prints the final line; of an interrupted run, with the command that goes on."""
        go_on = f"; go on with: {summary.resume}" if summary.status == "interrupted" else ""
        click.echo(how_it_ended(run, summary) + go_on)


class PlainLines(Watcher):
    """Prints one line a tick, for a terminal that cannot do more, a pipe or a log."""

    budget = 0

    def started(self, plan: Plan, run: RunDirectory) -> None:
        """Prints what is going to be trained, and where."""
        self.budget = plan.config.images
        click.echo(headline(plan, run))

    def ticked(self, tick: Tick) -> None:
        """Prints progress, rate and every statistic."""
        share = min(1.0, tick.images / self.budget)
        parts = [
            f"{count(tick.images)} of {count(self.budget)} images ({share:.0%})",
            f"{count(round(tick.images_per_second))}/s",
            f"ETA {duration(remaining(tick.images, self.budget, tick.images_per_second))}",
            *(f"{name} {measure(name, value, tick.ceilings)}" for name, value in tick.stats.items()),
        ]
        click.echo("  ".join(parts))

    def conclude(self, run: RunDirectory, summary: Summary) -> None:
        """Prints what was learned, which pictures there are and what to type next."""
        click.echo("\n" + how_it_ended(run, summary))
        if summary.sentences:
            click.echo("\n" + "\n".join(summary.sentences))
        lists = {
            "pictures": [str(path) for path in summary.pictures],
            "to go on": [summary.resume] if summary.status == "interrupted" else [],
            "type next": summary.next,
        }
        for title, lines in lists.items():
            if lines:
                click.echo("\n" + "\n  ".join([title, *lines]))


class JsonLines(Watcher):
    """Prints one JSON object a line: started, tick, saved, finished.

    Args:
        quiet: print only the last of them.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def started(self, plan: Plan, run: RunDirectory) -> None:
        """Prints the plan."""
        self._print("started", {"run": run.path, "plan": plan.as_dict()})

    def ticked(self, tick: Tick) -> None:
        """Prints progress and statistics."""
        values = {
            "images": tick.images,
            "seconds": tick.seconds,
            "images_per_second": tick.images_per_second,
            "stats": tick.stats,
            "ceilings": tick.ceilings,
        }
        self._print("tick", values)

    def saved(self, images: int, path: Path) -> None:
        """Prints the checkpoint."""
        self._print("saved", {"images": images, "path": path})

    def conclude(self, run: RunDirectory, summary: Summary) -> None:
        """Prints the summary."""
        values = {
            "run": run.path,
            "status": summary.status,
            "images": summary.images,
            "seconds": summary.seconds,
            "stats": summary.stats,
            "pictures": summary.pictures,
            "sentences": summary.sentences,
            "next": summary.next,
            "resume": summary.resume,
        }
        print_json({"event": "finished", **values}, indent=None)

    def _print(self, event: str, values: Mapping[str, Any]) -> None:
        if not self.quiet:
            print_json({"event": event, **values}, indent=None)


def observer_for(*, quiet: bool, as_json: bool) -> Watcher:
    """The display that suits the flags and the terminal.

    Args:
        quiet: print nothing but the final line.
        as_json: print JSON lines.
    """
    if as_json:
        return JsonLines(quiet)
    if quiet:
        return Watcher()
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainLines()
    from ganzoo.cli.live import LiveDisplay

    return LiveDisplay(console)


def headline(plan: Plan, run: RunDirectory) -> str:
    """What is being trained, where and on what, in a line."""
    recipe = f"@{plan.config.recipe}" if plan.config.recipe else ""
    hardware = f"{plan.hardware.name}, {plan.hardware.precision}"
    return f"{plan.config.model}{recipe} on {plan.game.data.name}, {hardware}, in {run.path}"


def how_it_ended(run: RunDirectory, summary: Summary) -> str:
    """The status, how many images it took how long, and where the run is, in a line."""
    return f"{summary.status}: {count(summary.images)} images in {duration(summary.seconds)}, in {run.path}"


def remaining(images: int, budget: int, rate: float) -> float:
    """Seconds until the budget is used at a rate of images a second; infinite where there is none."""
    left = max(0, budget - images)
    return left / rate if rate > 0 else float("inf")
