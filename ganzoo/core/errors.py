"""What ganzoo says when it cannot go on: one sentence that names what, where and what to do."""

from collections.abc import Iterable

__all__ = ["GanzooError", "RunError", "Unavailable", "UsageError", "unknown"]


class GanzooError(Exception):
    """Base of every error that ganzoo raises on purpose; the command line prints it without a traceback.

    Attributes:
        exit_code: exit status of the command line, 1 unless a subclass says otherwise.
    """

    exit_code = 1


class UsageError(GanzooError):
    """The request cannot be carried out as it was asked: a wrong name, value or file (exit status 2)."""

    exit_code = 2


class RunError(GanzooError):
    """A run could not start, go on or be read back (exit status 1)."""


class Unavailable(Exception):
    """What a plugin brings cannot be had here; the message says why, and what to do about it.

    A metric raises it for a run that it cannot be computed for, and a plugin at its import where an optional
    dependency of it is missing. Nothing is wrong then, so nothing fails.
    """


def unknown(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UsageError:
    """The error for a name that does not exist, with the nearest names that do.

    Args:
        kind: what was looked for, as a word ("model", "option").
        name: the name that was given.
        known: every name that would have been understood.
        where: the place where it was looked for, if that needs saying ("runs").

    Returns:
        An error to raise, such as ``there is no model 'infogam'; did you mean 'infogan'?``.
    """
    # Imported where it is used, as in all that `ganzoo --help` needs: to find a close match is rare.
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names, n=2, cutoff=0.6)
    if close:
        advice = "did you mean " + " or ".join(repr(match) for match in close) + "?"
    elif names:
        advice = "known: " + ", ".join(names)
    else:
        advice = "there are none"
    return UsageError(f"there is no {kind} {name!r}{f' in {where}' if where else ''}; {advice}")
