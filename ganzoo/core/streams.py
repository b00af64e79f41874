"""Named streams of random numbers: what is drawn depends on the stream's key, never on who drew before."""

import json
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["generator", "stable_seed", "uniforms"]

_PER_BLOCK = 4
"""Numbers that Philox4x64 yields for one value of its counter."""


def stable_seed(*key: int | str) -> int:
    """A seed that depends on the key alone, the same in every process and on every machine.

    Args:
        *key: what the randomness is for, such as ``(seed, "order", epoch)``; ``1`` and ``"1"`` differ.

    Returns:
        An integer in [0, 2**63).
    """
    return int.from_bytes(_digest(key, 8)) >> 1


def generator(*key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator on ``device`` that starts from ``stable_seed(*key)``."""
    return torch.Generator(device).manual_seed(stable_seed(*key))


def uniforms(seed: int, name: str, first: int, rows: int, width: int) -> NDArray[np.float64]:
    """Rows ``first``, ``first + 1``, … of an endless table of uniform numbers.

    The table belongs to (seed, name, width). It is not computed row after row: the generator is
    counter-based (Philox4x64, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), so a
    row costs the same wherever it stands and does not depend on which rows are asked for with it.

    Args:
        seed: any integer.
        name: the table's name.
        first: index of the first row, at least 0.
        rows: number of rows.
        width: numbers in a row.

    Returns:
        (rows, width), inside the open interval (0, 1): neither end ever occurs.
    """
    block, skip = divmod(first * width, _PER_BLOCK)
    philox = np.random.Philox(key=int.from_bytes(_digest((seed, name), 16)), counter=block)
    bits = philox.random_raw(skip + rows * width)[skip:]
    # 52 bits and a half: with 53 the largest number would round to 1.
    unit = ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return unit.reshape(rows, width)


def _digest(key: tuple[int | str, ...], size: int) -> bytes:
    # JSON tells 1 from "1" and ("ab", "c") from ("a", "bc"); Python's own hash differs between processes.
    return blake2b(json.dumps(key).encode(), digest_size=size).digest()
