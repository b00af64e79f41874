"""What a run reports of itself: sums on the device, read at ticks and before each checkpoint."""

from collections.abc import Mapping, Sequence

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from ganzoo.core.errors import RunError
from ganzoo.core.objective import Term
from ganzoo.runs.checkpoint import Checkpoint
from ganzoo.training.distributed import ALONE, Processes

__all__ = ["PROGRESS", "Statistics", "names_of_terms", "sums_of"]

PROGRESS = ("images", "seconds", "images_per_second")
"""What a line of statistics begins with, beside the means."""

_NAMES = TypeAdapter(dict[str, list[str]])


class Statistics:
    """Means of every term and report since the last tick, kept without waiting for the device.

    Args:
        device: where the terms are.
        processes: over whom the means are taken; ``means``, ``read``,
            ``first_not_finite`` and ``state`` then wait for all.
    """

    def __init__(self, device: torch.device, processes: Processes = ALONE) -> None:
        self.device, self.processes = device, processes
        self._names: dict[str, list[str]] = {}
        self._sums: dict[str, Tensor] = {}
        self._first_bad: dict[str, Tensor] = {}

    def add(self, player: str, terms: Sequence[Term], images: float | Tensor) -> None:
        """Add one turn's terms.

        Args:
            player: whose turn it was.
            terms: its terms.
            images: progress of the run, a scalar of float64 on the device in a captured round; remembered for the
                first value that is not finite.

        Raises:
            RunError: the terms are not those of the player's last turn, or two things go by one name.
        """
        values = [term.value.detach() for term in terms]
        names = [f"{player}/{term.name}" for term in terms]
        for term in terms:
            names += term.reports
            values += term.reports.values()
        if player not in self._names:
            self._expect_free(player, names)
        row = torch.stack([value.float() for value in values])
        if self._names.setdefault(player, names) != names:
            raise RunError(f"the terms of player {player} changed from {self._names[player]} to {names} in the run")
        if player not in self._sums:
            self._sums[player] = sums_of(names).to(self.device)
            self._first_bad[player] = torch.full((len(names),), torch.inf, dtype=torch.float64, device=self.device)
        self._sums[player][:-1] += row
        self._sums[player][-1] += 1
        bad = self._first_bad[player]
        bad.copy_(torch.where(~row.isfinite() & bad.isinf(), images, bad))

    def _expect_free(self, player: str, names: Sequence[str]) -> None:
        """Each name stands for one number of a line, which would hide another of that name."""
        taken = dict.fromkeys(PROGRESS, "the run's progress")
        taken |= {name: f"player {other}" for other, names in self._names.items() for name in names}
        for name in names:
            if name in taken:
                raise RunError(f"player {player} reports {name!r}, a name that {taken[name]} has; choose another")
            taken[name] = f"player {player}"

    def tensors(self) -> dict[str, Tensor]:
        """Everything that ``add`` changes, itself and no copy, by ``kind/player``."""
        sums = {f"sums/{player}": value for player, value in self._sums.items()}
        return sums | {f"first not finite/{player}": value for player, value in self._first_bad.items()}

    @property
    def players(self) -> set[str]:
        """Whose terms were added so far."""
        return set(self._names)

    def forget(self, players: set[str]) -> None:
        """Take players for such as nothing was ever added of."""
        for player in players:
            del self._names[player], self._sums[player], self._first_bad[player]

    def means(self) -> dict[str, float]:
        """The means since the last tick by name; nothing for a player without a turn."""
        means: dict[str, float] = {}
        sums = {player: self._sums[player].clone() for player in self._names}
        self.processes.average(in_order(sums))
        for player, names in self._names.items():
            *totals, count = sums[player].tolist()
            means |= dict(zip(names, (total / count for total in totals), strict=True)) if count else {}
        return means

    def read(self) -> dict[str, float]:
        """The means by name, after which the sums start again from zero."""
        means = self.means()
        for sums in self._sums.values():
            sums.zero_()
        return means

    def first_not_finite(self) -> tuple[str, int] | None:
        """The name of the first value that was NaN or infinite, and the progress when it was, in images."""
        self.processes.least(in_order(self._first_bad))
        found = [
            (int(images), name)
            for player, names in self._names.items()
            for name, images in zip(names, self._first_bad[player].tolist(), strict=True)
            if images != torch.inf
        ]
        return min(found)[::-1] if found else None

    def state(self) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
        """Sums and names as they stand in mid-tick, for a checkpoint."""
        self.processes.average(in_order(self._sums))
        return {player: sums.clone() for player, sums in self._sums.items()}, dict(self._names)

    def restore(self, sums: Mapping[str, Tensor], names: Mapping[str, list[str]]) -> None:
        """Go on from ``state``."""
        self._names = dict(names)
        self._sums = {player: tensor.to(self.device, torch.float64) for player, tensor in sums.items()}
        self._first_bad = {
            player: torch.full((len(self._names[player]),), torch.inf, dtype=torch.float64, device=self.device)
            for player in sums
        }


def sums_of(names: Sequence[str]) -> Tensor:
    """Zeros for a player's terms and reports, and for the turns they are summed over: (len(names) + 1,) float64."""
    return torch.zeros(len(names) + 1, dtype=torch.float64)


def names_of_terms(checkpoint: Checkpoint) -> dict[str, list[str]]:
    """The names that ``Statistics.state`` gave a checkpoint, by player.

    Raises:
        RunError: they are not there, or no names.
    """
    names = checkpoint.meta.get("statistics")
    try:
        return _NAMES.validate_python(names)
    except ValidationError as error:
        raise RunError(f"{checkpoint.path} is damaged: its statistics have no names") from error


def in_order(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """Tensors in the order of their names: that of a checkpoint's is another in every process."""
    return [tensors[name] for name in sorted(tensors)]
