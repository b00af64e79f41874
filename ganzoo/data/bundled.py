"""The files of MNIST that come with the package, unpacked and checked.

Apart from the data set, because this needs no torch: a command can let it begin while torch is being imported.
"""

import lzma
from concurrent.futures import Future
from hashlib import sha256
from importlib.resources import files
from threading import Thread

from ganzoo.core.errors import RunError

__all__ = ["SHA256", "begin", "unpacked"]

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the uncompressed files, those of the original distribution."""

_LARGEST = "train-images-idx3-ubyte"
_LONGEST = 16 + 60_000 * 28 * 28
_MEMORY = 1 << 27
"""Bytes that unpacking may take; a file could ask for gigabytes."""

_begun: dict[str, Future[bytes]] = {}


def begin() -> None:
    """Let another thread unpack the largest file; whoever asks for it first gets what that has made."""
    if _LARGEST in _begun:
        return
    future = _begun[_LARGEST] = Future()
    # A daemon, so that a command that ends in an error does not wait for it.
    Thread(target=_settle, args=(future,), daemon=True).start()


def unpacked(name: str) -> bytes:
    """The content of an uncompressed file.

    Args:
        name: one of those in ``SHA256``.

    Raises:
        RunError: a file of the package is missing or is not what was published.
    """
    future = _begun.pop(name, None)
    return future.result() if future is not None else _unpack(name)


def _settle(future: Future[bytes]) -> None:
    try:
        future.set_result(_unpack(_LARGEST))
    except BaseException as error:
        future.set_exception(error)


def _unpack(name: str) -> bytes:
    where = f"ganzoo/data/files/mnist/{name}.xz"
    repair = "install ganzoo again"
    try:
        packed = files("ganzoo.data").joinpath("files", "mnist", f"{name}.xz").read_bytes()
        # One byte more than the largest has is enough to see that a file is too long.
        content = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY).decompress(packed, max_length=_LONGEST + 1)
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise RunError(f"the bundled {where} cannot be read ({error}); {repair}") from error
    if sha256(content).hexdigest() != SHA256[name]:
        raise RunError(f"the bundled {where} is damaged (its SHA-256 is not the published one); {repair}")
    return content
