"""Contrast with whole sums; elastic deformation with fixed-point interpolation.

The rest of the family is the same in both modes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.draws import DrawContext, Draws, FastRandom, octets, words
from rvosbench.corruptions.exact.digital import flattened, triangle
from rvosbench.corruptions.kernels.pixels import channel_sums, look_up
from rvosbench.corruptions.kernels.sampling import displace, enlarge, warp
from rvosbench.corruptions.kernels.smoothing import smooth
from rvosbench.corruptions.table import Level
from rvosbench.records import Frame


def contrast(frame: Frame, level: Level, draws: Draws, rng: object) -> Frame:
    """Less distance from the channel's mean, by a table of the 256 values."""
    means = channel_sums(frame) / (255 * frame.shape[0] * frame.shape[1])
    return look_up(frame, flattened(means, level["kept"]))


def draw_elastic(setting: DrawContext, rng: FastRandom) -> Draws:
    """Shifts of three corners, (3, 2), and displacements dx, dy of every pixel, (2, H, W)."""
    level, reach = setting.level, setting.level["affine"]
    parts = (words(rng, 6) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
    corners = (parts * reach).astype(np.float32).reshape(3, 2)
    field = [_field(*setting.size, level, rng) for _ in range(2)]
    return {"corners": corners, "field": np.stack(field)}


def elastic_transform(frame: Frame, level: Level, draws: Draws, rng: FastRandom) -> Frame:
    """A random affine map, then smooth random displacements, both with linear interpolation."""
    before = triangle(frame.shape[0], frame.shape[1]).astype(np.float64)
    back = affine_map(before + draws["corners"], before)
    return displace(warp(frame, back), draws["field"])


def affine_map(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine map (2, 3) that takes three points (3, 2) to three others; plain arithmetic.

    Three points on one line, which random corners never are, count as not moved.
    """
    (ax, ay), (bx, by) = source[1] - source[0], source[2] - source[0]
    (cx, cy), (dx, dy) = target[1] - target[0], target[2] - target[0]
    area = ax * by - ay * bx
    if area == 0:
        return np.eye(2, 3)
    turn = np.array(
        [
            [(cx * by - dx * ay) / area, (dx * ax - cx * bx) / area],
            [(cy * by - dy * ay) / area, (dy * ax - cy * bx) / area],
        ]
    )
    shift = target[0] - turn[:, 0] * source[0, 0] - turn[:, 1] * source[0, 1]
    return np.column_stack([turn, shift])


def _field(height: int, width: int, level: Level, rng: FastRandom) -> NDArray[np.float32]:
    """Smoothed uniform noise in [-1, 1] times alpha.

    The mean of a block of `factor` x `factor` such values has 1 / factor of their spread, and a
    field this smooth has nothing finer than a block: it is smoothed as blocks, then enlarged.
    """
    sigma, factor = level["sigma"], 1
    while sigma / (2 * factor) >= 4:
        factor *= 2
    size = (-(-height // factor), -(-width // factor), 1)
    noise = octets(rng, size[0] * size[1]).reshape(size)
    soft = smooth(noise, sigma / factor, truncate=3.0, border="reflect")
    # 256 times a byte, whose middle is 127.5; a uniform byte spreads a little more than [-1, 1].
    scale = np.float32(level["alpha"] / factor / (256 * 127.5) * (255 / 256))
    centred = np.float32(256 * 127.5)
    if factor == 1:
        return (soft[..., 0].astype(np.float32) - centred) * scale
    return (enlarge(soft, factor, height, width) - centred) * scale
