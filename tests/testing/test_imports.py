"""``ganzoo.testing`` is imported when used, and says what it lacks."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo.testing
from ganzoo.core.errors import UsageError

HOMES: dict[str, tuple[str, ...]] = ganzoo.testing._HOMES


def test_importing_it_imports_nothing_slow() -> None:
    program = (
        "import sys, ganzoo.testing; sys.exit(bool({'torch', 'pytest', 'hypothesis', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_checking_a_model_needs_neither_pytest_nor_hypothesis() -> None:
    program = (
        "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None; "
        "from ganzoo.testing import TinyData, check_model, checks_for, run_checks"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("data_specs", "hypothesis", "ganzoo.testing.strategies"),
        ("parametrize_with_checks", "pytest", "ganzoo.testing.parametrize"),
    ],
)
def test_what_is_missing_is_named_in_a_sentence(
    name: str, package: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(vars(ganzoo.testing), name, raising=False)
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError) as caught:
        getattr(ganzoo.testing, name)
    assert str(caught.value) == (
        f"ganzoo.testing.{name} needs {package}, which is not installed: pip install 'ganzoo[test]'"
    )


def test_a_public_name_is_public_at_home() -> None:
    for home, names in HOMES.items():
        module = importlib.import_module(home)
        for name in names:
            assert getattr(ganzoo.testing, name) is getattr(module, name)
            assert name in module.__all__
            assert getattr(module, name).__doc__
    assert dir(ganzoo.testing) == ganzoo.testing.__all__
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = ganzoo.testing.chekc


def test_type_checkers_see_what_can_be_imported() -> None:
    tree = ast.parse(Path(ganzoo.testing.__file__).read_text(encoding="utf-8"))
    imports = [n for node in tree.body if isinstance(node, ast.If) for n in node.body if isinstance(n, ast.ImportFrom)]
    seen = {(node.module, alias.name) for node in imports for alias in node.names}
    assert seen == {(home, name) for home, names in HOMES.items() for name in names}
