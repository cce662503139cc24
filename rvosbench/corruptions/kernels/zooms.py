"""Enlarging the middle of a frame by linear interpolation, corner pixels on corner pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.corruptions.kernels.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


def zoom_axis(length: int, factor: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
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
def zoom(
    image: NDArray[np.floating],
    rows: NDArray[np.int64],
    row_weights: NDArray[np.float64],
    columns: NDArray[np.int64],
    column_weights: NDArray[np.float64],
) -> NDArray[np.floating]:
    """(H, W, C) float image at the places of two `zoom_axis`, summed in SciPy's order in float64."""
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
