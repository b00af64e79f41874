"""The pages for plugin authors: what they state of hooks, packages and lengths is so."""

import inspect
import re
from pathlib import Path

import pytest
from doc_pages import blocks

from ganzoo.testing.package import write_package
from ganzoo.zoo import hookspecs

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "plugins"
HOOKS = sorted(name for name in hookspecs.__all__ if name.startswith("ganzoo_"))


def sections() -> dict[str, str]:
    """The text under each heading of hooks.md that is a hook's signature, by that signature."""
    text = (PAGES / "hooks.md").read_text(encoding="utf-8")
    parts = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)[1:]
    return {title.strip("`"): body for title, body in zip(parts[::2], parts[1::2], strict=True) if "`ganzoo_" in title}


def written(hook: str) -> tuple[str, str, dict[str, str]]:
    """Of a hook's documentation: the first line, what it returns, and its arguments."""
    text = (inspect.getdoc(getattr(hookspecs, hook)) or "").replace("``", "`")
    named = {title: entry for title, entry in re.findall(r"^(Args|Returns):\n((?:    .*\n?)+)", text, re.MULTILINE)}
    arguments = re.findall(r"^    (\w+): ((?:.*\n?)(?:      .*\n?)*)", named.get("Args", ""), re.MULTILINE)
    flowing = {name: " ".join(entry.split()) for name, entry in arguments}
    return text.splitlines()[0], " ".join(named.get("Returns", "").split()), flowing


def test_the_reference_has_every_hook_with_its_arguments() -> None:
    signatures = {f"{hook}({', '.join(inspect.signature(getattr(hookspecs, hook)).parameters)})" for hook in HOOKS}
    assert set(sections()) == signatures


@pytest.mark.parametrize("hook", HOOKS)
def test_the_reference_says_of_a_hook_what_its_specification_says(hook: str) -> None:
    (section,) = (body for signature, body in sections().items() if signature.startswith(f"{hook}("))
    first, returns, arguments = written(hook)
    assert set(arguments) == set(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert section.strip().splitlines()[0] == first
    assert re.findall(r"^Returns: (.*)$", section, re.MULTILINE) == ([returns] if returns else [])
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert rows == arguments


def test_the_model_that_the_tutorial_shows_is_the_one_that_is_written(tmp_path: Path) -> None:
    package = write_package("hello-gan", tmp_path)
    shown = {block.text for block in blocks((PAGES / "tutorial.md").read_text(encoding="utf-8"))}
    model = (package / "src" / "ganzoo_hello_gan" / "__init__.py").read_text(encoding="utf-8").strip()
    assert model in shown
    assert len(model.splitlines()) <= 60
