"""What the page on reliability promises is held by tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def rows() -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").partition("\n## Faults\n")[2].partition("\n## ")[0]
    table = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return table[1:]


def test_every_fault_names_a_test_that_exists() -> None:
    assert len(rows()) > 20
    for fault, promise, proof in rows():
        named = NAMED.findall(proof)
        assert promise.strip()
        assert named, f"no test is named for: {fault}"
        for file, name in named:
            assert name.startswith("test_")
            assert name in names_in(file), f"{file} has no {name}"


def test_every_fault_that_is_tested_is_on_the_page() -> None:
    named = {name for row in rows() for _, name in NAMED.findall(row[-1])}
    assert names_in("tests/reliability/test_crashes.py") & named >= {
        name for name in names_in("tests/reliability/test_crashes.py") if name.startswith("test_")
    }
