"""Textured backgrounds: smooth noise, gradients, checks. Muted, so that every shape stands out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def _muted_colour(rng: np.random.Generator) -> Image:
    """A greyish colour, (3,) in about 45..145."""
    grey = rng.uniform(60, 130)
    return np.asarray(grey + rng.uniform(-16, 16, size=3), dtype=np.float32)


def _interpolation(size: int, cells: int) -> Image:
    """(size, cells) weights that stretch a row of `cells` values smoothly over `size` pixels."""
    position = (np.arange(size) + 0.5) / size * (cells - 1)
    left = np.minimum(position.astype(np.intp), cells - 2)
    part = position - left
    part = part * part * (3 - 2 * part)
    weights = np.zeros((size, cells), dtype=np.float32)
    rows = np.arange(size)
    weights[rows, left], weights[rows, left + 1] = 1 - part, part
    return weights


def _smooth_noise(size: int, rng: np.random.Generator) -> Image:
    total = np.zeros((size, size), dtype=np.float32)
    for cells, weight in ((4, 0.6), (9, 0.3), (23, 0.25)):
        stretch = _interpolation(size, cells)
        grid = rng.uniform(-1, 1, size=(cells, cells)).astype(np.float32)
        total += np.float32(weight) * (stretch @ grid @ stretch.T)
    return np.asarray(np.clip(total * np.float32(0.5) + np.float32(0.5), 0, 1), np.float32)


def _ramp(size: int, angle: float) -> Image:
    """Distance along a direction (radians) from the centre, (size, size) in [-0.71, 0.71]."""
    axis = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    across, down = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return np.asarray(across * axis[None, :] + down * axis[:, None], dtype=np.float32)


def _gradient(size: int, rng: np.random.Generator) -> Image:
    ramp = _ramp(size, rng.uniform(0, 2 * math.pi))
    return np.asarray(ramp + np.float32(0.35) * (_smooth_noise(size, rng) + 1), np.float32)


def _checker(size: int, rng: np.random.Generator) -> Image:
    angle, cells = rng.uniform(0, 2 * math.pi), np.float32(rng.integers(4, 9))
    rows, columns = _ramp(size, angle), _ramp(size, angle + math.pi / 2)
    return np.asarray((np.floor(rows * cells) + np.floor(columns * cells)) % 2, dtype=np.float32)


_PATTERNS: tuple[Callable[[int, np.random.Generator], Image], ...] = (
    _smooth_noise,
    _gradient,
    _checker,
)


def draw_background(size: int, rng: np.random.Generator) -> Image:
    """A background (size, size, 3), RGB in about 40..150, never saturated."""
    pattern = _PATTERNS[rng.integers(len(_PATTERNS))](size, rng)
    low, high = _muted_colour(rng), _muted_colour(rng)
    grain = _smooth_noise(size, rng)[..., None] * np.float32(18) - np.float32(9)
    return np.asarray(low + (high - low) * pattern[..., None] + grain, dtype=np.float32)
