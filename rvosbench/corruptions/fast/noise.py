"""Noise: a 16-bit random number for every value, turned into noise by a table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import Draws, FastRandom, halves, normals
from rvosbench.corruptions.kernels import pixels
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def gaussian_noise(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """The same normal noise everywhere."""
    return pixels.add(frame, halves(rng, frame.size), _normal(255 * level["std"]), False)


def speckle_noise(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Normal noise in proportion to the value."""
    return pixels.add(frame, halves(rng, frame.size), _normal(level["std"]), True)


def impulse_noise(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Salt and pepper."""
    some = round(65536 * level["amount"])
    return pixels.replace(frame, halves(rng, frame.size), some // 2, some)


def shot_noise(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Photons counted."""
    limits, start, brightness = _photons(level["photons"])
    return pixels.count(frame, halves(rng, frame.size), limits, start, brightness)


@lru_cache(maxsize=10)
def _normal(std: float) -> NDArray[np.float32]:
    return normals() * np.float32(std)


@lru_cache(maxsize=5)
def _photons(photons: float) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Inverse Poisson distributions of the 256 pixel values.

    Returns:
        (256, K) upper limits of the 16-bit number for each count; (256, 256) the count at which
        to begin the search, by the number's upper byte; (K,) the pixel value of each count.
    """
    mean = np.arange(256) / 255 * photons
    counts = int(photons + 10 * photons**0.5 + 10)
    mass = np.empty((256, counts))
    mass[:, 0] = np.exp(-mean)
    for k in range(1, counts):
        mass[:, k] = mass[:, k - 1] * mean / k
    limits = np.rint(np.cumsum(mass, axis=1) * 65536).astype(np.uint32)
    limits[:, -1] = 65536
    begin = np.arange(256) * 256
    start = np.stack([np.searchsorted(row, begin, side="right") for row in limits])
    brightness = np.clip(np.arange(counts) / photons, 0, 1) * 255
    return limits, start.astype(np.uint8), brightness.astype(np.uint8)
