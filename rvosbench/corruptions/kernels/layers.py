"""What weather does to a frame once its layers are drawn: one pass each, in float32 grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Axis, Bytes, Floats, Halves, Real
from rvosbench.masks.bits import compiled
from rvosbench.records import Frame


@compiled
def byte(value: np.float32) -> np.uint8:
    """A grey level cut to [0, 255] and to an integer."""
    return np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@compiled
def flakes(layer: Floats, vertical: Axis, horizontal: Axis, threshold: Real) -> Bytes:
    """Enlarge a layer as `zoom_axis` says, drop what is below the threshold: (H, W, 1) bytes."""
    (rows, row_weights), (columns, column_weights) = vertical, horizontal
    out = np.empty((rows.shape[0], columns.shape[0], 1), np.uint8)
    line = np.empty(layer.shape[1], np.float32)
    for y in range(rows.shape[0]):
        above, below = layer[rows[y, 0]], layer[rows[y, 1]]
        for x in range(line.size):
            line[x] = row_weights[y, 0] * above[x] + row_weights[y, 1] * below[x]
        for x in range(columns.shape[0]):
            value = column_weights[x, 0] * line[columns[x, 0]]
            value += column_weights[x, 1] * line[columns[x, 1]]
            if value < threshold:
                value = np.float32(0)
            out[y, x, 0] = byte(value * np.float32(255))
    return out


@compiled
def bleach(frame: Frame, streaks: Bytes, keep: Real) -> Frame:
    """Snow: colours fade towards white, then streaks and their half turn are added."""
    height, width = streaks.shape
    out = np.empty_like(frame)
    lost = np.float32(1) - keep
    for y in range(height):
        for x in range(width):
            red = np.float32(frame[y, x, 0])
            green = np.float32(frame[y, x, 1])
            blue = np.float32(frame[y, x, 2])
            grey = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
            white = grey * np.float32(1.5) + np.float32(127.5)
            snow = np.float32(streaks[y, x]) + np.float32(streaks[height - 1 - y, width - 1 - x])
            out[y, x, 0] = byte(keep * red + lost * max(red, white) + snow)
            out[y, x, 1] = byte(keep * green + lost * max(green, white) + snow)
            out[y, x, 2] = byte(keep * blue + lost * max(blue, white) + snow)
    return out


@compiled
def veil(frame: Frame, density: Floats, thickness: Real) -> Frame:
    """Fog: add it, then scale so that the brightest value stays what it was."""
    brightest = np.float32(frame.max())
    scale = brightest / (brightest + np.float32(255) * thickness)
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            added = np.float32(255) * thickness * density[y, x]
            for c in range(frame.shape[2]):
                out[y, x, c] = byte((np.float32(frame[y, x, c]) + added) * scale)
    return out


@compiled
def cover(frame: Frame, share: Halves, colour: Floats) -> Frame:
    """Mud: mix with a colour where the share, 0 to 65280, is at least 0.8."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            part = np.float32(share[y, x]) / np.float32(65280)
            if part < np.float32(0.8):
                part = np.float32(0)
            for c in range(frame.shape[2]):
                value = np.float32(frame[y, x, c]) * (np.float32(1) - part) + colour[c] * part
                out[y, x, c] = byte(value)
    return out


@compiled
def shine(frame: Frame, light: Floats, colour: Floats) -> Frame:
    """Water: add light of a colour."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(frame.shape[2]):
                out[y, x, c] = byte(np.float32(frame[y, x, c]) + light[y, x] * colour[c])
    return out


@compiled
def mix(
    frame: Frame, picture: Frame, own: NDArray[np.float64], other: NDArray[np.float64]
) -> Frame:
    """Frost: `own[value] + other[value of the picture]`, (256,) each, cut to bytes."""
    out = np.empty_like(frame)
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(frame.shape[2]):
                value = own[frame[y, x, c]] + other[picture[y, x, c]]
                out[y, x, c] = np.uint8(min(value, 255.0))
    return out
