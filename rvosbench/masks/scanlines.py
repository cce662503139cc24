"""Decompressed PNG rows straight to packed bits.

A PNG stores every row as differences by one of five filters. Masks are runs of equal pixels, so
most differences are zero: rows and groups of eight pixels without difference are copied, not
computed. What remains follows the PNG specification, section 9 (filtering).
"""

from __future__ import annotations

import numpy as np

from rvosbench.masks.bits import Octets, Words, compiled, nonzero64

_0, _1 = np.uint64(0), np.uint64(1)
_EACH = np.uint64(0x0101010101010101)
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


@compiled
def packed_rows(rows: Octets, words: Words, width: int, depth: int) -> bool:
    """Undo the filters of all rows and pack which pixels are not 0.

    Args:
        rows: (H, 1 + bytes) of an image with one channel: a filter and the filtered bytes.
        words: (H, ceil(width / 64)), written.
        width: pixels a row.
        depth: 8 or 1 bits a pixel.

    Returns:
        False if a filter is unknown.
    """
    length = rows.shape[1] - 1
    groups = 8 * words.shape[1] if depth == 8 else -(-length // 8)
    raw, row, above = np.zeros((3, groups), np.uint64)
    blank = True  # whether `above` is all zero
    for y in range(rows.shape[0]):
        kind = rows[y, 0]
        if kind > _PAETH:
            return False
        if not _loaded(rows[y], raw):
            if kind == _UP and y:
                words[y] = words[y - 1]
                continue
            if blank or kind in (_NONE, _SUB):
                words[y] = _0
                if not blank:
                    above[:] = _0
                    blank = True
                continue
        _unfilter(kind, raw, row, above)
        _pack(row, words[y], length, width, depth)
        row, above = above, row
        blank = False
    return True


@compiled
def _loaded(row: Octets, raw: Words) -> bool:
    """Copy a row without its filter into groups of eight; whether anything is not zero."""
    octets, found = raw.view(np.uint8), _0
    for x in range(row.size - 1):
        octets[x] = row[x + 1]
    for group in range(raw.size):
        found |= raw[group]
    return bool(found != _0)


@compiled
def _unfilter(kind: int, raw: Words, row: Words, above: Words) -> None:
    """One row of bytes in groups of eight; the bytes after the last pixel are zero in `raw`."""
    if kind == _NONE:
        row[:] = raw
    elif kind == _UP:
        source, out, up = raw.view(np.uint8), row.view(np.uint8), above.view(np.uint8)
        for x in range(out.size):
            out[x] = source[x] + up[x]
    elif kind == _SUB:
        _undo_sub(raw, row)
    else:
        _undo_mixed(kind, raw, row, above)


@compiled
def _undo_sub(raw: Words, row: Words) -> None:
    source, out, left = raw.view(np.uint8), row.view(np.uint8), np.uint8(0)
    for group in range(raw.size):
        if raw[group] == _0:
            row[group] = np.uint64(left) * _EACH
        else:
            for x in range(8 * group, 8 * group + 8):
                left = np.uint8(left + source[x])
                out[x] = left


@compiled
def _undo_mixed(kind: int, raw: Words, row: Words, above: Words) -> None:
    source, out, up = raw.view(np.uint8), row.view(np.uint8), above.view(np.uint8)
    left, corner = np.uint8(0), np.uint8(0)
    for group in range(raw.size):
        if kind == _PAETH and raw[group] == _0 and above[group] == np.uint64(corner) * _EACH:
            row[group] = np.uint64(left) * _EACH  # up equals corner, so left predicts best
        else:
            for x in range(8 * group, 8 * group + 8):
                if kind == _PAETH:
                    left = np.uint8(source[x] + _predicted(left, up[x], corner))
                else:
                    left = np.uint8(source[x] + ((np.int64(left) + np.int64(up[x])) >> 1))
                corner = up[x]
                out[x] = left


@compiled
def _predicted(left: np.uint8, up: np.uint8, corner: np.uint8) -> np.uint8:
    """Paeth's choice: the neighbour nearest to left + up - corner; ties in that order."""
    a, b, c = np.int64(left), np.int64(up), np.int64(corner)
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - c - c)
    if to_a <= to_b and to_a <= to_c:
        return left
    return up if to_b <= to_c else corner


@compiled
def _pack(row: Words, words: Words, length: int, width: int, depth: int) -> None:
    """Bits of a row: whether each byte is not 0, or the bits of 1-bit pixels, first pixel low."""
    octets = row.view(np.uint8)
    if depth == 8:
        for x in range(words.size):
            words[x] = nonzero64(octets, 64 * x)
    else:
        words[:] = _0
        for k in range(length):
            words[k // 8] |= _reversed(octets[k]) << np.uint64(8 * (k % 8))
    spare = 64 * words.size - width
    if spare:
        words[-1] &= ~_0 >> np.uint64(spare)


@compiled
def _reversed(octet: np.uint8) -> np.uint64:
    """The bits of a byte in reverse order: PNG puts the first pixel in the highest bit."""
    found = _0
    for k in range(8):
        found |= (np.uint64(octet) >> np.uint64(k) & _1) << np.uint64(7 - k)
    return found
