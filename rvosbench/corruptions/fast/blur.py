"""Blurs with integer or float32 sums."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rvosbench.corruptions.draws import DrawContext, Draws, FastRandom, halves
from rvosbench.corruptions.exact.blur import disc
from rvosbench.corruptions.kernels import Axis
from rvosbench.corruptions.kernels.lines import line_blur
from rvosbench.corruptions.kernels.sampling import shuffle, shuffled_pixels
from rvosbench.corruptions.kernels.smoothing import smooth_bytes, symmetric
from rvosbench.corruptions.kernels.zooms import mean_of_zooms, zoom_axis
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def defocus_blur(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Average over a disc."""
    return symmetric(frame, disc(int(level["radius"]), level["alias"]))


def draw_shuffle(setting: DrawContext, rng: FastRandom) -> Draws:
    """dx, dy of every pixel of every scan, each in [-reach, reach)."""
    reach, scans = int(setting.level["reach"]), int(setting.level["scans"])
    pixels = shuffled_pixels(*setting.size, reach)
    numbers = halves(rng, scans * pixels * 2).astype(np.uint32)
    moves = (numbers * np.uint32(2 * reach) >> np.uint32(16)).astype(np.int8) - np.int8(reach)
    return {"shuffle": moves.reshape(scans, pixels, 2)}


def glass_blur(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Gaussian, local shuffle, Gaussian."""
    sigma, reach = level["sigma"], int(level["reach"])
    return smooth_bytes(shuffle(smooth_bytes(frame, sigma), draws["shuffle"], reach), sigma)


def motion_blur(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Average along a line, fading."""
    return line_blur(frame, int(level["radius"]), level["sigma"], draws["angle"])


def zoom_blur(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Average of the frame and of its enlargements."""
    down, across = (_axes(side, level["stop"], level["step"]) for side in frame.shape[:2])
    return mean_of_zooms(frame, down, across)


@lru_cache(maxsize=8)
def _axes(length: int, stop: float, step: float) -> Axis:
    """`zoom_axis` of all factors: (factors, length, 2) each. Cached: a video has one size."""
    axes = [zoom_axis(length, factor) for factor in np.arange(1, stop, step)]
    return np.stack([i for i, _ in axes]), np.stack([w for _, w in axes]).astype(np.float32)


def gaussian_blur(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """Gaussian of 4 sigma reach."""
    return smooth_bytes(frame, level["sigma"])
