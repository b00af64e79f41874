"""Pages that are one file: the templates, and a policy under which a browser runs nothing but our own script."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render_page"]

_FOLDER = Path(__file__).with_name("templates")


def render_page(template: str, **content: Any) -> str:
    """A page, whole in itself.

    All of ``content`` is escaped where it is put in, and the page's Content Security Policy allows no network,
    no plugin, and no script or style but those whose hashes it names; so no class name or path can become code.

    Args:
        template: name of a file in ``templates``.
        **content: what it shows.
    """
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    script = (_FOLDER / "explorer.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("ganzoo.comparison"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = _commands
    policy = (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(template).render(
        policy=policy,
        style=Markup(style),
        script=Markup(script),
        version=version("ganzoo"),
        made=datetime.now(UTC).date().isoformat(),
        **content,
    )


def _source(text: str) -> str:
    """The policy's word for an element with exactly this content."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _commands(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 and index + 1 < len(parts) else part
        for index, part in enumerate(parts)
    )
