"""One mask as a PNG, in the forms that people submit.

Plain masks (one channel, 8 or 1 bit, not interlaced) are inflated by libdeflate where the package
`deflate` is installed and unfiltered straight to packed bits. Whatever is unusual or broken goes
to Pillow, which decides what it means: the fast way gives the same pixels or none.
"""

from __future__ import annotations

import importlib
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.errors import MaskError
from rvosbench.files.archives import Tree
from rvosbench.masks.sequence import MaskSequence, Words, pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONE_CHANNEL = frozenset({"1", "L", "P", "I", "I;16"})
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _PALETTE = 0, 3


def encode_mask(mask: NDArray[np.generic]) -> bytes:
    """(H, W), nonzero = foreground, as a gray PNG (mode L) of 0 and 255."""
    from PIL import Image

    file = io.BytesIO()
    pixels = np.where(mask.astype(bool, copy=False), 255, 0).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def decode_words(content: bytes, where: str, size: tuple[int, int]) -> Words:
    """A PNG as packed bits, (H, ceil(W / 64)) uint64.

    Gray (0/255, 0/1, 16 bit) and 1-bit images: nonzero is foreground. Palette images: index > 0,
    whatever the colours.

    Args:
        content: the file.
        where: what to call it in messages.
        size: the wanted (height, width).

    Raises:
        MaskError: not a readable PNG, more than one channel, or another size.
    """
    words = _plain(content, size)
    return pack(read_values(content, where, size)) if words is None else words


def read_values(
    content: bytes, where: str, size: tuple[int, int] | None = None
) -> NDArray[np.generic]:
    """The values of a PNG with one channel, (H, W): gray values or palette indices, by Pillow.

    Args and errors: as for `decode_words`; without `size` any size will do.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            mode, (width, height) = image.mode, image.size
            if mode not in _ONE_CHANNEL:
                raise MaskError(
                    f"{where}: a colour image ({mode}), wanted one channel: gray, 1-bit, or a "
                    "palette whose index counts (0 = background). Was it saved again by an image "
                    "editor?"
                )
            if size is not None and (height, width) != size:
                raise MaskError(
                    f"{where}: got {height}x{width}, wanted {size[0]}x{size[1]} "
                    "(height x width): masks have the size of the video's frames"
                )
            return np.array(image)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise MaskError(f"{where}: not a readable PNG ({error}); write the file again") from error


def frame_files(tree: Tree, folder: str | None, names: Sequence[str]) -> tuple[str | None, ...]:
    """The PNG of every frame in a folder of a tree; None where there is none."""
    if folder is None:
        return (None,) * len(names)
    there = {name[:-4]: name for name in tree.files(folder) if name.lower().endswith(".png")}
    prefix = f"{folder}/" if folder else ""
    return tuple(prefix + there[name] if name in there else None for name in names)


def png_masks(tree: Tree, names: Sequence[str | None], size: tuple[int, int]) -> MaskSequence:
    """One mask a file, decoded whenever it is read; None is an empty mask.

    What `decode_words` raises, and FileError, comes when the mask is read.
    """
    return MaskSequence.from_reader(partial(_read, tree, tuple(names), size), len(names), size)


def _read(tree: Tree, names: Sequence[str | None], size: tuple[int, int], index: int) -> Words:
    name = names[index]
    if name is None:
        return MaskSequence.empty(1, size).words(0)
    return decode_words(tree.read(name), f"{tree.path}: {name}", size)


def _plain(content: bytes, size: tuple[int, int]) -> Words | None:
    """The packed bits of a plain mask of that size; None for anything else."""
    from rvosbench.masks import scanlines

    chunks = _chunks(content)
    if chunks is None:
        return None
    (width, height, depth, colour, *methods), compressed = chunks
    plain = not any(methods) and colour in (_GRAY, _PALETTE) and depth in (1, 8)
    if (height, width) != size or not plain:
        return None
    length = 1 + -(-width * depth // 8)
    rows = _inflated(compressed, height * length)
    if rows is None:
        return None
    words = np.empty((height, -(-width // 64)), np.uint64)
    table = np.frombuffer(rows, np.uint8).reshape(height, length)
    return words if scanlines.packed_rows(table, words, width, depth) else None


def _chunks(content: bytes) -> tuple[tuple[int, ...], bytes] | None:
    """The fields of a PNG's header and its compressed pixels, every checksum verified."""
    if content[:8] != _SIGNATURE or content[12:16] != b"IHDR":
        return None
    header: tuple[int, ...] = ()
    parts, at, view = [], 8, memoryview(content)
    while at + 12 <= len(content):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        kind = content[at + 4 : at + 8]
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return None
        if kind == b"IHDR" and length == 13:
            header = struct.unpack(">IIBBBBB", view[at + 8 : end])
        elif kind == b"IDAT":
            parts.append(view[at + 8 : end])
        elif kind == b"IEND":
            return (header, b"".join(parts)) if header and parts else None
        at = end + 4
    return None


def _inflated(compressed: bytes, size: int) -> bytes | None:
    """`size` decompressed bytes, or None if it is another number or an error."""
    inflate, errors = _inflater()
    try:
        rows = inflate(compressed, size)
    except errors:
        return None
    return rows if len(rows) == size else None


@lru_cache(maxsize=1)
def _inflater() -> tuple[Callable[[bytes, int], bytes], tuple[type[Exception], ...]]:
    """Libdeflate's inflater if it is installed, else zlib's; and what each raises on bad input."""
    try:
        fast = importlib.import_module("deflate")
    except ImportError:
        return _zlib, (zlib.error,)
    return fast.zlib_decompress, (fast.DeflateError, ValueError)


def _zlib(compressed: bytes, size: int) -> bytes:
    return zlib.decompress(compressed, bufsize=size)
