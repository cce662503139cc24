"""The packed-bit core: six exact integers of a mask pair from 64-pixel words.

A mask is (H, ceil(W / 64)) uint64, pixel x of a row is bit x % 64 of word x // 64, and bits beyond
the width are zero (see `rvosbench.masks.pack`). Areas are popcounts. A boundary comes from shifts
and xors of words. To match boundaries within a disk, the rows of the disk with equal half-width
are OR-ed and widened together, most pixels find their partner in the first of these steps, and
the search ends as soon as every pixel of a word has found one.

Importing this module imports numba but compiles nothing; a function is compiled when first called
and kept in numba's cache on disk. Callers must pass C-contiguous arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words: TypeAlias = "NDArray[np.uint64]"
    Integers: TypeAlias = "NDArray[np.int64]"

_Function = TypeVar("_Function", bound=Callable[..., object])

WIDEST = 63
"""Largest radius that the word-wise search covers: a disk may touch the two words beside only."""

# Typed constants: numba turns a mix of uint64 and a Python integer into a float.
_0, _1, _2, _4, _56 = (np.uint64(n) for n in (0, 1, 2, 4, 56))
_63, _64 = np.uint64(63), np.uint64(64)
_ONES, _PAIRS, _NIBBLES, _BYTES = (
    np.uint64(n)
    for n in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


def _compiled(function: _Function) -> _Function:
    return cast(_Function, numba.njit(cache=True, nogil=True, boundscheck=False)(function))


@_compiled
def bits(word: np.uint64) -> np.uint64:
    """Set bits of a word; the compiler knows this pattern and emits one instruction for it."""
    word = word - ((word >> _1) & _ONES)
    word = (word & _PAIRS) + ((word >> _2) & _PAIRS)
    word = (word + (word >> _4)) & _NIBBLES
    return (word * _BYTES) >> _56


@_compiled
def region(p: Words, t: Words) -> tuple[int, int]:
    """(intersection, union) of two masks in pixels."""
    both, either = _0, _0
    for y in range(p.shape[0]):
        for x in range(p.shape[1]):
            both += bits(p[y, x] & t[y, x])
            either += bits(p[y, x] | t[y, x])
    return int(both), int(either)


@_compiled
def outline(mask: Words, width: int) -> tuple[Words, int, int, int]:
    """Boundary of a mask: pixels that differ from their right, lower or lower right neighbour.

    Returns:
        The boundary with a word of zeros at both ends of every row, (H, words + 2); its first row
        and the row after its last (equal if there is none); its number of pixels.
    """
    height, words = mask.shape
    edge = np.zeros((height, words + 2), np.uint64)
    last = np.uint64((width - 1) % 64)
    inside = ~(_1 << last)  # every pixel of the last word that has a right neighbour
    top, bottom, total = height, 0, _0
    for y in range(height):
        here, below = mask[y], mask[min(y + 1, height - 1)]
        found = _0
        for x in range(words - 1):
            a, b = here[x], below[x]
            right = (a >> _1) | (here[x + 1] << _63)
            corner = (b >> _1) | (below[x + 1] << _63)
            e = (a ^ b) | (a ^ right) | (a ^ corner)
            edge[y, x + 1] = e
            found += bits(e)
        a, b = here[words - 1], below[words - 1]
        e = (a ^ b) | (((a ^ (a >> _1)) | (a ^ (b >> _1))) & inside)
        edge[y, words] = e
        found += bits(e)
        if found:
            top, bottom = min(top, y), y + 1
            total += found
    return edge, min(top, bottom), bottom, int(total)


@_compiled
def _widened(left: np.uint64, mid: np.uint64, right: np.uint64, by: int) -> np.uint64:
    """The middle word of three after every bit has spread `by` < 64 pixels to both sides."""
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
def near(
    edge: Words, spans: tuple[int, int, int, int], other: Words, radius: int, steps: Integers
) -> int:
    """Pixels of one boundary within the disk around a pixel of another.

    Args:
        edge: boundary as `outline` gives it.
        spans: first row and row after the last of `edge`, then of `other`.
        other: the boundary to be met, likewise.
        steps: the disk, see `disk_steps`.
    """
    top, bottom, first, end = spans
    if top == bottom or first == end:
        return 0
    window = _window(other, first, end, radius)
    matched = _0
    for y in range(max(top, first - radius), min(bottom, end + radius)):
        row = window[y - first + radius]
        for x in range(1, edge.shape[1] - 1):
            wanted = edge[y, x]
            if wanted and (row[x - 1] | row[x] | row[x + 1]):
                wanted &= _widened(row[x - 1], row[x], row[x + 1], radius)
                if wanted:
                    missed = _missed(wanted, other, y, x, steps, first, end)
                    matched += bits(wanted) - bits(missed)
    return int(matched)


@_compiled
def _window(rows: Words, first: int, end: int, radius: int) -> Words:
    """OR of 2 x radius + 1 rows around y, at index y - first + radius, by doubling."""
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
        if steps[k, 0] == 0:
            left, mid, right = _0, _0, _0
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
