"""Frames to corrupt: smooth, textured, coloured, with flat and saturated parts."""

from __future__ import annotations

import numpy as np

from rvosbench.records import Frame


def scene(height: int = 96, width: int = 128, seed: int = 0) -> Frame:
    """Gradients, stripes, a black, a white and a coloured rectangle, and a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = [120 + 90 * np.sin(7 * x + 5 * y * k + k) + 20 * np.sin(60 * x) for k in (1, 2, 3)]
    frame = np.stack(planes, axis=-1) + rng.normal(0, 3, (height, width, 3))
    third, fourth = height // 3, width // 4
    frame[:third, :fourth] = 0
    frame[third : 2 * third, :fourth] = 255
    frame[2 * third :, :fourth] = (200, 30, 90)
    return np.clip(frame, 0, 255).astype(np.uint8)
