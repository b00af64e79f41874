"""What ganzoo depends on and fetches: bounded, locked with hashes, over HTTPS, with a SHA-256, and only when asked."""

import io
import re
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_helpers import COMMAND, TINY, typed

from ganzoo.core.errors import RunError
from ganzoo.data.archives import Archive, fetch_archive, is_whole
from ganzoo.data.celeba import CelebA
from ganzoo.data.downloads import Download
from ganzoo.data.torchvision_sets import CIFAR10, KMNIST, SVHN, FashionMNIST

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", LOCK, re.MULTILINE))
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
REQUIRED = [
    each for listed in (PROJECT["dependencies"], *EXTRAS.values()) for each in listed if not each.startswith("ganzoo[")
]
SETS = (CIFAR10, CelebA, FashionMNIST, KMNIST, SVHN)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version.split("+")[0])[:3])


@pytest.mark.parametrize("requirement", REQUIRED)
def test_every_dependency_is_bounded_and_locked_within_its_bounds(requirement: str) -> None:
    found = re.fullmatch(r"([a-z0-9-]+)>=([\d.]+),<([\d.]+)", requirement)
    assert found, f"{requirement} has no lower or no upper bound"
    name, least, below = found.groups()
    assert numbers(least) <= numbers(PINNED[name]) < numbers(below)


def test_every_locked_file_has_a_hash_and_no_address() -> None:
    blocks = [block for block in re.split(r"\n(?=[a-z])", LOCK) if not block.startswith("#")]
    assert len(blocks) > 80
    assert [block.splitlines()[0] for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert not re.search(r"https?:|file:|index-url|find-links|@", LOCK)


@pytest.mark.parametrize("dataset", SETS)
def test_downloads_are_known_by_a_full_sha256_and_fetched_over_https(dataset: type[Download]) -> None:
    assert dataset.archives
    for archive in dataset.archives.values():
        assert archive.url.startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
    assert any(archive.bytes is not None for archive in dataset.archives.values())


GOOD = Archive("https://example.org/a", 5, sha256(b"hello").hexdigest())


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, url: str = GOOD.url) -> list[str]:
    asked: list[str] = []

    class Response(io.BytesIO):
        def __init__(self) -> None:
            super().__init__(content)
            self.url = url

    def opened(request: Any) -> Response:
        asked.append(request.full_url)
        return Response()

    monkeypatch.setattr("urllib.request.urlopen", opened)
    return asked


def test_the_right_file_is_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve(monkeypatch, b"hello") == []
    fetch_archive(tmp_path / "deep" / "a", GOOD)
    assert is_whole(tmp_path / "deep" / "a", GOOD)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


@pytest.mark.parametrize("content", [b"hellO", b"", b"hell", b"hello, and more"])
def test_another_file_never_gets_its_name(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, content)
    with pytest.raises(ValueError, match="sends something else than was published"):
        fetch_archive(tmp_path / "a", GOOD)
    assert list(tmp_path.iterdir()) == []


def test_only_https_is_spoken_even_when_sent_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, b"hello", url="http://example.org/a")
    with pytest.raises(ValueError, match="it is not HTTPS"):
        fetch_archive(tmp_path / "a", GOOD)
    assert asked == [GOOD.url]
    with pytest.raises(ValueError, match="it is not HTTPS"):
        fetch_archive(tmp_path / "a", GOOD._replace(url="http://example.org/a"))
    assert len(asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_torchvision_fetches_nothing_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, b"not what was published")
    with pytest.raises(RunError, match="sends something else than was published"):
        KMNIST(root=str(tmp_path)).split("train")
    assert len(asked) == 1
    assert asked[0].startswith("https://")
    assert not any(path.is_file() for path in (tmp_path / "KMNIST").rglob("*"))


def test_files_put_there_by_hand_are_compared_as_well(tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"no matrix")
    with pytest.raises(RunError, match=r"the SHA-256 of train_32x32\.mat is not the published one"):
        SVHN(root=str(tmp_path)).split("train")


def test_gdown_gets_no_name_for_what_is_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(key: str, folder: Path, name: str) -> None:
        (folder / name).write_bytes(b"<html>")

    fake = SimpleNamespace(download_file_from_google_drive=download)
    monkeypatch.setattr("ganzoo.data.celeba.import_module", lambda name: fake)
    with pytest.raises(ValueError, match="something else than was published"):
        CelebA().fetch_archive(tmp_path / "a.txt", CelebA.archives["celeba/list_eval_partition.txt"])
    assert list(tmp_path.iterdir()) == []


SENTINEL = """
import socket

class Forbidden(BaseException):
    pass

def refuse(*arguments, **others):
    with open({log!r}, "a") as file:
        file.write(repr(arguments)[:200] + "\\n")
    raise Forbidden("a network access that nobody asked for")

class Socket(socket.socket):
    def connect(self, address):
        # Processes of one machine may talk to each other, which needs no network.
        return super().connect(address) if self.family == socket.AF_UNIX else refuse(address)
    connect_ex = sendto = connect

socket.socket = Socket
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
"""


@pytest.mark.slow
def test_no_command_uses_the_network_unasked(tmp_path: Path) -> None:
    log, hook = tmp_path / "accesses", tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(SENTINEL.format(log=str(log)))
    variables = {"PYTHONPATH": str(hook), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    probe = "import socket; socket.create_connection(('localhost', 9))"
    line = [sys.executable, "-c", probe]
    assert subprocess.run(line, env={"PYTHONPATH": str(hook)}, capture_output=True).returncode != 0
    assert log.read_text()
    log.unlink()
    for arguments in (
        ["train", "infogan", *TINY],
        ["sample", "1", "-n", "4"],
        ["traverse", "1"],
        ["eval", "1", "--samples", "256"],
        ["report", "1"],
        ["name", "1", "--labels", "100"],
        ["compare", "acgan", "infogan", "--images", "256", "--samples", "256"],
        ["models"],
        ["datasets"],
        ["plugins"],
        ["runs"],
    ):
        done = typed(*arguments, cwd=tmp_path, **variables)
        assert done.returncode == 0, (arguments, done.stderr)
    assert not log.exists(), log.read_text()
    assert COMMAND.exists()
