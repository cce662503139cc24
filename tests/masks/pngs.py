"""A plain PNG writer with any filter on any row, to test our reader."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GRAY, PALETTE = 0, 3


def png(
    image: NDArray[np.uint8], depth: int, colour: int, filters: Sequence[int], interlace: int = 0
) -> bytes:
    """(H, W) values as a PNG of 8 or 1 bits a pixel; `filters` has one of 0 to 4 for every row."""
    rows = np.packbits(image > 0, axis=1) if depth == 1 else image
    above = np.zeros(rows.shape[1], np.int64)
    data = b""
    for row, kind in zip(rows.astype(np.int64), filters, strict=True):
        data += bytes([kind]) + filtered(kind, row, above).astype(np.uint8).tobytes()
        above = row
    packed = zlib.compress(data)
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], depth, colour, 0, 0, interlace)
    parts = [chunk(b"IHDR", header)]
    if colour == PALETTE:
        parts.append(chunk(b"PLTE", bytes(3 * 2**depth)))
    parts += [chunk(b"IDAT", packed[i : i + 50]) for i in range(0, len(packed), 50)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def filtered(kind: int, row: NDArray[np.int64], above: NDArray[np.int64]) -> NDArray[np.int64]:
    left, corner = (np.concatenate([[0], r[:-1]]) for r in (row, above))
    guess = left + above - corner
    a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
    paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
    return (row - (0 * row, left, above, (left + above) // 2, paeth)[kind]) % 256


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
