"""A sequence of binary masks of one size: COCO RLE, packed bits or files behind one face.

RLE is for masks that live long (ground truth, finished tracks, caches, results): 64 tracks of 300
frames at 1080p fit in megabytes. Packed bits, one bit a pixel in 64-pixel words, are for work:
unions, areas and the metric kernel read them without unpacking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np

from rvosbench.errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BoolArray: TypeAlias = "NDArray[np.bool_]"
Words: TypeAlias = "NDArray[np.uint64]"

WORD = 64


class Rle(TypedDict):
    """COCO run lengths of one frame: `size` is [height, width], `counts` the compressed string."""

    size: list[int]
    counts: str | bytes | list[int]


@dataclass(frozen=True, eq=False)
class MaskSequence:
    """T binary masks of one (height, width).

    Build it with `from_arrays`, `from_rle`, `from_words`, `from_reader` or `empty`. Two sequences
    are equal when every pixel is equal, whatever the storage. T may be 0.

    What is kept of a frame is packed bits, compressed COCO counts (None if it is empty), or the
    number that a reader wants; `_read` makes packed bits of it.
    """

    height: int
    width: int
    _frames: tuple[Any, ...]
    _read: Callable[[Any], Words]

    @classmethod
    def from_arrays(
        cls, frames: Iterable[NDArray[np.generic]], size: tuple[int, int] | None = None
    ) -> MaskSequence:
        """Pack (H, W) arrays; any nonzero value is foreground. `size` is needed when T = 0."""
        packed = []
        for index, frame in enumerate(frames):
            size = size or _plane(frame, index)
            if _plane(frame, index) != size:
                raise MaskError(
                    f"mask {index} is {frame.shape[0]}x{frame.shape[1]}, "
                    f"the sequence is {size[0]}x{size[1]} (height x width)"
                )
            packed.append(pack(frame))
        if size is None:
            raise MaskError(
                "no frames and no size: pass size=(height, width) for an empty sequence"
            )
        return cls.from_words(packed, size)

    @classmethod
    def from_words(cls, frames: Sequence[Words], size: tuple[int, int]) -> MaskSequence:
        """Wrap packed frames: each (height, ceil(width / 64)) uint64, see `pack`."""
        return cls(*size, tuple(frames), np.asarray)

    @classmethod
    def from_reader(
        cls, read: Callable[[int], Words], length: int, size: tuple[int, int]
    ) -> MaskSequence:
        """`length` masks that are read whenever they are asked for, and not kept.

        Args:
            read: index -> packed bits of `size`, see `pack`; to be sent to another process it must
                be picklable.
            length: number of masks.
            size: (height, width) in pixels.
        """
        return cls(*size, tuple(range(length)), read)

    @classmethod
    def from_rle(cls, frames: Sequence[Rle | None], size: tuple[int, int]) -> MaskSequence:
        """Wrap COCO RLE, decoded only when read; None is an empty frame.

        Raises:
            MaskError: a frame's `size` is not `size`.
        """
        for index, rle in enumerate(frames):
            if rle is not None and tuple(rle["size"]) != size:
                raise MaskError(
                    f"RLE of frame {index} is {rle['size']}, wanted {list(size)} ([height, width])"
                )
        counts = tuple(None if r is None else _encoded(r) for r in frames)
        return cls(*size, counts, partial(_decoded, size))

    @classmethod
    def empty(cls, length: int, size: tuple[int, int]) -> MaskSequence:
        """`length` masks without any foreground."""
        return cls(*size, (None,) * length, partial(_decoded, size))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[BoolArray]:
        return (self.frame(i) for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MaskSequence):
            return NotImplemented
        if self.size != other.size or len(self) != len(other):
            return False
        return all(np.array_equal(self.words(i), other.words(i)) for i in range(len(self)))

    __hash__ = None  # type: ignore[assignment]

    def frame(self, index: int) -> BoolArray:
        """Frame `index` as a (H, W) bool array."""
        return unpack(self.words(index), self.width)

    def words(self, index: int) -> Words:
        """Frame `index` as packed bits, (H, ceil(W / 64)) uint64; padding bits are zero."""
        return self._read(self._frames[index])

    def rle(self, index: int) -> Rle:
        """Frame `index` as COCO RLE with a text `counts`, as JSON wants it."""
        counts = self._counts(index)
        if counts is None:
            counts = _encode(np.zeros(self.size, bool))
        return {"size": [self.height, self.width], "counts": counts.decode("ascii")}

    def areas(self) -> NDArray[np.int64]:
        """Foreground pixels of every frame, (T,)."""
        return np.array([popcount(self.words(i)) for i in range(len(self))], dtype=np.int64)

    def arrays(self) -> BoolArray:
        """All frames at once, (T, H, W) bool: T x H x W bytes."""
        return np.stack(list(self)) if len(self) else np.zeros((0, *self.size), bool)

    def compressed(self) -> MaskSequence:
        """The same masks held as RLE."""
        counts = tuple(self._counts(i) for i in range(len(self)))
        return MaskSequence(*self.size, counts, partial(_decoded, self.size))

    def packed(self) -> MaskSequence:
        """The same masks held as packed bits, T x H x W / 8 bytes."""
        return MaskSequence.from_words([self.words(i) for i in range(len(self))], self.size)

    def at(self, indices: Sequence[int]) -> MaskSequence:
        """The frames `indices`, in that order."""
        return MaskSequence(*self.size, tuple(self._frames[i] for i in indices), self._read)

    def _counts(self, index: int) -> bytes | None:
        """Compressed COCO counts; None for an empty frame."""
        frame = self._frames[index]
        if frame is None or isinstance(frame, bytes):
            return frame
        words = self.words(index)
        return _encode(unpack(words, self.width)) if words.any() else None


def union(masks: Sequence[MaskSequence], length: int, size: tuple[int, int]) -> MaskSequence:
    """Pixelwise OR of sequences, computed frame by frame when read; none gives empty masks.

    Raises:
        MaskError: a sequence is not `length` masks of `size`.
    """
    for m in masks:
        if len(m) != length or m.size != size:
            raise MaskError(f"cannot unite {len(m)} masks of {m.size} with {length} of {size}")
    if not masks:
        return MaskSequence.empty(length, size)
    if len(masks) == 1:
        return masks[0]
    return MaskSequence.from_reader(partial(_united, tuple(masks)), length, size)


def _united(masks: Sequence[MaskSequence], index: int) -> Words:
    words: Words = np.bitwise_or.reduce([m.words(index) for m in masks])
    return words


def pack(mask: NDArray[np.generic]) -> Words:
    """Pack (H, W), nonzero = foreground, to (H, ceil(W / 64)) uint64.

    Pixel x is bit x % 64 of word x // 64; padding bits are zero.
    """
    if mask.dtype not in (np.bool_, np.uint8):
        mask = mask.astype(bool)
    octets = np.packbits(mask.view(np.uint8), axis=1, bitorder="little")
    words = np.zeros((mask.shape[0], -(-mask.shape[1] // WORD)), "<u8")
    words.view(np.uint8)[:, : octets.shape[1]] = octets
    return words.astype(np.uint64, copy=False)


def unpack(words: Words, width: int) -> BoolArray:
    """Inverse of `pack`: (H, ceil(width / 64)) uint64 -> (H, width) bool."""
    octets = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=width, bitorder="little").view(np.bool_)


def popcount(words: Words) -> int:
    """Number of set bits."""
    return int(_BITS[np.ascontiguousarray(words).view(np.uint8)].sum(dtype=np.int64))


_BITS = np.array([bin(i).count("1") for i in range(256)], dtype=np.uint8)


def _decoded(size: tuple[int, int], counts: bytes | None) -> Words:
    from rvosbench.masks.rle import decode

    return decode(counts or b"", size)


def _encode(mask: BoolArray) -> bytes:
    from pycocotools import mask as coco

    counts: bytes = coco.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"]
    return counts


def _encoded(rle: Rle) -> bytes:
    """Compressed counts of an RLE; uncompressed counts (a list of run lengths) are accepted."""
    from pycocotools import mask as coco

    counts = rle["counts"]
    if isinstance(counts, list):
        packed: bytes = coco.frPyObjects(rle, *rle["size"])["counts"]
        return packed
    return counts if isinstance(counts, bytes) else counts.encode("ascii")


def _plane(frame: NDArray[np.generic], index: int) -> tuple[int, int]:
    if frame.ndim != 2:
        raise MaskError(f"mask {index} has shape {frame.shape}, wanted (height, width)")
    return frame.shape[0], frame.shape[1]
