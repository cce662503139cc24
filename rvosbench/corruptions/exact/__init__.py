"""The original's arithmetic and, given the same random state, the original's bytes.

float64 in [0, 1] (float32 where the original has it), cut to 8 bit rather than rounded. Source of
every function: see `rvosbench.corruptions.table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvosbench.records import Frame


def unit(frame: Frame) -> NDArray[np.float64]:
    """uint8 -> float64 in [0, 1]."""
    return np.asarray(frame / 255.0)


def to_bytes(image: NDArray[np.floating[Any]]) -> Frame:
    """[0, 1] -> uint8: clipped, times 255, cut (not rounded), in the image's own precision."""
    return np.asarray(np.clip(image, 0, 1) * 255).astype(np.uint8)


def gaussian(
    image: NDArray[np.floating[Any]],
    sigma: float | Sequence[float],
    mode: str = "nearest",
    truncate: float = 4.0,
) -> NDArray[Any]:
    """What scikit-image's `gaussian` computes; `sigma` 0 leaves an axis alone."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(image, sigma, mode=mode, truncate=truncate))
