"""The documents: what they tell the reader to type works, and what they state about the code is so."""

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doc_pages import Reader, blocks
from doc_tables import TABLES, refreshed

from ganzoo.networks.stock import FAMILIES
from ganzoo.objectives.adversarial import ADVERSARIAL
from ganzoo.zoo.manager import default_zoo

ROOT = Path(__file__).resolve().parents[1]
PLUGIN_PAGES = sorted((ROOT / "docs" / "plugins").glob("*.md"))
RESULT_PAGES = sorted((ROOT / "docs" / "results").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *PLUGIN_PAGES, *RESULT_PAGES]
SLOW = {
    f"docs/{name}.md"
    for name in (
        *("benchmarks", "comparing", "configuration", "models", "objectives"),
        *("plugins/testing", "plugins/tutorial"),
    )
}
"""Pages that take many seconds; that what they are about works has tests of its own among the fast ones."""


def called(page: Path) -> str:
    """A page's path in the repository."""
    return str(page.relative_to(ROOT))


pages = pytest.mark.parametrize("page", PAGES, ids=called)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    for tool in ("bash", "ls"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool} here")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    yield Reader(tmp_path)
    # A page may have installed or registered a plugin.
    default_zoo.cache_clear()


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] * (called(page) in SLOW), id=called(page)) for page in PAGES],
)
def test_what_a_page_says_works(page: Path, reader: Reader) -> None:
    reader.read(page)


@pages
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name} leads to {name}, which does not exist"
        if anchor:
            assert anchor in anchors(file), f"{page.name} leads to {target}, but {file.name} has no such heading"


@pages
def test_tables_say_what_the_code_says(page: Path) -> None:
    """``UPDATE_DOCS=1 pytest tests/test_docs.py`` writes them anew."""
    text = page.read_text(encoding="utf-8")
    current = refreshed(text)
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(current, encoding="utf-8")
        return
    assert text == current


def test_every_table_is_somewhere() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in TABLES if f"<!-- table: {name} -->" not in text] == []


def test_every_page_is_reached_from_an_index() -> None:
    for folder in (ROOT / "docs", ROOT / "docs" / "plugins"):
        index = (folder / "index.md").read_text(encoding="utf-8")
        names = [page.name for page in PAGES if page.parent == folder]
        assert [name for name in names if name != "index.md" and f"({name}" not in index] == []
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert all(f"({name}" in index for name in ("plugins/index.md", *(f"results/{page.name}" for page in RESULT_PAGES)))
    assert "docs/index.md" in PAGES[0].read_text(encoding="utf-8")


def test_nothing_that_users_choose_by_name_is_left_out() -> None:
    objectives = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    assert [name for name in ADVERSARIAL if f"`{name}`" not in objectives] == []
    models = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert [name for name in FAMILIES if f"`{name}`" not in models] == []


def test_the_rooms_are_those_of_the_import_contract() -> None:
    contracts = project()["tool"]["importlinter"]["contracts"]
    rooms = next(contract["layers"] for contract in contracts if contract["id"] == "rooms")
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `ganzoo/(\w+)(?:/|\.py)` \|", page, re.MULTILINE) == list(reversed(rooms))
    picture = (ROOT / "docs" / "pictures" / "rooms.svg").read_text(encoding="utf-8")
    drawn = re.findall(r'class="room"[^>]*>(\w+)<', picture)
    assert sorted(drawn) == sorted(rooms)


@pages
def test_python_in_a_page_is_within_the_public_interface(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            inner = re.findall(r"^\s*(?:from|import) (ganzoo\.(?!testing\s)[\w.]+)", block.text, re.MULTILINE)
            assert inner == [], f"{page.name}, line {block.line}: users import from ganzoo itself"


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
