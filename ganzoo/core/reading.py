"""Reading files that a stranger may have made: limits hold before anything is read, and nothing is waited for."""

import errno
import json
import os
import re
import stat
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

__all__ = [
    "MAX_DEPTH",
    "MAX_LINE",
    "MAX_PARTS",
    "MAX_TOML",
    "digest_file",
    "open_file",
    "parse_json",
    "parse_toml",
    "read_file",
]

MAX_DEPTH = 64
"""Brackets within brackets. What ganzoo writes has fewer than ten; Python's own parser gives up at some hundreds,
and what is only just parsed could not be written again."""

MAX_PARTS = 100_000
"""Objects and lists in a JSON text, of which ganzoo's have a few hundred: an empty one takes 20 times its bytes."""

MAX_TOML = 1 << 16
"""Bytes of a settings file, which has a few hundred."""

MAX_LINE = 1000
"""Characters in a line of TOML: the time that Python's parser takes for a dotted key grows with the square of its
dots, and a file full of such lines is to be refused within two seconds."""

# Characters that steer a terminal, but for line ends and tabs; JSON can hold them as they are, or as an escape.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MAYBE_STEERING = re.compile(rb"\\[uUbfr]|\x7f|\xc2[\x80-\x9f]")

_PIECE = 1 << 20


def open_file(path: Path, limit: int) -> BinaryIO:
    """Opens a file to be read, unless it is none or too large; a pipe or device is not waited for.

    Args:
        path: the file; links are followed.
        limit: bytes at the most.

    Raises:
        OSError: it cannot be opened, is no file, or is larger; ``strerror`` says which.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, over the limit of {limit:,}", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_file(path: Path, limit: int) -> bytes:
    """A whole file.

    Args:
        path: the file.
        limit: bytes at the most; nothing is read of a larger one.

    Raises:
        OSError: as ``open_file``.
    """
    with open_file(path, limit) as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # it has grown since
        raise OSError(errno.EFBIG, f"it has more bytes than the limit of {limit:,}", str(path))
    return content


def digest_file(path: Path, limit: int) -> str:
    """SHA-256 (hex) of a file, in memory that does not grow with it.

    Raises:
        OSError: as ``open_file``.
    """
    digest = sha256()
    with open_file(path, limit) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def parse_json(content: bytes) -> Any:
    """The value of a JSON text; what would steer a terminal becomes U+FFFD, the replacement character.

    Raises:
        ValueError: it is no JSON in UTF-8, or has more than ``MAX_PARTS`` objects and lists, or ``MAX_DEPTH``
            of them within each other.
    """
    if content.count(b"[") + content.count(b"{") > MAX_PARTS:
        raise ValueError(f"it has over {MAX_PARTS:,} objects and lists")
    try:
        value = json.loads(content.decode())
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error
    _check_depth(value)
    return _plain(value) if _MAYBE_STEERING.search(content) else value


def parse_toml(content: bytes) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is not TOML (``tomllib.TOMLDecodeError``, with the line), not UTF-8 (``UnicodeDecodeError``),
            or has a line over ``MAX_LINE`` or brackets nested too deeply.
    """
    text = content.decode()
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has over {MAX_LINE} characters; break it in two")
    try:
        tables = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error
    _check_depth(tables)
    return tables


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += [item for item in each.values() if isinstance(item, dict | list)]
            elif isinstance(each, list):
                inner += [item for item in each if isinstance(item, dict | list)]
        if not inner:
            return
        level = inner
    raise ValueError("its brackets are nested too deeply")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _STEERING.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value
