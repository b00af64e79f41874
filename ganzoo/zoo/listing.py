"""What to type for each of several things of one kind, some of which may have the same name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from ganzoo.zoo.loading import Plugin

__all__ = ["Claim", "typed_names"]

V = TypeVar("V")


class Claim(NamedTuple, Generic[V]):
    """A plugin's claim to a name.

    Attributes:
        name: the name.
        plugin: the plugin.
        what: the thing itself; two claims to one and the same thing are no clash.
        value: what is known of it.
    """

    name: str
    plugin: Plugin
    what: object
    value: V


def typed_names(claims: Iterable[Claim[V]], first: Callable[[str], Sequence[Plugin]]) -> dict[str, V]:
    """What is known of each thing, under its name or, where that could mean another, ``distribution:name``.

    Args:
        claims: who has what.
        first: the plugins that come before all others for a name.
    """
    by_name: dict[str, list[Claim[V]]] = {}
    for claim in claims:
        by_name.setdefault(claim.name, []).append(claim)
    typed: dict[str, V] = {}
    for name, theirs in sorted(by_name.items()):
        ahead = first(name)
        plain = {claim.what for claim in theirs if claim.plugin in ahead} or {claim.what for claim in theirs}
        seen = set()
        for claim in theirs:
            if claim.what not in seen:
                alone = plain == {claim.what}
                typed[name if alone else f"{claim.plugin.status.distribution}:{name}"] = claim.value
                seen.add(claim.what)
    return typed
