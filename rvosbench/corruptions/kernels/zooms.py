"""Enlarging the middle of a frame by linear interpolation, corner pixels on corner pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Axis, Bytes
from rvosbench.masks.bits import compiled


def zoom_axis(length: int, factor: float) -> Axis:
    """Where the pixels of one axis come from when its middle is enlarged to the same length.

    The middle ceil(length / factor) pixels are enlarged to round(that * factor) and cut to
    `length` again, in the middle.

    Returns:
        Indices (length, 2) of the two source pixels, and their weights (length, 2). A weight of 0
        stands where rounding puts the source beyond the last pixel: SciPy gives 0 there.
    """
    crop = math.ceil(length / factor)
    first = (length - crop) // 2
    enlarged = round(crop * factor)
    trim = (enlarged - length) // 2
    step = (crop - 1) / (enlarged - 1) if enlarged > 1 else 1.0
    at = step * np.arange(trim, trim + length)
    low = np.minimum(np.floor(at).astype(np.int64), crop - 1)
    part = at - np.floor(at)
    weights = np.stack([1.0 - part, 1.0 - (1.0 - part)], axis=1)
    weights[at > crop - 1] = 0.0
    indices = np.stack([low, np.minimum(low + 1, crop - 1)], axis=1) + first
    return indices, weights


@compiled
def zoom(image: NDArray[np.floating], vertical: Axis, horizontal: Axis) -> NDArray[np.floating]:
    """(H, W, C) floats at the places of two `zoom_axis`, summed in SciPy's order in float64."""
    (rows, row_weights), (columns, column_weights) = vertical, horizontal
    channels = image.shape[2]
    out = np.empty((rows.shape[0], columns.shape[0], channels), image.dtype)
    for y in range(rows.shape[0]):
        above, below = image[rows[y, 0]], image[rows[y, 1]]
        up, down = row_weights[y, 0], row_weights[y, 1]
        for x in range(columns.shape[0]):
            left, right = columns[x, 0], columns[x, 1]
            west, east = column_weights[x, 0], column_weights[x, 1]
            for c in range(channels):
                value = above[left, c] * up * west
                value += above[right, c] * up * east
                value += below[left, c] * down * west
                value += below[right, c] * down * east
                out[y, x, c] = value
    return out


@compiled
def mean_of_zooms(frame: Bytes, vertical: Axis, horizontal: Axis) -> Bytes:
    """Mean of a frame and of Z enlargements of it, in float32, cut to 8 bit.

    Args:
        frame: (H, W, C) uint8.
        vertical: (Z, H, 2) each, as `zoom_axis`.
        horizontal: (Z, W, 2) each, likewise.
    """
    (rows, row_weights), (columns, column_weights) = vertical, horizontal
    height, width, channels = frame.shape
    flat = frame.reshape(height, width * channels)
    out = np.empty((height, width * channels), np.uint8)
    total = np.empty(width * channels, np.float32)
    line = np.empty(width * channels, np.float32)
    share = np.float32(1.0 / (rows.shape[0] + 1))
    for y in range(height):
        for i in range(total.size):
            total[i] = flat[y, i]
        for z in range(rows.shape[0]):
            above, below = flat[rows[z, y, 0]], flat[rows[z, y, 1]]
            up, down = row_weights[z, y, 0], row_weights[z, y, 1]
            for i in range(line.size):
                line[i] = up * np.float32(above[i]) + down * np.float32(below[i])
            for x in range(width):
                left, right = columns[z, x, 0] * channels, columns[z, x, 1] * channels
                west, east = column_weights[z, x, 0], column_weights[z, x, 1]
                for c in range(channels):
                    total[x * channels + c] += west * line[left + c] + east * line[right + c]
        for i in range(total.size):
            # Float sums of a flat area may fall a hair below its value: a hair is added first.
            out[y, i] = np.uint8(min(total[i] * share + np.float32(1e-3), np.float32(255)))
    return out.reshape(height, width, channels)
