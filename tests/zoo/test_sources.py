import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugin_sites import model_source

from ganzoo.zoo import sources
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.sources import fingerprint

Install = Callable[..., Path]
SOURCE = model_source("own")


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    yield
    for name in ("some_package", "ganzoo_plugin_file_my_gan"):
        sys.modules.pop(name, None)


def package(folder: Path, **files: str) -> str:
    """The fingerprint of a package of these files, a double underscore standing for a slash."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    sys.modules["some_package"] = module = ModuleType("some_package")
    module.__path__ = [str(folder)]
    return fingerprint("some_package", [])


def test_digits_are_those_of_the_files(tmp_path: Path) -> None:
    found = package(tmp_path, b="bb", a__c="")
    assert found == hashlib.sha256(b"a/c.py\x000\0b.py\x002\0bb").hexdigest()[:12]
    (tmp_path / "notes.txt").write_text("no code")
    assert package(tmp_path) == found


@given(st.dictionaries(st.sampled_from(["a", "b", "a__b", "b__a"]), st.text("xy", max_size=3), min_size=1), st.data())
def test_they_are_the_same_where_the_files_are_and_change_with_any(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], data: st.DataObject
) -> None:
    first = package(tmp_path_factory.mktemp("one"), **files)
    assert package(tmp_path_factory.mktemp("two"), **dict(reversed(files.items()))) == first
    edited = data.draw(st.sampled_from(sorted(files)))
    assert package(tmp_path_factory.mktemp("three"), **files | {edited: files[edited] + "z"}) != first
    less = {name: text for name, text in files.items() if name != edited}
    assert package(tmp_path_factory.mktemp("four"), **less) != first


def test_what_has_no_files_is_the_same_in_this_process_alone(tmp_path: Path) -> None:
    cell = type("Cell", (), {"__module__": "no_such_module"})
    assert fingerprint("", [cell]) == fingerprint("", []) == package(tmp_path / "empty") == sources.UNREAD
    assert sources.UNREAD.startswith("unread, process ")


def test_an_installed_plugin_has_its_version_and_the_state_of_its_code(install: Install) -> None:
    install("some-dist", some_module=SOURCE)
    zoo = Zoo()
    [(name, version)] = zoo.versions(zoo.model("own")).items()
    assert (name, version[:13], len(version)) == ("some-dist", "1.2 (sources ", 26)
    again = Zoo()
    assert again.versions(again.model("own")) == {name: version}


def test_edited_code_is_another_although_the_version_is_the_same(install: Install) -> None:
    witness = install("some-dist", fragment="", some_module=SOURCE)
    before = Zoo()
    old = before.versions(before.model("own"))
    (witness.parent / "some_module" / "losses.py").write_text("weight = 2\n")
    assert before.versions(before.model("own")) == old  # it is what is in memory
    after = Zoo()
    assert after.versions(after.model("own")) != old


def test_a_file_is_what_is_in_it_wherever_it_is(tmp_path: Path) -> None:
    def versions(folder: str, source: str) -> dict[str, str]:
        file = tmp_path / folder / "my_gan.py"
        file.parent.mkdir()
        file.write_text(source)
        zoo = Zoo()
        zoo.register_file(file)
        return zoo.versions(zoo.model("own"))

    first = versions("one", SOURCE)
    digits = hashlib.sha256(f"my_gan.py\0{len(SOURCE)}\0{SOURCE}".encode()).hexdigest()[:12]
    assert first == {"my_gan": f"sources {digits}"}
    assert versions("two", SOURCE) == first
    assert versions("three", f"{SOURCE}\n") != first


def test_built_in_classes_are_of_ganzoo_itself() -> None:
    zoo = Zoo()
    assert zoo.versions(zoo.model("gan"), zoo.metric("frechet"), zoo.extractor("digits"), zoo.dataset("mnist")) == {}
