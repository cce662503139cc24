"""Noise, drawn value by value in the order of the original."""

from __future__ import annotations

import numpy as np

from rvosbench.corruptions.draws import Draws, ExactRandom
from rvosbench.corruptions.exact import to_bytes, unit
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def gaussian_noise(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """The same normal noise everywhere."""
    return to_bytes(unit(frame) + rng.normal(size=frame.shape, scale=level["std"]))


def shot_noise(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Photons counted: Poisson of the value times the photons of white."""
    photons = level["photons"]
    return to_bytes(rng.poisson(unit(frame) * photons) / photons)


def impulse_noise(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Salt and pepper, as scikit-image drew it when it still used this kind of generator."""
    flipped = rng.random_sample(frame.shape) <= level["amount"]
    salted = rng.random_sample(frame.shape) <= 0.5
    return np.where(flipped, np.where(salted, np.uint8(255), np.uint8(0)), to_bytes(unit(frame)))


def speckle_noise(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Normal noise in proportion to the value."""
    image = unit(frame)
    return to_bytes(image + image * rng.normal(size=frame.shape, scale=level["std"]))
