"""The fractal of fog: diamond-square on a torus."""

from __future__ import annotations

import numpy as np

from rvosbench.corruptions.kernels import Floats, Halves, Real
from rvosbench.masks.bits import compiled


@compiled
def plasma(numbers: Halves, side: int, decay: Real, rows: int, columns: int) -> Floats:
    """Heights on a torus, scaled to [0, 1] over all of it; its first rows and columns.

    Args:
        numbers: side * side random numbers, of which all but one are used.
        side: a power of two.
        decay: by which the randomness shrinks from one step to the next half as large.
        rows: to return, at most `side`.
        columns: to return, at most `side`.
    """
    height = np.zeros((side, side), np.float32)
    step, wobble, used = side, np.float32(100), 0
    while step >= 2:
        half = step // 2
        # A 16-bit number becomes uniform in [-wobble, wobble], times wobble.
        scale = np.float32(2) * wobble * wobble / np.float32(65535)
        shift = wobble * wobble
        count = side // step
        for y in range(half, side, step):
            _squares(height, y, half, numbers[used : used + count], scale, shift)
            used += count
        for y in range(0, side, half):
            _diamonds(height, y, half, numbers[used : used + count], scale, shift)
            used += count
        step = half
        wobble /= decay
    return _scaled(height, rows, columns)


@compiled
def _squares(height: Floats, y: int, half: int, numbers: Halves, scale: Real, shift: Real) -> None:
    """Middles of squares: the mean of four corners, and noise. The last square wraps around."""
    row, upper, lower = height[y], height[y - half], height[(y + half) % height.shape[0]]
    quarter, last = np.float32(0.25), numbers.size - 1
    for i in range(numbers.size):
        left = 2 * half * i
        right = left + 2 * half if i < last else 0
        corners = (upper[left] + upper[right]) + (lower[left] + lower[right])
        row[left + half] = corners * quarter + (scale * np.float32(numbers[i]) - shift)


@compiled
def _diamonds(height: Floats, y: int, half: int, numbers: Halves, scale: Real, shift: Real) -> None:
    """Middles of edges: the mean of four neighbours, and noise."""
    row, upper, lower = height[y], height[y - half], height[(y + half) % height.shape[0]]
    quarter, side, begin = np.float32(0.25), row.size, half
    if (y // half) % 2:
        begin = 0
    for i in range(numbers.size):
        x = begin + 2 * half * i
        left = x - half if x else side - half
        right = x + half if x + half < side else 0
        around = (upper[x] + lower[x]) + (row[left] + row[right])
        row[x] = around * quarter + (scale * np.float32(numbers[i]) - shift)


@compiled
def _scaled(height: Floats, rows: int, columns: int) -> Floats:
    low = high = height[0, 0]
    for y in range(height.shape[0]):
        for x in range(height.shape[1]):
            low = min(low, height[y, x])
            high = max(high, height[y, x])
    out = np.empty((rows, columns), np.float32)
    scale = np.float32(1) / (high - low)
    for y in range(rows):
        for x in range(columns):
            out[y, x] = (height[y, x] - low) * scale
    return out
