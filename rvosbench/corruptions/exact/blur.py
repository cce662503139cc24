"""Blurs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import DrawContext, Draws, ExactRandom, Random, uniform
from rvosbench.corruptions.exact import gaussian, to_bytes, unit
from rvosbench.corruptions.kernels.lines import line_blur_exact
from rvosbench.corruptions.kernels.sampling import shuffle, shuffled_pixels
from rvosbench.corruptions.kernels.zooms import zoom, zoom_axis
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def disc(radius: int, alias: float) -> NDArray[np.float32]:
    """A disc with smoothed edge: the aperture of defocus, (17, 17) or larger.

    At radius 8 and 10 it sums to 1.013 and 1.011, as in the original: its disc touches the edge
    of the array, where the smoothing reflects.
    """
    import cv2

    reach = max(radius, 8)
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    inside = np.array(x**2 + y**2 <= radius**2, dtype=np.float32)
    inside /= np.sum(inside)
    side = 3 if radius <= 8 else 5
    return np.asarray(cv2.GaussianBlur(inside, ksize=(side, side), sigmaX=alias))


def defocus_blur(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Average over a disc."""
    import cv2

    image = unit(frame)
    kernel = disc(int(level["radius"]), level["alias"])
    planes = [cv2.filter2D(image[:, :, c], -1, kernel) for c in range(3)]
    return to_bytes(np.stack(planes, axis=-1))


def draw_shuffle(setting: DrawContext, rng: ExactRandom) -> Draws:
    """dx, dy of every pixel of every scan, each in [-reach, reach)."""
    reach, scans = int(setting.level["reach"]), int(setting.level["scans"])
    pixels = shuffled_pixels(*setting.size, reach)
    moves = rng.randint(-reach, reach, size=(scans, pixels, 2))
    return {"shuffle": moves.astype(np.int8)}


def glass_blur(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Gaussian, local shuffle, Gaussian."""
    sigma = (level["sigma"], level["sigma"], 0)
    smooth = np.asarray(gaussian(unit(frame), sigma) * 255).astype(np.uint8)
    shuffled = shuffle(smooth, draws["shuffle"], int(level["reach"]))
    return to_bytes(gaussian(unit(shuffled), sigma))


def draw_angle(setting: DrawContext, rng: Random) -> Draws:
    """Direction of the motion, degrees."""
    return {"angle": uniform(rng, -45, 45)}


def motion_blur(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Average along a line, fading."""
    return line_blur_exact(frame, int(level["radius"]), level["sigma"], draws["angle"])


def zoom_blur(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Average of the frame and of its enlargements, in float32."""
    image = unit(frame).astype(np.float32)
    total = np.zeros_like(image)
    factors = np.arange(1, level["stop"], level["step"])
    for factor in factors:
        total += zoom(image, zoom_axis(image.shape[0], factor), zoom_axis(image.shape[1], factor))
    return to_bytes((image + total) / (len(factors) + 1))


def gaussian_blur(frame: Frame, level: Level, draws: Draws, rng: ExactRandom) -> Frame:
    """Gaussian of 4 sigma reach."""
    return to_bytes(gaussian(unit(frame), (level["sigma"], level["sigma"], 0)))
