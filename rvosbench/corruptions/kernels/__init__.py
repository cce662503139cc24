"""Compiled loops. Each is a pure function of arrays, compiled on first use and cached on disk."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Halves: TypeAlias = NDArray[np.uint16]
Sums: TypeAlias = NDArray[np.uint32]
Places: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]
Axis: TypeAlias = tuple[Places, NDArray[np.floating[Any]]]
"""Where the pixels of an axis come from, and their weights: see `zooms.zoom_axis`."""
Real: TypeAlias = "float | np.floating[Any]"
"""A number whose precision the caller decides."""
