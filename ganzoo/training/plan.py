"""What a run is going to do, before it does it."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.models.game import Game
from ganzoo.runs.config import RunConfig
from ganzoo.training.hardware import Hardware

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """A run that could be started.

    Attributes:
        game: the model put together; printed, its documentation.
        config: every setting, resolved.
        origins: where each setting comes from, by dotted key.
        hardware: where and how it computes.
        notes: decisions worth knowing.
        files: plugins in single files that were named for it; whoever opens the run names them again.
    """

    game: Game
    config: RunConfig
    origins: dict[str, str]
    hardware: Hardware
    notes: list[str] = field(default_factory=list)
    files: tuple[Path, ...] = ()

    @property
    def images_per_round(self) -> int:
        """Real samples that a round takes."""
        return self.game.images_per_round(self.config.batch)

    @property
    def rounds(self) -> int:
        """Rounds of the whole budget; the last one is played whole."""
        return math.ceil(self.config.images / self.images_per_round)

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "config": self.config.model_dump(mode="json"),
            "origins": self.origins,
            "latent": str(self.game.latent),
            "parameters": self.game.parameter_counts(),
            "objective": repr(self.game.objective),
            "rounds": self.rounds,
            "images_per_round": self.images_per_round,
            "device": str(self.hardware.device),
            "precision": self.hardware.precision,
            "notes": self.notes,
        }

    def __str__(self) -> str:
        config = self.config
        lines = [
            str(self.game),
            "",
            f"budget: {self.rounds:,} rounds of {self.images_per_round:,} = "
            f"{self.rounds * self.images_per_round:,} images",
            f"device: {self.hardware.name}, {self.hardware.precision}",
            f"seed {config.seed}; statistics every {config.tick:,} images, checkpoints every "
            f"{config.save_every:,}; averaged weights with a half-life of {config.half_life:,}",
            *(f"note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)
