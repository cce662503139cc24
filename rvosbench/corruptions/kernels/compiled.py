"""Compiling a loop with numba, typed so that mypy still sees the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numba import njit

Real: TypeAlias = "float | np.floating[Any]"
"""A number whose precision the caller decides."""

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile on first call and keep the machine code beside the module.

    Without fast math: sums keep their order, so every machine gives the same bits. Division by
    zero follows IEEE, as in NumPy.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
