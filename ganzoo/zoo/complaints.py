"""What the zoo says of plugins that cannot be used as asked."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ganzoo.core.errors import UsageError, unknown
from ganzoo.zoo.status import PluginStatus

__all__ = ["ambiguous", "missing", "noting", "noting_clashes", "plugin_names", "trouble"]


def trouble(status: PluginStatus) -> str:
    """What became of a plugin, and why."""
    return f"plugin {status.name!r} of {status.distribution!r} is {status.state}: {status.reason}"


def plugin_names(statuses: Sequence[PluginStatus]) -> str:
    """The plugins, each as ``distribution:name``."""
    return ", ".join(f"{status.distribution}:{status.name}" for status in statuses)


def ambiguous(word: str, name: str, statuses: Sequence[PluginStatus]) -> UsageError:
    """The error for a name that several plugins offer, with the way out.

    Args:
        word: what the name is of, such as "model".
        name: the name.
        statuses: the plugins that offer it.
    """
    distributions = sorted({status.distribution for status in statuses})
    if len(distributions) == len(statuses):
        way_out = "ask for " + " or ".join(repr(f"{distribution}:{name}") for distribution in distributions)
    else:
        way_out = "name the one to leave out in GANZOO_DISABLE_PLUGINS"
    return UsageError(f"the {word} {name!r} is offered by {plugin_names(statuses)}; {way_out}")


def missing(word: str, name: str, known: Iterable[str], where: str, statuses: Sequence[PluginStatus]) -> str:
    """What to say of a name that nobody offers.

    Args:
        word: what the name is of, such as "model".
        name: the name.
        known: the names that are offered.
        where: the distribution that was asked for it, empty if all were.
        statuses: the plugins that were asked; those that did not load might have offered it.
    """
    notes = [f"in {where}"] if where else []
    unusable = [status for status in statuses if status.state != "loaded"]
    # A built-in one that only lacks its extra has nothing to do with a name that is not in the catalogue.
    unusable = [status for status in unusable if not (status.builtin and status.state == "unavailable")]
    if unusable:
        notes.append(f"not loaded: {plugin_names(unusable)}, see ganzoo plugins")
    error = unknown(word, name, known)
    return f"{error} ({'; '.join(notes)})" if notes else str(error)


def noting(status: PluginStatus, remark: str) -> PluginStatus:
    """The status, with one more remark behind its reason."""
    return replace(status, reason="; ".join(filter(None, [status.reason, remark])))


def noting_clashes(status: PluginStatus, qualified: set[str]) -> PluginStatus:
    """The status, with a reason that names what can only be had as ``distribution:name``."""
    own = [f"{status.distribution}:{name}" for name in status.brings]
    clashes = [name for name in own if name in qualified]
    if not clashes:
        return status
    return replace(status, reason=f"others offer the same name; ask for {', '.join(clashes)}")
