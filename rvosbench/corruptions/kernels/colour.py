"""Changes of V or S in HSV, pixel by pixel, in the float64 arithmetic of scikit-image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.corruptions.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.records import Frame


@compiled
def hue_and_saturation(red: float, green: float, blue: float) -> tuple[float, float]:
    """H in [0, 1) and S in [0, 1] of a colour in [0, 1]; grey has both 0."""
    value = max(red, green, blue)
    delta = value - min(red, green, blue)
    if delta == 0.0:
        return 0.0, 0.0
    if blue == value:
        hue = 4.0 + (red - green) / delta
    elif green == value:
        hue = 2.0 + (blue - red) / delta
    else:
        hue = (green - blue) / delta
    return (hue / 6.0) % 1.0, delta / value


@compiled
def from_hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """The colour in [0, 1]."""
    sector = math.floor(hue * 6)
    part = hue * 6 - sector
    p = value * (1 - saturation)
    q = value * (1 - part * saturation)
    t = value * (1 - (1 - part) * saturation)
    which = int(sector) % 6
    if which == 0:
        return value, t, p
    if which == 1:
        return q, value, p
    if which == 2:
        return p, value, t
    if which == 3:
        return p, q, value
    if which == 4:
        return t, p, value
    return value, p, q


@compiled
def to_byte(value: float) -> int:
    """[0, 1] -> 0 to 255, cut as ImageNet-C does."""
    return int(min(max(value, 0.0), 1.0) * 255)


@compiled
def brighten(frame: Frame, added: float) -> Frame:
    """(H, W, 3) with `added` on V."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            red, green, blue = (
                frame[y, x, 0] / 255.0,
                frame[y, x, 1] / 255.0,
                frame[y, x, 2] / 255.0,
            )
            hue, saturation = hue_and_saturation(red, green, blue)
            value = min(max(max(red, green, blue) + added, 0.0), 1.0)
            a, b, c = from_hsv(hue, saturation, value)
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = to_byte(a), to_byte(b), to_byte(c)
    return out


@compiled
def saturate(frame: Frame, factor: float, added: float) -> Frame:
    """(H, W, 3) with S replaced by factor * S + added, cut to [0, 1]."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            red, green, blue = (
                frame[y, x, 0] / 255.0,
                frame[y, x, 1] / 255.0,
                frame[y, x, 2] / 255.0,
            )
            hue, saturation = hue_and_saturation(red, green, blue)
            saturation = min(max(saturation * factor + added, 0.0), 1.0)
            a, b, c = from_hsv(hue, saturation, max(red, green, blue))
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = to_byte(a), to_byte(b), to_byte(c)
    return out


@compiled
def channel_sums(frame: Frame) -> NDArray[np.int64]:
    """Sums of the three channels, (3,)."""
    sums = np.zeros(3, np.int64)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(3):
                sums[c] += np.int64(frame[y, x, c])
    return sums


@compiled
def look_up(frame: Frame, table: NDArray[np.uint8]) -> Frame:
    """(H, W, C) through a table of each channel, (256, C)."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(frame.shape[2]):
                out[y, x, c] = table[frame[y, x, c], c]
    return out
