"""Masks: sequences of them in memory, and every way they lie in a file.

`sequence` holds `MaskSequence`; `bits` and `rle` are its two storages; `png` and `scanlines` read
and write one mask a file. A format has one reader and one writer.
"""

from __future__ import annotations

from rvosbench.masks.sequence import (
    WORD,
    BoolArray,
    MaskSequence,
    Rle,
    Words,
    pack,
    popcount,
    union,
    unpack,
)

__all__ = [
    "WORD",
    "BoolArray",
    "MaskSequence",
    "Rle",
    "Words",
    "pack",
    "popcount",
    "union",
    "unpack",
]
