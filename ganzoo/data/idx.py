"""The IDX format of MNIST and its relatives, read strictly: what the header promises is what must follow."""

from math import prod

import torch
from torch import Tensor

from ganzoo.core.errors import RunError

__all__ = ["parse_idx"]

_UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, *, shape: tuple[int | None, ...], where: str) -> Tensor:
    """The array of unsigned bytes in an uncompressed IDX file.

    An IDX file is two zero bytes, a type byte, the number of dimensions, each dimension as a big-endian
    32-bit number, and the values, the last dimension running fastest (LeCun, Cortes and Burges, "The MNIST
    database"). Nothing is allocated from the header's numbers before they agree with ``content``.

    Args:
        content: the whole file.
        shape: the shape that is expected; None stands for any size of at least 1.
        where: the file's name, for the error.

    Returns:
        uint8, of the expected shape, its own memory.

    Raises:
        RunError: the content is not such a file, has another type or shape, or is too short or too long.
    """
    start = 4 + 4 * len(shape)
    if len(content) < start:
        raise RunError(f"{where} is damaged: {len(content)} bytes do not hold an IDX header of {start}")
    if content[:2] != b"\0\0":
        raise RunError(f"{where} is not an IDX file: it starts with {content[:2].hex(' ')}, not 00 00")
    if content[2] != _UNSIGNED_BYTE:
        raise RunError(f"{where} holds IDX type 0x{content[2]:02x}; only unsigned bytes (0x08) are read")
    if content[3] != len(shape):
        raise RunError(f"{where} has {content[3]} dimensions where {len(shape)} were expected")
    found = tuple(int.from_bytes(content[at : at + 4]) for at in range(4, start, 4))
    if any(size < 1 if want is None else size != want for size, want in zip(found, shape, strict=True)):
        expected = "x".join("any" if want is None else str(want) for want in shape)
        raise RunError(f"{where} has the shape {'x'.join(map(str, found))} where {expected} was expected")
    if len(content) - start != prod(found):
        follow = len(content) - start
        raise RunError(f"{where} is damaged: {follow} values follow a header that promises {prod(found)}")
    return torch.frombuffer(bytearray(memoryview(content)[start:]), dtype=torch.uint8).view(found)
