"""COCO run lengths decoded straight to packed bits, without a byte a pixel in between.

Runs go down the columns, packed words along the rows. So only the ends of runs are written, as
toggled bits, and one pass of xor down the rows fills what lies between: the cost is that of the
runs and of the words, not of the pixels.
"""

from __future__ import annotations

import numpy as np

from rvosbench.errors import MaskError
from rvosbench.masks.bits import Octets, Words, compiled


def decode(counts: bytes, size: tuple[int, int]) -> Words:
    """Compressed COCO counts as packed bits, (H, ceil(W / 64)) uint64.

    Args:
        counts: the text of an RLE; runs that end early leave the rest empty, as in pycocotools.
        size: (height, width) in pixels.

    Raises:
        MaskError: the text is cut off, or has a negative run or more pixels than the mask.
    """
    words = np.zeros((size[0], -(-size[1] // 64)), np.uint64)
    if not _toggle(np.frombuffer(counts, np.uint8), size[0], size[1], words):
        raise MaskError(
            f"run lengths {counts[:20]!r}... do not fit a mask of {size[0]}x{size[1]} "
            "(height x width): is the size right, and the text complete?"
        )
    _fill(words)
    return words


@compiled
def _toggle(text: Octets, height: int, width: int, words: Words) -> bool:
    """Toggle a bit where a run begins and below its end, column by column; False: invalid."""
    at, place, index, last, before = 0, 0, 0, 0, 0
    while at < text.size:
        length, at = _number(text, at)
        if at < 0:
            return False
        if index > 2:
            length += before  # from the third on, a count is the change since the last but one
        before, last = last, length
        if length < 0 or place + length > height * width:
            return False
        if index % 2 and length:
            _toggle_run(place, place + length, height, words)
        place += length
        index += 1
    return True


@compiled
def _number(text: Octets, at: int) -> tuple[int, int]:
    """A signed number in groups of five bits, and the place after it; -1 if it is cut off."""
    value, shift = 0, 0
    while at < text.size and shift < 60:
        group = int(text[at]) - 48
        value |= (group & 31) << shift
        shift += 5
        at += 1
        if not group & 32:
            if group & 16:
                value |= -1 << shift
            return value, at
    return 0, -1


@compiled
def _toggle_run(begin: int, end: int, height: int, words: Words) -> None:
    x, y = begin // height, begin % height
    last, below = end // height, end % height
    _flip(words, y, x)
    for column in range(x + 1, last + 1 if below else last):
        _flip(words, 0, column)
    if below:
        _flip(words, below, last)


@compiled
def _flip(words: Words, y: int, x: int) -> None:
    words[y, x // 64] ^= np.uint64(1) << np.uint64(x % 64)


@compiled
def _fill(words: Words) -> None:
    for y in range(1, words.shape[0]):
        for x in range(words.shape[1]):
            words[y, x] ^= words[y - 1, x]
