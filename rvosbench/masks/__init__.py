"""Masks: sequences of them in memory, and every way they lie in a file.

`sequence` holds `MaskSequence`; `bits` and `rle` are its two storages; `png` (with `scanlines`)
reads and writes one mask a file, `label_images` all objects of a frame in one, `rle_json` run
lengths in JSON. A format has one reader and one writer, for ground truth and predictions alike.
"""

from __future__ import annotations

from rvosbench.masks.sequence import (
    BoolArray,
    MaskSequence,
    Rle,
    Words,
    pack,
    popcount,
    union,
    unpack,
)

__all__ = ["BoolArray", "MaskSequence", "Rle", "Words", "pack", "popcount", "union", "unpack"]
