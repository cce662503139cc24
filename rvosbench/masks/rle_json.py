"""COCO run lengths in JSON: a list with one `{"size": [h, w], "counts": "..."}`, or null, a frame.

In this form MeViS keeps its ground truth, and many methods write their predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rvosbench.config import Json
from rvosbench.errors import MaskError
from rvosbench.masks.sequence import MaskSequence, Rle


def read_rles(value: Json, length: int, where: str) -> list[Rle | None]:
    """A list of run lengths from JSON, checked; None is an empty mask.

    Args:
        value: what JSON holds.
        length: the wanted number of masks.
        where: what to call it in messages.

    Raises:
        MaskError: no list, of another length, or an entry that is neither RLE nor null.
    """
    if not isinstance(value, list):
        raise MaskError(
            f"{where}: wanted a list of RLE or null, one a frame; got {str(value)[:60]}"
        )
    if len(value) != length:
        raise MaskError(f"{where}: {len(value)} masks, wanted {length}: one (or null) a frame")
    return [_rle(entry, f"{where}: frame {frame}") for frame, entry in enumerate(value)]


def rle_masks(rles: Sequence[Rle | None], size: tuple[int, int], where: str) -> MaskSequence:
    """Run lengths as masks of `size`, decoded when they are read.

    Raises:
        MaskError: run lengths of another size.
    """
    try:
        return MaskSequence.from_rle(rles, size)
    except MaskError as error:
        raise MaskError(f"{where}: {error}: were the frames resized?") from error


def rle_size(sequences: Iterable[Sequence[Rle | None]]) -> tuple[int, int] | None:
    """(height, width) of the first mask; None if there is none."""
    first = next((rle for rles in sequences for rle in rles if rle is not None), None)
    return None if first is None else (first["size"][0], first["size"][1])


def _rle(entry: Json, where: str) -> Rle | None:
    if entry is None:
        return None
    if not isinstance(entry, dict) or "counts" not in entry or not _is_size(entry.get("size")):
        raise MaskError(
            f'{where} is {str(entry)[:60]}, wanted null or {{"size": [h, w], "counts": "..."}}'
        )
    return {"size": entry["size"], "counts": entry["counts"]}


def _is_size(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)
