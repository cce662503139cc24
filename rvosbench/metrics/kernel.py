"""The packed-bit core: the exact integers behind J and F, from masks of 64-pixel words.

A mask is (H, ceil(W / 64)) uint64: pixel x of a row is bit x % 64 of word x // 64, and bits beyond
the width are zero (see `rvosbench.masks.pack`). Areas are popcounts; a boundary comes from shifts
and xors of whole words. To match two boundaries within a disk, rows of the disk with equal
half-width are OR-ed and widened together, from the middle outwards, until every pixel of a word
has met a partner; words without any candidate in reach are left out before.

Importing this module imports numba and compiles nothing: a function is compiled at its first call
and kept in numba's cache on disk. Arrays must be C-contiguous.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words: TypeAlias = "NDArray[np.uint64]"
    Integers: TypeAlias = "NDArray[np.int64]"
    Rows: TypeAlias = tuple[int, int]

_Function = TypeVar("_Function", bound=Callable[..., object])

# Typed constants: numba turns a mix of uint64 and Python integers into floats.
_0, _1, _2, _4, _56, _63, _64 = (np.uint64(n) for n in (0, 1, 2, 4, 56, 63, 64))
_ODD, _PAIRS, _NIBBLES, _BYTES = (
    np.uint64(n)
    for n in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


def _compiled(function: _Function) -> _Function:
    return cast(_Function, numba.njit(cache=True, nogil=True)(function))


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


@_compiled
def _bits(word: np.uint64) -> np.uint64:
    """Set bits of a word; the compiler knows the pattern and emits one instruction for it."""
    word = word - ((word >> _1) & _ODD)
    word = (word & _PAIRS) + ((word >> _2) & _PAIRS)
    word = (word + (word >> _4)) & _NIBBLES
    return (word * _BYTES) >> _56


@_compiled
def area(mask: Words) -> int:
    """Foreground pixels of a mask."""
    total = _0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            total += _bits(mask[y, x])
    return int(total)


@_compiled
def region(p: Words, t: Words) -> tuple[int, int]:
    """(intersection, union) of two masks in pixels."""
    both, either = _0, _0
    for y in range(p.shape[0]):
        for x in range(p.shape[1]):
            both += _bits(p[y, x] & t[y, x])
            either += _bits(p[y, x] | t[y, x])
    return int(both), int(either)


@_compiled
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


@_compiled
def near(edge: Words, rows: Rows, other: Words, other_rows: Rows, steps: Integers) -> int:
    """Pixels of one boundary that have a pixel of another within a disk of radius 1 to 63.

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
    window = _window(other, first, end, radius)
    matched = _0
    for y in range(max(rows[0], first - radius), min(rows[1], end + radius)):
        reach = window[y - first + radius]
        for x in range(1, edge.shape[1] - 1):
            wanted = edge[y, x]
            if wanted and (reach[x - 1] | reach[x] | reach[x + 1]):
                wanted &= _widened(reach[x - 1], reach[x], reach[x + 1], radius)
                if wanted:
                    missed = _missed(wanted, other, y, x, steps, first, end)
                    matched += _bits(wanted) - _bits(missed)
    return int(matched)


@_compiled
def _window(rows: Words, first: int, end: int, radius: int) -> Words:
    """OR of the 2 x radius + 1 rows around y, at index y - first + radius, by doubling."""
    length = end - first
    window = np.zeros((length + 4 * radius, rows.shape[1]), np.uint64)
    window[2 * radius : 2 * radius + length] = rows[first:end]
    size, done = 2 * radius + 1, 1
    while done < size:
        step = min(done, size - done)
        for y in range(window.shape[0] - step):
            for x in range(window.shape[1]):
                window[y, x] |= window[y + step, x]
        done += step
    return window


@_compiled
def _missed(
    wanted: np.uint64, other: Words, y: int, x: int, steps: Integers, first: int, end: int
) -> np.uint64:
    """The pixels of one word without partner, searched from the middle of the disk outwards."""
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


@_compiled
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


@_compiled
def near_far(edge: Words, rows: Rows, other: Words, other_rows: Rows, halves: Integers) -> int:
    """As `near`, for a disk of any radius, pixel by pixel with running counts along the rows.

    Args:
        edge, rows, other, other_rows: as for `near`.
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


@_compiled
def _running(rows: Words, first: int, end: int, width: int) -> NDArray[np.int32]:
    """Set pixels left of every x, (rows, width + 1)."""
    counts = np.zeros((end - first, width + 1), np.int32)
    for y in range(end - first):
        for x in range(width):
            bit = (rows[first + y, 1 + x // 64] >> np.uint64(x % 64)) & _1
            counts[y, x + 1] = counts[y, x] + np.int32(bit)
    return counts


@_compiled
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
