"""What is random about a corruption: generators, what is drawn for whom, and from which bits.

Only full-range 64-bit words are taken from a NumPy `Generator`: they are the bit generator's own
output, which NumPy promises not to change, while it does not promise that for its distributions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.table import Level, Mode
from rvosbench.errors import UsageError
from rvosbench.records import Frame

FastRandom: TypeAlias = np.random.Generator
ExactRandom: TypeAlias = np.random.RandomState
Random: TypeAlias = FastRandom | ExactRandom
"""What is drawn from; its kind decides the mode."""

Draws: TypeAlias = Mapping[str, Any]
"""What was drawn, by the names of `Corruption.shared`; empty where all noise is per pixel."""


class Pictures(Protocol):
    """Frost pictures: five or so textures that can cover a frame of any size."""

    def __len__(self) -> int: ...
    def covering(self, index: int, height: int, width: int) -> Frame:
        """Texture `index`, (h, w, 3) uint8 RGB with h > height and w > width."""


@dataclass(frozen=True)
class DrawContext:
    """What the random parts of a corruption are drawn for.

    Attributes:
        level: strength.
        size: (height, width) of the frame, pixels.
        pictures: only frost looks at them.
    """

    level: Level
    size: tuple[int, int]
    pictures: Pictures


def mode_of(rng: Random) -> Mode:
    """The mode that draws from a generator of this kind; raises UsageError for neither kind."""
    if isinstance(rng, np.random.Generator):
        return "fast"
    if isinstance(rng, np.random.RandomState):
        return "exact"
    raise UsageError(
        f"rng is a {type(rng).__name__}: wanted a numpy.random.Generator (fast mode) or a "
        "numpy.random.RandomState (exact mode)"
    )


def generator(mode: Mode, seed: int, name: str, severity: int, *place: str) -> Random:
    """The generator of one place in a dataset, so that no order of work changes a byte.

    Args:
        mode: decides the kind of generator.
        seed: of the whole run.
        name: of the corruption.
        severity: of the corruption.
        place: video id, then "frame" and the frame's name, or what else a video draws for. Names
            rather than positions: a subset of a video's frames gets the same bytes.
    """
    text = json.dumps([seed, name, severity, *place], ensure_ascii=True)
    key = hashlib.blake2b(text.encode("ascii"), digest_size=32, person=b"rvosbench").digest()
    if mode == "exact":
        return np.random.RandomState(np.frombuffer(key, dtype="<u4").astype(np.uint32))
    return np.random.Generator(np.random.SFC64(int.from_bytes(key, "little")))


def words(rng: FastRandom, count: int) -> NDArray[np.uint64]:
    """`count` words of 64 random bits."""
    top = np.iinfo(np.uint64).max
    return rng.integers(0, top, size=count, dtype=np.uint64, endpoint=True)


def halves(rng: FastRandom, count: int) -> NDArray[np.uint16]:
    """`count` random 16-bit numbers."""
    return words(rng, -(-count // 4)).view(np.uint16)[:count]


def octets(rng: FastRandom, count: int) -> NDArray[np.uint8]:
    """`count` random bytes."""
    return words(rng, -(-count // 8)).view(np.uint8)[:count]


def uniform(rng: Random, low: float, high: float) -> float:
    """One number in [low, high); a RandomState draws it as the original does."""
    if isinstance(rng, np.random.RandomState):
        return rng.uniform(low, high)
    return low + (high - low) * (int(words(rng, 1)[0]) >> 11) * 2.0**-53


def index(rng: Random, count: int) -> int:
    """One of 0 .. count - 1; `count` is far below 2**32, so the bias is nothing."""
    if isinstance(rng, np.random.RandomState):
        return rng.randint(count)
    return ((int(words(rng, 1)[0]) >> 32) * count) >> 32


@lru_cache(maxsize=1)
def normals() -> NDArray[np.float32]:
    """The standard normal value of each 16-bit number, (65536,) ascending, within 4.4."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(65536) + 0.5) / 65536), dtype=np.float32)
