"""The packed-bit core: the exact integers behind J and F, from masks of 64-pixel words.

A mask is (H, ceil(W / 64)) uint64: pixel x of a row is bit x % 64 of word x // 64, and bits beyond
the width are zero (see `rvosbench.masks.pack`). Areas are popcounts; a boundary comes from shifts
and xors of whole words. To match two boundaries within a disk, rows of the disk with equal
half-width are OR-ed and widened together, from the middle outwards, until every pixel of a word
has met a partner; words without any candidate in reach are left out before.

Arrays must be C-contiguous.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rvosbench.masks.bits import Words, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

Integers: TypeAlias = "NDArray[np.int64]"
Rows: TypeAlias = tuple[int, int]

# Typed constants: numba turns a mix of uint64 and Python integers into floats.
_0, _1, _2, _4, _56, _63, _64 = (np.uint64(n) for n in (0, 1, 2, 4, 56, 63, 64))
_ODD, _PAIRS, _NIBBLES, _BYTES = (
    np.uint64(n)
    for n in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


@lru_cache(maxsize=64)
def halves(radius: int) -> Integers:
    """Half-width of the disk dx^2 + dy^2 <= radius^2 at dy = 0, 1, ... radius, (radius + 1,)."""
    widths = [math.isqrt(radius * radius - dy * dy) for dy in range(radius + 1)]
    return np.array(widths, dtype=np.int64)


@lru_cache(maxsize=64)
def disk(radius: int) -> Integers:
    """The rows of that disk, grouped by half-width.

    Returns:
        (N, 3) int64: first and last |dy| of a group and its half-width, widest first.
    """
    widths = halves(radius)
    ends = np.flatnonzero(np.diff(widths, append=-1))  # the last row of every group
    starts = np.concatenate([[0], ends[:-1] + 1])
    return np.stack([starts, ends, widths[ends]], axis=1)


@compiled
def _bits(word: np.uint64) -> np.uint64:
    """Set bits of a word; the compiler knows the pattern and emits one instruction for it."""
    word = word - ((word >> _1) & _ODD)
    word = (word & _PAIRS) + ((word >> _2) & _PAIRS)
    word = (word + (word >> _4)) & _NIBBLES
    return (word * _BYTES) >> _56


@compiled
def region(p: Words, t: Words) -> tuple[int, int, int]:
    """Pixels of (the intersection, the union, the first) of two masks."""
    both, either, first = _0, _0, _0
    for y in range(p.shape[0]):
        for x in range(p.shape[1]):
            both += _bits(p[y, x] & t[y, x])
            either += _bits(p[y, x] | t[y, x])
            first += _bits(p[y, x])
    return int(both), int(either), int(first)


@compiled
def outline(mask: Words, width: int) -> tuple[Words, Rows, int]:
    """Boundary of a mask: pixels that differ from their right, lower or lower right neighbour.

    A neighbour outside the image does not count.

    Returns:
        The boundary with a word of zeros at both ends of every row, (H, words + 2); its first row
        and the row after its last, equal if it is empty; its number of pixels.
    """
    height, words = mask.shape
    edge = np.zeros((height, words + 2), np.uint64)
    inside = ~(_1 << np.uint64((width - 1) % 64))  # pixels of a last word that have a right side
    top, bottom, total = height, 0, _0
    for y in range(height):
        here, below = mask[y], mask[min(y + 1, height - 1)]
        found = _0
        for x in range(words):
            a, b = here[x], below[x]
            right, corner = a >> _1, b >> _1
            sideways = inside
            if x < words - 1:
                right |= here[x + 1] << _63
                corner |= below[x + 1] << _63
                sideways = ~_0
            e = (a ^ b) | (((a ^ right) | (a ^ corner)) & sideways)
            edge[y, x + 1] = e
            found += _bits(e)
        if found:
            top, bottom = min(top, y), y + 1
            total += found
    return edge, (min(top, bottom), bottom), int(total)


@compiled
def near(edge: Words, rows: Rows, other: Words, other_rows: Rows, steps: Integers) -> int:
    """Pixels of one boundary that have a pixel of another within a disk of radius 0 to 63.

    Args:
        edge: boundary as `outline` gives it.
        rows: its first row and the row after its last.
        other: the boundary to be met.
        other_rows: its first row and the row after its last.
        steps: the disk, see `disk`.
    """
    first, end = other_rows
    if first == end:
        return 0
    radius = steps[0, 2]
    size = radius + 1
    blocks = _blocks(other, first, end, size)
    matched = _0
    for y in range(max(rows[0], first - radius), min(rows[1], end + radius)):
        block = (y - first + size) // size  # the disk lies in this block of rows and the next two
        for x in range(1, edge.shape[1] - 1):
            wanted = edge[y, x]
            if wanted and _reached(blocks, block, x):
                missed = _missed(wanted, other, (y, x), other_rows, steps)
                matched += _bits(wanted) - _bits(missed)
    return int(matched)


@compiled
def _blocks(rows: Words, first: int, end: int, size: int) -> Words:
    """OR of every `size` rows from `first` on, with two blocks of zeros before and behind."""
    blocks = np.zeros(((end - first) // size + 5, rows.shape[1]), np.uint64)
    for y in range(first, end):
        block = blocks[(y - first) // size + 2]
        for x in range(rows.shape[1]):
            block[x] |= rows[y, x]
    return blocks


@compiled
def _reached(blocks: Words, block: int, x: int) -> bool:
    """Whether three blocks of rows have anything in a word or the two beside."""
    found = _0
    for k in range(block, block + 3):
        found |= blocks[k, x - 1] | blocks[k, x] | blocks[k, x + 1]
    return bool(found != _0)


@compiled
def _missed(
    wanted: np.uint64, other: Words, place: tuple[int, int], other_rows: Rows, steps: Integers
) -> np.uint64:
    """The pixels of one word without partner, searched from the middle of the disk outwards."""
    (y, x), (first, end) = place, other_rows
    left, mid, right = _0, _0, _0
    for k in range(steps.shape[0]):
        for dy in range(steps[k, 0], steps[k, 1] + 1):
            above, below = y - dy, y + dy
            if first <= above < end:
                left |= other[above, x - 1]
                mid |= other[above, x]
                right |= other[above, x + 1]
            if first <= below < end:
                left |= other[below, x - 1]
                mid |= other[below, x]
                right |= other[below, x + 1]
        wanted &= ~_widened(left, mid, right, steps[k, 2])
        if not wanted:
            break
    return wanted


@compiled
def _widened(left: np.uint64, mid: np.uint64, right: np.uint64, by: int) -> np.uint64:
    """The middle one of three words after every bit has spread `by` < 64 pixels to both sides."""
    up, down, low, high = mid, mid, left, right
    reach = 0
    while reach < by:
        step = np.uint64(min(reach + 1, by - reach))
        back = _64 - step
        up |= (up << step) | (low >> back)
        low |= low << step
        down |= (down >> step) | (high << back)
        high |= high >> step
        reach += int(step)
    return up | down


@compiled
def near_far(edge: Words, rows: Rows, other: Words, other_rows: Rows, halves: Integers) -> int:
    """As `near`, for a disk of any radius, pixel by pixel with running counts along the rows.

    Args:
        edge: boundary as `outline` gives it.
        rows: its first row and the row after its last.
        other: the boundary to be met.
        other_rows: its first row and the row after its last.
        halves: half-width of the disk at |dy| = 0, 1, ... radius.
    """
    (first, end), matched = other_rows, 0
    if first == end:
        return 0
    width = 64 * (edge.shape[1] - 2)
    counts = _running(other, first, end, width)
    for y in range(rows[0], rows[1]):
        for x in range(width):
            if (edge[y, 1 + x // 64] >> np.uint64(x % 64)) & _1:
                matched += _meets(counts, y - first, x, halves)
    return matched


@compiled
def _running(rows: Words, first: int, end: int, width: int) -> NDArray[np.int32]:
    """Set pixels left of every x, (rows, width + 1)."""
    counts = np.zeros((end - first, width + 1), np.int32)
    for y in range(end - first):
        for x in range(width):
            bit = (rows[first + y, 1 + x // 64] >> np.uint64(x % 64)) & _1
            counts[y, x + 1] = counts[y, x] + np.int32(bit)
    return counts


@compiled
def _meets(counts: NDArray[np.int32], y: int, x: int, halves: Integers) -> int:
    height, width = counts.shape[0], counts.shape[1] - 1
    for dy in range(halves.shape[0]):
        begin, end = max(x - halves[dy], 0), min(x + halves[dy] + 1, width)
        above, below = y - dy, y + dy
        if 0 <= above < height and counts[above, end] > counts[above, begin]:
            return 1
        if 0 <= below < height and counts[below, end] > counts[below, begin]:
            return 1
    return 0
