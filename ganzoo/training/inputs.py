"""What differs from one round to the next: samples, random streams, and numbers that follow the run's progress."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from ganzoo.core import streams
from ganzoo.core.data import Samples
from ganzoo.core.errors import RunError
from ganzoo.core.round import Schedule

__all__ = ["Deal", "Inputs", "StaticInputs"]

Of = Callable[[int], float]
"""A number by the run's progress in images, which nothing else goes into."""


@dataclass(frozen=True)
class Deal:
    """Fresh samples for one turn of the first player.

    Attributes:
        reals: a batch from each source.
        labels: those of the whole batch of the first source, where several processes share it.
    """

    reals: Mapping[str, Samples]
    labels: Mapping[str, Tensor] | None = None


class Inputs:
    """Everything as it comes, for rounds that Python plays.

    Args:
        deals: the samples, turn after turn of the first player.
    """

    def __init__(self, deals: Iterable[Deal]) -> None:
        self._deals = iter(deals)

    def deal(self) -> Deal:
        """The next samples."""
        return next(self._deals)

    def put_back(self, deals: Iterable[Deal]) -> None:
        """Let samples that were taken come once more."""
        self._deals = chain(deals, self._deals)

    def generator(self, *key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
        """The random stream of that key: the seed, the progress in images, and what it is for."""
        return streams.generator(*key, device=device)

    def number(self, images: int, of: Of, dtype: torch.dtype = torch.float32) -> float | Tensor:
        """A number that follows the run's progress.

        Args:
            images: the progress.
            of: gives the number.
            dtype: of the scalar, where it has to be one.
        """
        return of(images)

    def schedules(self, images: int, progress: Callable[[int], float]) -> Callable[[Schedule], float | Tensor] | None:
        """What gives the numbers of schedules in a round; None where the round may read the progress itself.

        Args:
            images: the progress when the round begins.
            progress: its share of the schedule by the progress in images.
        """
        return None


class StaticInputs(Inputs):
    """Everything in the memory where a captured round looks for it, refreshed before each replay.

    Python plays a captured round once, and what it computes from the progress would stay as it was. So
    whatever depends on the progress is asked for here, remembered as a function of it, and computed anew in
    ``refresh``. Python may play several times, always from the same progress, and must ask for the same each time.

    Args:
        deals: samples of the shapes and layouts to come, for each turn of the first player.
        images: the progress from which Python plays.
        device: where scalars are kept.
    """

    def __init__(self, deals: Sequence[Deal], images: int, device: torch.device) -> None:
        super().__init__(())
        self._held, self._images, self._device = [_copied(deal) for deal in deals], images, device
        self._streams: dict[tuple[int | str, ...], torch.Generator] = {}
        self._numbers: list[tuple[int, Of, Tensor]] = []
        self._asked: set[tuple[int | str, ...]] = set()
        self._given = 0
        self._complete = False

    @property
    def generators(self) -> list[torch.Generator]:
        """Every random stream that was asked for."""
        return list(self._streams.values())

    def rewind(self) -> None:
        """Begin again from the first question; after the first time, no new ones may come."""
        self._complete = self._complete or bool(self._asked or self._given)
        self._deals = iter(self._held)
        self._asked, self._given = set(), 0

    def refresh(self, deals: Sequence[Deal], images: int) -> None:
        """Make everything ready for a replay.

        Args:
            deals: its samples.
            images: the progress when it begins.
        """
        for held, deal in zip(self._held, deals, strict=True):
            for source, samples in deal.reals.items():
                _overwrite(held.reals[source].values, samples.values)
                for name, label in samples.labels.items():
                    _overwrite(held.reals[source].labels[name], label)
        for (seed, ahead, *purpose), generator in self._streams.items():
            generator.manual_seed(streams.stable_seed(seed, images + int(ahead), *purpose))
        for offset, of, scalar in self._numbers:
            scalar.fill_(of(images + offset))

    def generator(self, *key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
        """The generator of that stream, always the same one.

        Raises:
            RunError: it was asked for already, or was not when Python played first.
        """
        seed, images, *purpose = key
        relative = (seed, int(images) - self._images, *purpose)
        if relative in self._asked:
            raise RunError(f"the random stream {purpose[-1]!r} was begun twice in one turn")
        self._asked.add(relative)
        if relative not in self._streams:
            self._refuse_if_complete()
            self._streams[relative] = streams.generator(*key, device=device)
        return self._streams[relative]

    def number(self, images: int, of: Of, dtype: torch.dtype = torch.float32) -> float | Tensor:
        """The scalar of that number, always the same one.

        Raises:
            RunError: Python asked for fewer numbers when it played first.
        """
        if self._given == len(self._numbers):
            self._refuse_if_complete()
            scalar = torch.full((), of(images), dtype=dtype, device=self._device)
            self._numbers.append((images - self._images, of, scalar))
        self._given += 1
        return self._numbers[self._given - 1][2]

    def schedules(self, images: int, progress: Callable[[int], float]) -> Callable[[Schedule], float | Tensor]:
        """Scalars that follow the progress."""
        return lambda schedule: self.number(images, lambda now: schedule(progress(now)))

    def _refuse_if_complete(self) -> None:
        if self._complete:
            raise RunError("a round does not do the same as the one before")


def _copied(deal: Deal) -> Deal:
    return Deal(
        {
            source: Samples(samples.values.clone(), {name: label.clone() for name, label in samples.labels.items()})
            for source, samples in deal.reals.items()
        }
    )


def _overwrite(held: Tensor, given: Tensor) -> None:
    # copy_ would spread a single row over a whole batch.
    if held.shape != given.shape:
        raise RunError(f"a batch has the shape {tuple(given.shape)}, where those before had {tuple(held.shape)}")
    held.copy_(given)
