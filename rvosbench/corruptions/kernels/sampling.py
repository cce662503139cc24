"""Taking pixels from elsewhere: from between the pixels of an image, or from neighbours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rvosbench.corruptions.kernels import Floats, Halves
from rvosbench.masks.bits import compiled
from rvosbench.records import Frame


@compiled
def mirrored(place: int, length: int) -> int:
    """The pixel at a place beyond the border, which mirrors without its edge pixel."""
    period = max(2 * length - 2, 1)
    place = abs(place) % period
    return place if place < length else period - place


@compiled
def reflected(place: int, length: int) -> int:
    """The pixel at a place beyond the border, which mirrors with its edge pixel twice."""
    place = place % (2 * length)
    return place if place < length else 2 * length - 1 - place


@compiled
def warp(frame: Frame, matrix: NDArray[np.float64]) -> Halves:
    """(H, W, 3) at `matrix` (2, 3) times (x, y, 1), linear, as 256 times the value."""
    height, width, channels = frame.shape
    out = np.empty((height, width, channels), np.uint16)
    for y in range(height):
        for x in range(width):
            u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
            v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
            left, top = math.floor(u), math.floor(v)
            east, south = np.int64((u - left) * 256), np.int64((v - top) * 256)
            x0, x1, y0, y1 = left, left + 1, top, top + 1
            if x0 < 0 or x1 >= width:
                x0, x1 = mirrored(x0, width), mirrored(x1, width)
            if y0 < 0 or y1 >= height:
                y0, y1 = mirrored(y0, height), mirrored(y1, height)
            for c in range(channels):
                above = frame[y0, x0, c] * (256 - east) + frame[y0, x1, c] * east
                below = frame[y1, x0, c] * (256 - east) + frame[y1, x1, c] * east
                out[y, x, c] = (above * (256 - south) + below * south) >> 8
    return out


@compiled
def displace(image: Halves, field: Floats) -> Frame:
    """`image`, 256 times the value, at its pixels plus `field` (dx, dy), linear, cut to bytes."""
    height, width, channels = image.shape
    out = np.empty((height, width, channels), np.uint8)
    for y in range(height):
        for x in range(width):
            u, v = x + field[0, y, x], y + field[1, y, x]
            left, top = math.floor(u), math.floor(v)
            east, south = np.int64((u - left) * 256), np.int64((v - top) * 256)
            x0, x1, y0, y1 = left, left + 1, top, top + 1
            if x0 < 0 or x1 >= width:
                x0, x1 = reflected(x0, width), reflected(x1, width)
            if y0 < 0 or y1 >= height:
                y0, y1 = reflected(y0, height), reflected(y1, height)
            for c in range(channels):
                above = image[y0, x0, c] * (256 - east) + image[y0, x1, c] * east
                below = image[y1, x0, c] * (256 - east) + image[y1, x1, c] * east
                out[y, x, c] = (above * (256 - south) + below * south) >> 24
    return out


@compiled
def enlarge(coarse: Halves, factor: int, height: int, width: int) -> Floats:
    """(h, w, 1) enlarged by a whole factor, linear between pixel centres: (height, width)."""
    rows, columns = coarse.shape[:2]
    out = np.empty((height, width), np.float32)
    line = np.empty(columns, np.float32)
    for y in range(height):
        v = (y + 0.5) / factor - 0.5
        top = math.floor(v)
        south = np.float32(v - top)
        y0, y1 = min(max(top, 0), rows - 1), min(max(top + 1, 0), rows - 1)
        for x in range(columns):
            above, below = np.float32(coarse[y0, x, 0]), np.float32(coarse[y1, x, 0])
            line[x] = above + south * (below - above)
        for x in range(width):
            u = (x + 0.5) / factor - 0.5
            left = math.floor(u)
            x0, x1 = min(max(left, 0), columns - 1), min(max(left + 1, 0), columns - 1)
            out[y, x] = line[x0] + np.float32(u - left) * (line[x1] - line[x0])
    return out


def shuffled_pixels(height: int, width: int, reach: int) -> int:
    """Pixels that one scan visits: all but a border of `reach`, and one more at the top left."""
    return max(height - 2 * reach, 0) * max(width - 2 * reach, 0)


@compiled
def shuffle(frame: Frame, moves: NDArray[np.int8], reach: int) -> Frame:
    """Let every pixel take the value of a random neighbour, scanning from the bottom right.

    A copy is made, not an exchange: the original means to swap two pixels, but assigns views of
    one array to each other, after which both hold the neighbour's value.

    Args:
        frame: (H, W, C) uint8.
        moves: (scans, pixels, 2): dx and dy of each visited pixel, in [-reach, reach).
        reach: width of the border that stays.
    """
    out = frame.copy()
    height, width, channels = frame.shape
    for scan in range(moves.shape[0]):
        pixel = 0
        for y in range(height - reach, reach, -1):
            for x in range(width - reach, reach, -1):
                other_x = x + moves[scan, pixel, 0]
                other_y = y + moves[scan, pixel, 1]
                for c in range(channels):
                    out[y, x, c] = out[other_y, other_x, c]
                pixel += 1
    return out
