"""The 15 + 4 corruptions of ImageNet-C, for frames of any size and for videos.

>>> from rvosbench.corruptions import CORRUPTIONS
>>> len(CORRUPTIONS), CORRUPTIONS[0]
(19, 'gaussian_noise')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvosbench.corruptions.plan import Plan, parse
from rvosbench.corruptions.table import CORRUPTIONS, SEVERITIES, TABLE, corruption

if TYPE_CHECKING:
    from rvosbench.corruptions.frame import Drawn, apply, corrupt, draw

__all__ = [
    "CORRUPTIONS",
    "SEVERITIES",
    "TABLE",
    "Drawn",
    "Plan",
    "apply",
    "corrupt",
    "corruption",
    "draw",
    "parse",
]


def __getattr__(name: str) -> object:
    """Compiled loops are loaded when a frame is corrupted, not when a name is looked up."""
    from importlib import import_module

    if name not in {"Drawn", "apply", "corrupt", "draw"}:
        raise AttributeError(f"module 'rvosbench.corruptions' has no attribute {name!r}")
    return getattr(import_module("rvosbench.corruptions.frame"), name)
