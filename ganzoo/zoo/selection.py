"""Which plugins may be imported, and what happens to one that fails: decided before any is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ganzoo.zoo.installed import normal

__all__ = ["ALLOW", "Selection"]

ALLOW = "GANZOO_LOAD_PLUGINS"
DENY = "GANZOO_DISABLE_PLUGINS"
STRICT = "GANZOO_STRICT_PLUGINS"


@dataclass(frozen=True)
class Selection:
    """Which plugins may be imported, each given by its name, its distribution or ``distribution:name``.

    Attributes:
        allow: the only third-party plugins to load, None for all; built-in ones need no permission.
        deny: plugins not to load, built-in ones included; stronger than ``allow``.
        strict: whether what a plugin raises is raised on instead of noted, as its author will want.
    """

    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()
    strict: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Reads ``GANZOO_LOAD_PLUGINS`` (empty: none), ``GANZOO_DISABLE_PLUGINS`` and ``GANZOO_STRICT_PLUGINS``."""

        def names(text: str) -> frozenset[str]:
            return frozenset(normal(part) for part in text.split(",") if part.strip())

        allow = environ.get(ALLOW)
        strict = environ.get(STRICT, "") not in ("", "0")
        return cls(None if allow is None else names(allow), names(environ.get(DENY, "")), strict)

    def refusal(self, name: str, distribution: str, builtin: bool) -> str:
        """Why this plugin may not be imported; empty if it may."""
        meant = {normal(name), normal(distribution), normal(f"{distribution}:{name}")}
        if meant & self.deny:
            return f"named in {DENY}"
        if self.allow is None or builtin or meant & self.allow:
            return ""
        return f"not named in {ALLOW}" if self.allow else f"not built in (--no-plugins, or an empty {ALLOW})"
