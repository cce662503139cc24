"""The shuffle of glass blur."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rvosbench.corruptions.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rvosbench.records import Frame


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
