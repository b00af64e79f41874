"""Statistics and previews of every run for TensorBoard: ``tensorboard --logdir runs``."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ganzoo

GANZOO_API = 1

if find_spec("tensorboard") is None:
    raise ganzoo.Unavailable("TensorBoard is not installed; to have it: pip install 'ganzoo[tensorboard]'")


class Log:
    """What is written of one run.

    Args:
        folder: where TensorBoard will look for it.
        plan: the run's plan.
        images: the progress from which on it is written; what an earlier session wrote beyond that is void.
    """

    def __init__(self, folder: Path, plan: ganzoo.Plan, images: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second, which only trainings have to spare

        self.data = plan.game.data
        self.writer: Any = SummaryWriter(str(folder), purge_step=images + 1 if images else None)
        self.writer.add_text("plan", "\n".join(f"    {line}" for line in str(plan).splitlines()), images)

    def add(self, tick: ganzoo.Tick) -> None:
        """Writes the statistics of a tick, and some samples where these are images."""
        for name, value in {**tick.stats, "images_per_second": tick.images_per_second}.items():
            self.writer.add_scalar(name, value, tick.images)
        if self.data.is_image:
            low, high = self.data.range
            self.writer.add_images("samples", ((tick.preview() - low) / (high - low)).clamp(0, 1), tick.images)
        self.writer.flush()


_logs: dict[Path, Log] = {}


@ganzoo.hookimpl
def ganzoo_run_started(run: Path, plan: ganzoo.Plan, images: int) -> None:
    """Open the run's log."""
    _logs[run] = Log(run / "tensorboard", plan, images)


@ganzoo.hookimpl
def ganzoo_tick(run: Path, tick: ganzoo.Tick) -> None:
    """Write what is new."""
    _logs[run].add(tick)


@ganzoo.hookimpl
def ganzoo_run_finished(run: Path) -> None:
    """Close the log."""
    _logs.pop(run).writer.close()
