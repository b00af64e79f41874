"""What became of a plugin."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PluginStatus", "State"]

State = Literal["loaded", "not loaded", "disabled", "unavailable", "incompatible", "failed"]


@dataclass(frozen=True)
class PluginStatus:
    """What became of one plugin.

    Attributes:
        name: its entry-point name.
        distribution: the installed distribution that brings it.
        version: that distribution's version, empty if it has none.
        builtin: whether it is part of ganzoo.
        state: "not loaded" until something needs it; "unavailable" where it lacks what is optional,
            "incompatible" where it needs another version of ganzoo.
        reason: why it is not loaded, or what to know about a loaded one; one line, often empty.
        seconds: time that its import took, without torch's and ganzoo's own; 0 for built-in ones.
        models: names of the models that it offers.
        datasets: names of the data sets that it offers.
        metrics: names of the metrics that it offers.
        extractors: names of the feature extractors that it offers.
        commands: names of the commands that it offers.
        observes: whether it watches runs.
    """

    name: str
    distribution: str
    version: str
    builtin: bool
    state: State
    reason: str = ""
    seconds: float = 0.0
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    extractors: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    observes: bool = False

    @property
    def brings(self) -> tuple[str, ...]:
        """The names of everything that it offers."""
        return self.models + self.datasets + self.metrics + self.extractors + self.commands
