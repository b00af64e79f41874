import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_helpers import Ganzoo, one_sentence
from plugin_sites import install_into

from ganzoo.testing import suite
from ganzoo.testing.package import write_package
from ganzoo.zoo.manager import default_zoo

QUICK = ("named", "registered", "described", "options")
MODEL = """\
import ganzoo

class Odd(ganzoo.Model):
    '''An odd model.'''
    name = "odd"
    class Options(ganzoo.Model.Options):
        {option}
    def latent(self, data):
        return ganzoo.LatentSpec(z=ganzoo.Normal(4))
"""


@pytest.fixture(autouse=True)
def quick_kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kit's first checks alone, which take no time; and a zoo that forgets what the test adds."""
    monkeypatch.setattr(suite, "CHECKS", {name: suite.CHECKS[name] for name in QUICK})
    monkeypatch.setattr(sys, "path", list(sys.path))
    default_zoo.cache_clear()
    yield
    default_zoo.cache_clear()


def written(folder: Path, option: str = "'''None of its own.'''") -> Path:
    file = folder / "odd.py"
    file.write_text(MODEL.format(option=option), encoding="utf-8")
    return file


@pytest.mark.parametrize("what", ["gan", "ganzoo:gan"])
def test_a_model_that_passes_has_a_tick_for_each_check(ganzoo: Ganzoo, what: str) -> None:
    lines = ganzoo("plugins", "check", what).stdout.splitlines()
    assert lines[0].startswith("gan: Noise in, samples out")
    assert [line.split()[:2] for line in lines if "✓" in line] == [["✓", name] for name in QUICK]
    assert all(" s  " in line for line in lines if "✓" in line)
    assert re.fullmatch(r"4 passed, in \d+ s", lines[-1])


def test_a_model_that_fails_is_told_why(ganzoo: Ganzoo, tmp_path: Path) -> None:
    file = written(tmp_path, "depth: int = 3")
    printed = ganzoo("plugins", "check", file, code=1).stdout
    assert "✗ described" in printed
    assert "    failed: the option 'depth' has no description" in printed
    assert re.search(r"\n3 passed, 1 failed, in \d+ s\n$", printed)


def test_what_depends_on_a_failure_is_not_run(ganzoo: Ganzoo, tmp_path: Path) -> None:
    file = tmp_path / "nothing.py"
    file.write_text("import ganzoo\nclass A(ganzoo.Model):\n    def latent(self, data): ...\n", encoding="utf-8")
    assert "has no name" in one_sentence(ganzoo("plugins", "check", file, code=2))


def test_json_has_every_result(ganzoo: Ganzoo, tmp_path: Path) -> None:
    file = written(tmp_path, "depth: int = 3")
    report = json.loads(ganzoo("plugins", "check", file, "--json", code=1).stdout)
    assert report["failed"] == 1
    assert [result["name"] for result in report["models"]["odd"]] == list(QUICK)
    assert {result["status"] for result in report["models"]["odd"]} == {"passed", "failed"}


def test_a_plugin_is_all_of_its_models(ganzoo: Ganzoo, tmp_path: Path) -> None:
    two = MODEL.format(option="'''None.'''")
    (tmp_path / "two.py").write_text(two + two.replace("Odd", "Even").replace("odd", "even"), encoding="utf-8")
    printed = ganzoo("plugins", "check", "two.py").stdout
    assert "odd: " in printed
    assert "even: " in printed


def test_a_package_need_not_be_installed(ganzoo: Ganzoo, tmp_path: Path) -> None:
    write_package("greeting-gan", tmp_path)
    assert "✓ registered" in ganzoo("plugins", "check", "ganzoo-greeting-gan").stdout
    default_zoo.cache_clear()
    assert "✓ registered" in ganzoo("plugins", "check", tmp_path / "ganzoo-greeting-gan").stdout


def test_a_plugin_without_models_is_no_failure(ganzoo: Ganzoo, tmp_path: Path) -> None:
    printed = ganzoo("plugins", "check", "evaluation").stdout
    assert printed.startswith("evaluation is as a plugin should be and brings agreement, ")
    assert printed.endswith("but no model for the kit to check.\n")


def test_what_is_not_there_is_one_sentence(ganzoo: Ganzoo, tmp_path: Path) -> None:
    said = one_sentence(ganzoo("plugins", "check", "infogam", code=2))
    assert "did you mean 'infogan' or 'infogan-cr'?" in said
    assert "a file that ends in .py" in said
    assert "no such file" in one_sentence(ganzoo("plugins", "check", "absent.py", code=2))
    assert "absent/pyproject.toml cannot be read" in one_sentence(ganzoo("plugins", "check", "./absent", code=2))
    assert "there is no data set" in one_sentence(ganzoo("plugins", "check", "gan", "--data", "mmist", code=2))


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ("[project", "is not TOML"),
        ("", "has no table [project.entry-points.ganzoo]"),
        ("[project.entry-points]\nganzoo = 3", "has no table"),
        ("[project.entry-points.ganzoo]\na = 'a'\nb = 'b'", "names 2 entry points"),
        ("[project.entry-points.ganzoo]\na = 'no_such_module_anywhere'", "ModuleNotFoundError"),
        ("[project.entry-points.ganzoo]\na = 'a b'", "cannot be used"),
    ],
)
def test_a_folder_that_is_no_plugin_is_one_sentence(ganzoo: Ganzoo, tmp_path: Path, project: str, said: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    assert said in one_sentence(ganzoo("plugins", "check", "package", code=2))


def test_a_plugin_that_does_not_load_is_one_sentence(
    ganzoo: Ganzoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", "evaluation")
    assert "is disabled: named in GANZOO_DISABLE_PLUGINS" in one_sentence(
        ganzoo("plugins", "check", "evaluation", code=2)
    )


def test_a_described_plugin_that_fails_is_told_how_to_see_more(
    ganzoo: Ganzoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    fragment = '[models.broken-gan]\nplugin = "broken-gan"\nsummary = "Broken."\n'
    points = "[ganzoo]\nbroken-gan = broken_gan\n"
    install_into(tmp_path, "broken-dist", entry_points=points, fragment=fragment, broken_gan="1 / 0")
    sentence = one_sentence(ganzoo("plugins", "check", "broken-gan", code=2))
    assert "is failed: its import raised ZeroDivisionError" in sentence
    assert "GANZOO_STRICT_PLUGINS=1 ganzoo plugins" in sentence
