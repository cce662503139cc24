"""Smoothing of bytes with integer weights: fast, and equal on every machine."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Bytes, Halves, Places, Sums
from rvosbench.masks.bits import compiled
from rvosbench.records import Frame

Border = Literal["nearest", "reflect", "mirror"]


@lru_cache(maxsize=32)
def gaussian_weights(sigma: float, truncate: float) -> Sums:
    """One side of a Gaussian, the middle first; both sides and the middle sum to 65536."""
    reach = int(truncate * sigma + 0.5)
    bell = np.array([math.exp(-i * i / (2 * sigma * sigma)) for i in range(reach + 1)])
    weights = np.rint(bell * 65536 / (2 * bell.sum() - bell[0])).astype(np.int64)
    weights[0] += 65536 - (2 * weights.sum() - weights[0])
    return np.asarray(weights, dtype=np.uint32)


def smooth(image: Bytes, sigma: float, truncate: float = 4.0, border: Border = "nearest") -> Halves:
    """Gaussian of (H, W, C) uint8, as uint16 of 256 times the value.

    Args:
        image: bytes.
        sigma: pixels.
        truncate: reach of the kernel in sigmas.
        border: "nearest" repeats the edge pixel, "reflect" mirrors with the edge pixel twice,
            "mirror" without it.
    """
    weights = gaussian_weights(sigma, truncate)
    rows = border_indices(image.shape[0], weights.size - 1, border)
    columns = border_indices(image.shape[1], weights.size - 1, border)
    return _smooth(image, weights, rows, columns)


def border_indices(length: int, reach: int, border: Border) -> Places:
    """Pixel to take for each place from -reach to length + reach - 1."""
    places = np.arange(-reach, length + reach)
    if border == "nearest":
        return np.clip(places, 0, length - 1)
    last = 2 * length - 1 if border == "reflect" else max(2 * length - 2, 1)
    places %= last + 1 if border == "reflect" else last
    return np.where(places < length, places, last - places)


@compiled
def _smooth(image: Bytes, weights: Sums, rows: Places, columns: Places) -> Halves:
    height, width, channels = image.shape
    reach, size = weights.size - 1, width * channels
    flat = image.reshape(height, size)
    out = np.empty((height, size), np.uint16)
    total = np.empty(size, np.uint32)
    padded = np.empty(size + 2 * reach * channels, np.uint32)
    middle = padded[reach * channels : reach * channels + size]
    for y in range(height):
        _down(flat, rows[y : y + 2 * reach + 1], weights, total)
        for i in range(size):
            middle[i] = total[i] >> np.uint32(8)
        _border(padded, columns, reach, channels)
        for i in range(size):
            total[i] = weights[0] * middle[i]
        _beside(padded, weights, channels, total)
        for i in range(size):
            out[y, i] = total[i] >> np.uint32(16)
    return out.reshape(height, width, channels)


@compiled
def _down(flat: Bytes, rows: Places, weights: Sums, total: Sums) -> None:
    """Weighted sums of 2 reach + 1 rows into `total`, two pairs of rows at a time."""
    reach = weights.size - 1
    middle = flat[rows[reach]]
    for i in range(total.size):
        total[i] = weights[0] * np.uint32(middle[i]) + np.uint32(128)
    for k in range(1, reach, 2):
        near, far = weights[k], weights[k + 1]
        a, b = flat[rows[reach - k]], flat[rows[reach + k]]
        c, d = flat[rows[reach - k - 1]], flat[rows[reach + k + 1]]
        for i in range(total.size):
            total[i] += near * (np.uint32(a[i]) + np.uint32(b[i])) + far * (
                np.uint32(c[i]) + np.uint32(d[i])
            )
    if reach % 2:
        a, b = flat[rows[0]], flat[rows[2 * reach]]
        for i in range(total.size):
            total[i] += weights[reach] * (np.uint32(a[i]) + np.uint32(b[i]))


@compiled
def _border(padded: Sums, columns: Places, reach: int, channels: int) -> None:
    """Fills the first and last `reach` pixels of a padded row from those that `columns` names."""
    start = reach * channels
    for x in range(reach):
        right = columns.size - reach + x
        for c in range(channels):
            padded[x * channels + c] = padded[start + columns[x] * channels + c]
            padded[right * channels + c] = padded[start + columns[right] * channels + c]


@compiled
def _beside(padded: Sums, weights: Sums, channels: int, total: Sums) -> None:
    """Adds weighted sums of what lies left and right in a padded row to `total`.

    They stay below 2**32, as values are at most 65280. The last weights may be 0.
    """
    size, reach = total.size, weights.size - 1
    start = reach * channels
    while reach and weights[reach] == 0:
        reach -= 1
    for k in range(1, reach, 2):
        near, far, p, q = weights[k], weights[k + 1], k * channels, (k + 1) * channels
        a, b = padded[start - p : start - p + size], padded[start + p : start + p + size]
        c, d = padded[start - q : start - q + size], padded[start + q : start + q + size]
        for i in range(size):
            total[i] += near * (a[i] + b[i]) + far * (c[i] + d[i])
    if reach % 2:
        p = reach * channels
        a, b = padded[start - p : start - p + size], padded[start + p : start + p + size]
        for i in range(size):
            total[i] += weights[reach] * (a[i] + b[i])


def smooth_bytes(frame: Frame, sigma: float) -> Frame:
    """Gaussian of 4 sigma reach, cut to 8 bit, (H, W, C) uint8."""
    return _upper(smooth(frame, sigma))


@compiled
def _upper(fixed: Halves) -> Bytes:
    out = np.empty(fixed.shape, np.uint8)
    source, target = fixed.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        target[i] = source[i] >> np.uint16(8)
    return out


def symmetric(frame: Frame, kernel: NDArray[np.floating[Any]]) -> Frame:
    """Filter with a kernel that is symmetric in both axes; the border mirrors without its pixel.

    Args:
        frame: (H, W, C) uint8.
        kernel: (2 r + 1, 2 r + 1); may sum to a little more than 1, results are cut at 255.
    """
    reach = kernel.shape[0] // 2
    quarter = np.rint(kernel[reach:, reach:].astype(np.float64) * 2**23).astype(np.uint32)
    used = np.flatnonzero(quarter.any(axis=1))[-1] + 1
    quarter = np.ascontiguousarray(quarter[:used, :used])
    rows, columns = (border_indices(n, used - 1, "mirror") for n in frame.shape[:2])
    return _symmetric(frame, quarter, rows, columns)


@compiled
def _symmetric(frame: Frame, quarter: Sums, rows: Places, columns: Places) -> Frame:
    height, width, channels = frame.shape
    reach, size = quarter.shape[0] - 1, width * channels
    flat = frame.reshape(height, size)
    out = np.empty((height, size), np.uint8)
    total = np.empty(size, np.uint32)
    padded = np.empty(size + 2 * reach * channels, np.uint32)
    middle = padded[reach * channels : reach * channels + size]
    for y in range(height):
        total[:] = 0
        for dy in range(reach + 1):
            above, below = flat[rows[y + reach - dy]], flat[rows[y + reach + dy]]
            _folded(above, below, columns, channels, padded)
            if dy == 0:
                padded[:] //= np.uint32(2)  # the row itself was counted twice
            weights = quarter[dy]
            for i in range(size):
                total[i] += weights[0] * middle[i]
            _beside(padded, weights, channels, total)
        for i in range(size):
            out[y, i] = min(total[i] >> np.uint32(23), np.uint32(255))
    return out.reshape(height, width, channels)


@compiled
def _folded(above: Bytes, below: Bytes, columns: Places, channels: int, padded: Sums) -> None:
    """The sum of two rows, with borders, into `padded`."""
    reach = (padded.size - above.size) // (2 * channels)
    middle = padded[reach * channels : reach * channels + above.size]
    for i in range(above.size):
        middle[i] = np.uint32(above[i]) + np.uint32(below[i])
    _border(padded, columns, reach, channels)
