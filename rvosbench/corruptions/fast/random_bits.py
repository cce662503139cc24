"""Random words and what is made of them.

Only full-range 64-bit words are taken from NumPy: they are the bit generator's own output, which
NumPy promises not to change, while it does not promise that for its distributions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def words(rng: np.random.Generator, count: int) -> NDArray[np.uint64]:
    """`count` words of 64 random bits."""
    top = np.iinfo(np.uint64).max
    return rng.integers(0, top, size=count, dtype=np.uint64, endpoint=True)


def halves(rng: np.random.Generator, count: int) -> NDArray[np.uint16]:
    """`count` random 16-bit numbers."""
    return words(rng, -(-count // 4)).view(np.uint16)[:count]


def octets(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """`count` random bytes."""
    return words(rng, -(-count // 8)).view(np.uint8)[:count]


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """One number in [low, high)."""
    return low + (high - low) * (int(words(rng, 1)[0]) >> 11) * 2.0**-53


def index(rng: np.random.Generator, count: int) -> int:
    """One of 0 .. count - 1; `count` is far below 2**32, so the bias is nothing."""
    return ((int(words(rng, 1)[0]) >> 32) * count) >> 32


@lru_cache(maxsize=1)
def normal_table() -> NDArray[np.float32]:
    """The standard normal value of each 16-bit number, (65536,) ascending, within 4.4."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(65536) + 0.5) / 65536), dtype=np.float32)
