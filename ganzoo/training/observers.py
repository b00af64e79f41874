"""The observers that plugins bring: they hear of every run, and none of them can stop one."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganzoo.runs.directory import RunDirectory
from ganzoo.training.events import Observer, Summary, Tick
from ganzoo.training.plan import Plan
from ganzoo.zoo.loading import Plugin, described
from ganzoo.zoo.manager import Zoo

__all__ = ["WithPlugins"]


class WithPlugins(Observer):
    """Tells the caller's observer, then every plugin that watches runs.

    A plugin that raises is named in a warning, and hears no more of the run.

    Args:
        observer: the caller's own.
        zoo: knows the plugins; all are imported now, but for built-in ones that bring something else.
    """

    def __init__(self, observer: Observer, zoo: Zoo) -> None:
        self.observer, self._strict = observer, zoo.strict
        self._watching: Sequence[Plugin] = zoo.observers()
        self._run: Path | None = None

    def started(self, plan: Plan, run: RunDirectory) -> None:
        """Tells of the beginning."""
        self.observer.started(plan, run)
        self._run = run.path
        self._tell("ganzoo_run_started", run=run.path, plan=plan, images=run.record.images)

    def progressed(self, images: int) -> None:
        """Tells the caller's observer alone: nothing that is called so often may depend on a plugin."""
        self.observer.progressed(images)

    def ticked(self, tick: Tick) -> None:
        """Tells of a tick."""
        self.observer.ticked(tick)
        self._tell("ganzoo_tick", run=self._run, tick=tick)

    def saved(self, images: int, path: Path) -> None:
        """Tells the caller's observer alone."""
        self.observer.saved(images, path)

    def finished(self, run: RunDirectory, summary: Summary) -> None:
        """Tells of the end."""
        self.observer.finished(run, summary)
        self._tell("ganzoo_run_finished", run=run.path, summary=summary)

    def failed(self, run: RunDirectory, summary: Summary) -> None:
        """Tells of the failure those who have heard of the beginning."""
        self.observer.failed(run, summary)
        if self._run is not None:
            self._tell("ganzoo_run_finished", run=run.path, summary=summary)

    def _tell(self, hook: str, **arguments: Any) -> None:
        still = []
        for plugin in self._watching:
            assert plugin.hooks is not None  # it is loaded
            try:
                getattr(plugin.hooks.hook, hook)(**arguments)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # SystemExit too
                if self._strict:
                    raise
                self._complain(plugin, hook, error)
            else:
                still.append(plugin)
        self._watching = still

    def _complain(self, plugin: Plugin, hook: str, error: BaseException) -> None:
        name, distribution = plugin.status.name, plugin.status.distribution
        run = self._run.name if self._run is not None else "the run"
        warnings.warn(
            f"plugin {name!r} of {distribution!r} raised {described(error)} in {hook}; it watches {run} no longer",
            stacklevel=2,
        )
