"""Files that are either whole or not there, and the sentence for a disk that refuses them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from pathlib import Path
from secrets import token_hex

from ganzoo.core.errors import RunError

__all__ = ["saving", "sync_file", "sync_folder", "unfinished", "write_atomically", "write_synced"]

_ADVICE = dict.fromkeys((ENOSPC, EDQUOT), "free some space and try again") | dict.fromkeys(
    (EACCES, EPERM, EROFS), "choose a folder that can be written to"
)


@contextmanager
def saving(what: str) -> Iterator[None]:
    """Turns an operating system's refusal inside the block into one sentence.

    Args:
        what: what is being written, as it should read after "could not write".

    Raises:
        RunError: anything in the block raised OSError.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        advice = _ADVICE.get(error.errno or 0, "check the disk and try again")
        raise RunError(f"could not write {what} ({reason}): {advice}") from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file so that a reader, or a crash, finds the old content or the new, never a part.

    Args:
        path: where to; missing parent folders are made.
        content: text (stored as UTF-8, line ends untouched) or bytes.

    Raises:
        RunError: the file could not be written; what stood there before still stands.
    """
    with saving(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, because a rename is only atomic within one file system.
        temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
        try:
            write_synced(temporary, content)
            try:
                os.replace(temporary, path)
            except FileNotFoundError:  # a training that goes on has just tidied it away
                write_synced(temporary, content)
                os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def unfinished(path: Path) -> list[Path]:
    """What ``write_atomically`` leaves of a file where it is killed; the name may be a pattern, as ``*.png``."""
    return list(path.parent.glob(f".{path.name}.*.tmp"))


def write_synced(path: Path, content: str | bytes) -> None:
    """Writes a new file and returns once its content is on the disk.

    Raises:
        OSError: the file exists or could not be written whole.
    """
    with path.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Returns once what others have written to a file is on the disk, with the file's name.

    Raises:
        OSError: there is no such file, or the disk refused.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Returns once the names in a folder are on the disk (Windows has no such call: nothing is done)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
