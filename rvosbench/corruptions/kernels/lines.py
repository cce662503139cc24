"""Blur along a line, as ImageMagick 6 (Q16) does it, and the same with integer weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Places, Sums
from rvosbench.masks.bits import compiled
from rvosbench.records import Frame


def taps(radius: int, sigma: float) -> NDArray[np.float64]:
    """Weights of a one-sided Gaussian of 2 radius + 1 taps, beginning at the pixel itself."""
    weights = np.array([math.exp(-i * i / (2 * sigma * sigma)) for i in range(2 * radius + 1)])
    return np.asarray(weights / sum(weights.tolist()))


def offsets(count: int, angle: float) -> Places:
    """Pixel (dy, dx) of each tap for an angle in degrees, (count, 2)."""
    x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    places = [(math.ceil(i * y - 0.5), math.ceil(i * x - 0.5)) for i in range(count)]
    return np.array(places, dtype=np.int64)


def line_blur_exact(frame: Frame, radius: int, sigma: float, angle: float) -> Frame:
    """The blur in float64 with ImageMagick's rounding to 16 and cutting to 8 bit.

    Args:
        frame: (H, W, C) uint8; beyond the border its edge pixels go on.
        radius: the line has 2 radius + 1 taps.
        sigma: of the Gaussian along the line, in taps.
        angle: degrees.
    """
    weights = taps(radius, sigma)
    return _blur_float(frame, weights, offsets(len(weights), angle))


def line_blur(frame: Frame, radius: int, sigma: float, angle: float) -> Frame:
    """The same with 16-bit integer weights: at most 1 grey level off, equal on every machine."""
    weights = taps(radius, sigma)
    whole = np.floor(weights * 65536).astype(np.uint32)
    whole[0] += 65536 - whole.sum()  # weights of exactly 1 in all: flat areas keep their value
    return _blur_integer(frame, whole, offsets(len(weights), angle))


@compiled
def _span(columns: int, dx: int, channels: int) -> tuple[int, int]:
    """First and one past the last value of a row whose source pixel lies inside the frame."""
    first = min(max(0, -dx), columns)
    last = max(min(columns, columns - dx), first)
    return first * channels, last * channels


@compiled
def _blur_float(frame: Frame, weights: NDArray[np.float64], places: Places) -> Frame:
    rows, columns, channels = frame.shape
    out = np.empty_like(frame)
    total = np.empty(columns * channels, np.float64)
    flat = frame.reshape(rows, columns * channels)
    done = out.reshape(rows, columns * channels)
    for y in range(rows):
        total[:] = 0.0
        for tap in range(weights.size):
            weight, dx = weights[tap], places[tap, 1]
            source = flat[min(max(y + places[tap, 0], 0), rows - 1)]
            first, last = _span(columns, dx, channels)
            for i in range(first):
                total[i] += weight * (257.0 * source[i % channels])
            shift = dx * channels
            for i in range(first, last):
                total[i] += weight * (257.0 * source[i + shift])
            for i in range(last, total.size):
                total[i] += weight * (257.0 * source[(columns - 1) * channels + i % channels])
        for i in range(total.size):
            done[y, i] = np.int64(total[i] + 0.5) // 257
    return out


@compiled
def _blur_integer(frame: Frame, weights: Sums, places: Places) -> Frame:
    rows, columns, channels = frame.shape
    out = np.empty_like(frame)
    total = np.empty(columns * channels, np.uint32)
    flat = frame.reshape(rows, columns * channels)
    done = out.reshape(rows, columns * channels)
    for y in range(rows):
        total[:] = 0
        for tap in range(weights.size):
            weight, dx = weights[tap], places[tap, 1]
            source = flat[min(max(y + places[tap, 0], 0), rows - 1)]
            first, last = _span(columns, dx, channels)
            for i in range(first):
                total[i] += weight * np.uint32(source[i % channels])
            inner = total[first:last]
            moved = source[first + dx * channels : last + dx * channels]
            for i in range(inner.size):
                inner[i] += weight * np.uint32(moved[i])
            for i in range(last, total.size):
                total[i] += weight * np.uint32(source[(columns - 1) * channels + i % channels])
        for i in range(total.size):
            done[y, i] = total[i] >> np.uint32(16)
    return out
