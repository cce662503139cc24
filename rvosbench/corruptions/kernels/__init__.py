"""Compiled loops. Each is a pure function of arrays, compiled on first use and cached on disk."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Real: TypeAlias = "float | np.floating[Any]"
"""A number whose precision the caller decides."""
