"""Masks drawn on frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREDICTED, TRUE = (255, 140, 0), (0, 200, 255)
"""Colours of outlines, RGB."""


def overlay(
    frame: NDArray[np.uint8],
    predicted: NDArray[np.bool_],
    true: NDArray[np.bool_] | None = None,
    colour: tuple[int, int, int] = PREDICTED,
) -> NDArray[np.uint8]:
    """The prediction in full colour with an outline, the rest pale, the ground truth outlined blue.

    Args:
        frame: (H, W, 3), RGB.
        predicted: (H, W).
        true: (H, W), or None for a frame without ground truth.
        colour: of the prediction's outline.

    Returns:
        (H, W, 3), RGB.
    """
    grey = frame.mean(axis=2, keepdims=True)
    picture = 0.55 * (0.6 * grey + 0.4 * frame) + 28
    picture[predicted] = frame[predicted]
    width = max(1, frame.shape[1] // 200)
    if true is not None:
        picture[outline(true, width)] = TRUE
    picture[outline(predicted, width)] = colour
    return np.asarray(picture, dtype=np.uint8)


def outline(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """The outermost `width` pixels of a mask, (H, W)."""
    padded = np.pad(mask, width)
    inner = mask.copy()
    for axis in (0, 1):
        for step in (-width, width):
            inner &= np.roll(padded, step, axis)[width:-width, width:-width]
    return np.asarray(mask & ~inner)


def spread(frames: Sequence[int], count: int) -> list[int]:
    """Up to `count` frames from begin to end, evenly."""
    places = np.linspace(0, len(frames) - 1, min(count, len(frames)))
    return [frames[round(float(p))] for p in places]
