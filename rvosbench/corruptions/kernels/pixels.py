"""What happens to every pixel by itself: noise from random numbers, colours, tables."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Bytes, Floats, Halves, Sums
from rvosbench.masks.bits import compiled
from rvosbench.records import Frame


@compiled
def add(frame: Frame, numbers: Halves, noise: Floats, proportional: bool) -> Frame:
    """The value plus `noise[number]`, (65536,) in grey levels; cut to [0, 255] and to integers.

    With `proportional`, noise is relative to the value.
    """
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        value = np.float32(source[i])
        value += noise[numbers[i]] * (value if proportional else np.float32(1))
        target[i] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
    return out


@compiled
def replace(frame: Frame, numbers: Halves, white: int, any_: int) -> Frame:
    """255 where the number is below `white`, 0 where it is below `any_`, else the value."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        number = numbers[i]
        value = np.uint8(0) if number < any_ else source[i]
        target[i] = np.uint8(255) if number < white else value
    return out


@compiled
def count(frame: Frame, numbers: Halves, limits: Sums, start: Bytes, brightness: Bytes) -> Frame:
    """`brightness[k]` of the first count k whose limit is above the number."""
    out = np.empty_like(frame)
    source, target = frame.reshape(-1), out.reshape(-1)
    for i in range(source.size):
        value, number = source[i], np.uint32(numbers[i])
        k = np.int64(start[value, number >> np.uint32(8)])
        while limits[value, k] <= number:
            k += 1
        target[i] = brightness[k]
    return out


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
def in_hsv(frame: Frame, factor: float, saturation: float, value: float) -> Frame:
    """(H, W, 3) with S replaced by factor * S + `saturation` and V by V + `value`, in [0, 1].

    In the float64 arithmetic of scikit-image; what is added as 0 or taken times 1 stays exact.
    """
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            red = frame[y, x, 0] / 255.0
            green = frame[y, x, 1] / 255.0
            blue = frame[y, x, 2] / 255.0
            hue, own = hue_and_saturation(red, green, blue)
            s = min(max(own * factor + saturation, 0.0), 1.0)
            v = min(max(max(red, green, blue) + value, 0.0), 1.0)
            a, b, c = from_hsv(hue, s, v)
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
def look_up(frame: Frame, table: Bytes) -> Frame:
    """(H, W, C) through a table of each channel, (256, C)."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(frame.shape[2]):
                out[y, x, c] = table[frame[y, x, c], c]
    return out
