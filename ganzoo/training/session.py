"""One sitting of a run: rounds until the budget is used, ticks, checkpoints and pictures on the way."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from ganzoo.core.errors import RunError
from ganzoo.runs import checkpoint
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.events import Observer, Summary, Tick
from ganzoo.training.interruption import interruptible
from ganzoo.training.plan import Plan
from ganzoo.training.statistics import PROGRESS
from ganzoo.training.summary import (
    draw_samples,
    draw_traversals,
    next_commands,
    resume_command,
    sample_picture,
    sentences,
)
from ganzoo.training.trainer import Trainer

__all__ = ["Session"]

PREVIEW_SAMPLES = 24


class Session:
    """Plays a trainer's rounds into a run directory.

    Args:
        plan: what is going to be done.
        trainer: new, or restored from the run's newest checkpoint.
        run: the directory, whose lock the caller holds; of several processes the first alone writes to it.
        observer: whom to tell.
    """

    def __init__(self, plan: Plan, trainer: Trainer, run: RunDirectory, observer: Observer) -> None:
        self.plan, self.trainer, self.run, self.observer = plan, trainer, run, observer
        self.processes = trainer.processes
        game = plan.game
        self.sampler = Sampler.of(trainer.averages["generator"], game.latent, game.data)
        self.ceilings = {
            f"information/{name}": game.latent.entropy(name)
            for name in game.latent.codes.names
            if game.latent[name].discrete
        }
        self.stats: Mapping[str, float] = {}
        self._seconds_before = run.record.seconds
        self._saved_at: int | None = trainer.images or None

    def play(self) -> Summary:
        """Go on until the budget is used or a signal asks to stop; either way the state is saved.

        Raises:
            RunError: a value stopped being finite, or a file could not be written; the record says so.
        """
        self._started = self._last_tick = perf_counter()
        self._images_at_tick = self.trainer.images
        # A damaged checkpoint may have sent it back to an older one than the record says.
        self._update(status="running", message="", images=self.trainer.images)
        try:
            self._catch_up()
            self.observer.started(self.plan, self.run)
            # What the caller draws on a GPU is not the run's business; trainers see to the CPU's generator.
            gpus = [device] if (device := self.plan.hardware.device).type == "cuda" else []
            with interruptible() as interruption, torch.random.fork_rng(gpus):
                while self.trainer.images < self.plan.config.images:
                    # All stop after the same round, whichever of them was asked to.
                    if self.processes.any(interruption.requested):
                        break
                    self._round()
                done = self.trainer.images >= self.plan.config.images
                return self._finish("finished" if done else "interrupted")
        except BaseException as error:
            self._fail(error)
            raise

    def _catch_up(self) -> None:
        """Do what a kill after the last save may have kept from being done."""
        if not self.processes.first:
            return
        self.run.tidy()
        if self._saved_at is None:
            return
        checkpoint.prune(self.run)
        if not sample_picture(self.run, self._saved_at).exists():
            draw_samples(self.sampler, self.run, self._saved_at)

    def _round(self) -> None:
        before = self.trainer.images
        self.trainer.play_round()
        images, config = self.trainer.images, self.plan.config
        self.observer.progressed(images)
        if images // config.tick > before // config.tick:
            self._tick()
        # The last save waits for the last tick, so that a raised budget does not count its images twice.
        if images < config.images and images // config.save_every > before // config.save_every:
            self._save()

    def _tick(self) -> None:
        self.trainer.check_finite()
        self.stats = self.trainer.statistics.read()
        images, now = self.trainer.images, perf_counter()
        rate = (images - self._images_at_tick) / (now - self._last_tick)
        self._last_tick, self._images_at_tick = now, images
        seconds = now - self._started
        times = {"seconds": round(self._seconds_before + seconds, 3), "images_per_second": round(rate, 1)}
        if self.processes.first:
            self.run.append_stats({"images": images, **times, **self.stats})
        self.observer.ticked(Tick(images, seconds, rate, self.stats, self.ceilings, self._preview))

    def _preview(self) -> Tensor:
        return self.sampler.sample(PREVIEW_SAMPLES)

    def _save(self) -> None:
        self.trainer.check_finite()
        images = self.trainer.images
        tensors, meta = self.trainer.state()
        self._saved_at = images
        if not self.processes.first:
            return
        self.run.sync_stats()
        path = checkpoint.save(self.run, images, tensors, meta)
        checkpoint.prune(self.run)
        self._note_progress()
        draw_samples(self.sampler, self.run, images)
        self.observer.saved(images, path)

    def _note_progress(self, **changes: object) -> None:
        seconds = self._seconds_before + perf_counter() - self._started
        peak = self.plan.hardware.peak_memory()
        if peak is not None:
            changes["peak_memory"] = max(peak, self.run.record.peak_memory or 0)
        self._update(images=self.trainer.images, seconds=round(seconds, 3), **changes)

    def _update(self, **changes: object) -> None:
        if self.processes.first:
            self.run.update(**changes)
        else:
            self.run.record = self.run.record.model_copy(update=changes)

    def _finish(self, status: str) -> Summary:
        finished = status == "finished"
        if finished and self.trainer.images > self._images_at_tick:
            self._tick()
        if self._saved_at != self.trainer.images:
            self._save()
        pictures: list[Path] = []
        if finished and self.processes.first:
            pictures = [draw_samples(self.sampler, self.run, self.trainer.images)]
            pictures += draw_traversals(self.sampler, self.run)
        stats = self.stats or self._last_stats()
        said = sentences(self.plan, stats) if finished else []
        self._note_progress(status=status, message=" ".join(said))
        self.processes.any(False)  # nobody goes on before everything is written
        summary = Summary(
            status=status,
            images=self.trainer.images,
            seconds=self.run.record.seconds,
            stats=stats,
            pictures=pictures,
            sentences=said,
            next=next_commands(self.plan.game.latent, self.run.path, self.plan.files),
            resume=resume_command(self.run.path, self.plan.files),
        )
        self.observer.finished(self.run, summary)
        return summary

    def _last_stats(self) -> Mapping[str, float]:
        last = (self.run.stats() or [{}])[-1]
        return {name: value for name, value in last.items() if name not in PROGRESS}

    def _fail(self, error: BaseException) -> None:
        """Say in the record why the run ended, as far as the disk still allows."""
        if not self.processes.first:
            return
        interrupted = isinstance(error, KeyboardInterrupt)
        try:
            last = f"the last good checkpoint is {checkpoint.latest(self.run).path}"
        except RunError:
            last = "there is no checkpoint yet"
        status, message = "interrupted" if interrupted else "failed", f"{error or type(error).__name__}; {last}"
        with suppress(RunError):
            self.run.update(status=status, message=message)
        summary = Summary(
            status=status,
            images=self.trainer.images,
            seconds=self._seconds_before + perf_counter() - self._started,
            stats=self.stats,
            sentences=[message],
            resume=resume_command(self.run.path, self.plan.files),
        )
        self.observer.failed(self.run, summary)
        if isinstance(error, RunError):
            raise RunError(f"{error}; {last}") from error
