"""C code compiled at home: once for each source, compiler and processor, and never a failure without a reason."""

import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ganzoo.networks import native_grey, native_squares
from ganzoo.networks.native import Absent, compiled

SOURCE = "#include <omp.h>\nint most_threads(void) { return omp_get_max_threads(); }\nint answer(void) { return 42; }\n"


def compiler_here(name: str) -> bool:
    return sys.platform == "linux" and shutil.which(name) is not None


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where libraries are kept, which does not exist yet."""
    if not compiler_here("cc"):
        pytest.skip("needs Linux and a C compiler called cc")
    for name in ("CC", "GANZOO_NATIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ganzoo" / "native"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "some.c"
    path.write_text(SOURCE)
    return path


def kept(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def test_a_file_is_compiled_once(cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled(source).answer() == 42
    [name] = kept(cache)
    assert name.startswith("some-")
    made = (cache / name).stat()
    assert compiled(source).answer() == 42
    assert (cache / name).stat() == made
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Absent, match="there is no C compiler"):  # its version is a part of the name
        compiled(source)


def test_another_source_or_compiler_is_another_library(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(source)
    source.write_text(SOURCE.replace("42", "43"))
    assert compiled(source).answer() == 43
    monkeypatch.setenv("CC", "cc -g")
    assert compiled(source).answer() == 43
    assert len(kept(cache)) == 3


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("GANZOO_NATIVE", "0", "GANZOO_NATIVE is 0"),
        ("CC", "no-such-compiler", r"there is no C compiler \(no-such-compiler\); install one, such as gcc"),
        ("CC", "cc --no-such-flag", "cc failed: .*no-such-flag"),
        ("CC", "false", "false"),
        ("CC", "cc 'half a", "No closing quotation"),
    ],
)
def test_why_there_is_none(
    cache: Path, source: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Absent, match=reason) as raised:
        compiled(source)
    assert "\n" not in str(raised.value)
    assert not cache.exists() or not kept(cache)


def test_source_with_a_mistake_leaves_nothing(cache: Path, source: Path) -> None:
    source.write_text("int answer(void) { return fourty_two; }")
    with pytest.raises(Absent, match="cc failed"):
        compiled(source)
    assert not kept(cache)


def test_a_folder_that_others_may_write_to_is_not_trusted(cache: Path, source: Path) -> None:
    compiled(source)
    cache.chmod(0o777)
    with pytest.raises(Absent, match="others may write to"):
        compiled(source)


def test_a_folder_that_cannot_be_made(cache: Path, source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(Absent, match=os.strerror(20)):  # not a directory
        compiled(source)


def test_threads_have_to_be_torchs(cache: Path, source: Path) -> None:
    source.write_text(SOURCE.replace("omp_get_max_threads()", "1000"))
    with pytest.raises(Absent, match="OpenMP is another than torch's"):
        compiled(source)


@pytest.mark.skipif(
    os.environ.get("GANZOO_NATIVE") == "0" or not compiler_here((os.environ.get("CC") or "cc").split()[0]),
    reason="needs Linux and a C compiler, and that it is wanted",
)
@pytest.mark.parametrize("way", [native_squares, native_grey])
def test_ganzoos_own_files_are_used_here(way: ModuleType) -> None:
    assert way.absence() is None  # else the tests of what they compute would be passed over
