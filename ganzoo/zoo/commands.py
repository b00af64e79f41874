"""Commands that plugins add to ``ganzoo``: listed by name, imported only when one is used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ganzoo.core.errors import UsageError
from ganzoo.zoo.installed import COMMANDS, EntryPoint, installed, normal
from ganzoo.zoo.selection import Selection
from ganzoo.zoo.status import PluginStatus

__all__ = ["PluginCommand", "find_command", "plugin_commands"]


@dataclass(frozen=True)
class PluginCommand:
    """A command of a plugin, not imported.

    Attributes:
        point: where it is imported from.
        typed: what to type for it; ``distribution:name`` where the plain name is taken.
        refusal: why it may not be imported; empty if it may.
        clash: why the plain name is taken; empty if it is not.
    """

    point: EntryPoint
    typed: str
    refusal: str = ""
    clash: str = ""

    @property
    def origin(self) -> str:
        """Where it is from, such as ``ganzoo-foo 1.2``."""
        return f"{self.point.distribution} {self.point.version}".strip()

    @property
    def usable(self) -> bool:
        """Whether it may be imported, and can be as far as that is known."""
        return not (self.refusal or self.point.complaint)

    @property
    def status(self) -> PluginStatus:
        """What became of it, as a list of plugins says it."""
        status = PluginStatus(self.point.name, self.point.distribution, self.point.version, False, "not loaded")
        if self.refusal:
            return replace(status, state="disabled", reason=self.refusal)
        if self.point.complaint:
            return replace(status, state="failed", reason=self.point.complaint)
        reason = f"{self.clash}; type ganzoo {self.typed}" if self.clash else "loaded when it is used"
        return replace(status, reason=reason, commands=(self.typed,))


def plugin_commands(builtin: Collection[str], selection: Selection | None = None) -> list[PluginCommand]:
    """Every command that an installed plugin adds, by distribution and name; imports none of them.

    Args:
        builtin: the names of the built-in commands, which no plugin can take.
        selection: which plugins may be imported; None asks the environment.
    """
    selection = selection if selection is not None else Selection.from_environment()
    points = [point for point in installed(COMMANDS) if not point.builtin]
    refusals = [selection.refusal(point.name, point.distribution, builtin=False) for point in points]
    usable = [point.name for point, refusal in zip(points, refusals, strict=True) if not (refusal or point.complaint)]
    found = []
    for point, refusal in zip(points, refusals, strict=True):
        clash = "a built-in command has this name" if point.name in builtin else ""
        clash = clash or ("others offer a command of this name" if usable.count(point.name) > 1 else "")
        typed = f"{point.distribution}:{point.name}" if clash else point.name
        found.append(PluginCommand(point, typed, refusal, clash))
    return found


def find_command(asked: str, commands: Sequence[PluginCommand]) -> PluginCommand | None:
    """The command that is meant by a name, or by ``distribution:name``; None if there is none.

    Args:
        asked: the name, which is no built-in command's.
        commands: those that there are.

    Raises:
        UsageError: several plugins offer it.
    """
    owner, _, name = asked.rpartition(":")
    found = [
        command
        for command in commands
        if command.usable
        and command.point.name == name
        and (not owner or normal(command.point.distribution) == normal(owner))
    ]
    if len(found) > 1:
        origins = " and ".join(command.point.distribution for command in found)
        way_out = " or ".join(f"'ganzoo {command.typed}'" for command in found)
        raise UsageError(f"the command {name!r} is offered by {origins}; type {way_out}")
    return found[0] if found else None
