"""Files that are fetched: over HTTPS, no longer than they should be, and in place only once their SHA-256 is right."""

import os
import urllib.request
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from ganzoo.core.reading import digest_file

__all__ = ["Archive", "fetch_archive", "is_whole"]

_PIECE = 1 << 20
_MOST = 1 << 31
"""Bytes of a file whose size is not known."""


class Archive(NamedTuple):
    """A file as it was published.

    Attributes:
        url: where it is fetched from.
        bytes: its size; None where only its content is known.
        sha256: of its content (hex).
    """

    url: str
    bytes: int | None
    sha256: str


def is_whole(path: Path, archive: Archive) -> bool:
    """Whether the file is there and is what was published.

    Raises:
        OSError: it is there and cannot be read, or is no file.
    """
    if not os.path.lexists(path) or archive.bytes not in (None, path.stat().st_size):
        return False
    return digest_file(path, archive.bytes or _MOST) == archive.sha256


def fetch_archive(path: Path, archive: Archive) -> None:
    """Fetches a file; what lies at ``path`` is replaced once the new content is proved.

    Raises:
        OSError: it cannot be fetched or stored (``urllib.error.URLError`` is one).
        ValueError: the server is not spoken to over HTTPS, or sends something else than was published.
    """
    _check_https(archive.url)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
    try:
        request = urllib.request.Request(archive.url, headers={"User-Agent": "ganzoo"})
        with urllib.request.urlopen(request) as response, temporary.open("xb") as file:
            _check_https(response.url)  # it may have been sent on
            digest, left = sha256(), archive.bytes or _MOST
            while piece := response.read(min(_PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    break
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != archive.sha256:
            raise ValueError(f"{archive.url} sends something else than was published (its SHA-256 differs)")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_https(url: str) -> None:
    if not url.startswith("https://"):
        raise ValueError(f"{url} is not fetched, for it is not HTTPS")
