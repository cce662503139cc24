"""A prompt: a mask in one frame that may become a track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rvosbench.masks import BoolArray, MaskSequence, Words, popcount

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source = Literal["grid", "box", "truth"]


@dataclass(frozen=True)
class Prompt:
    """A mask, kept as run lengths: a video can have thousands of prompts.

    Attributes:
        frame: index of the prompted frame.
        size: (height, width) in pixels.
        counts: compressed COCO counts.
        area: pixels of the mask.
        score: quality in [0, 1]: predicted IoU of a grid prompt, score of a box.
        place: the point (x, y) or box (x0, y0, x1, y1) in pixels; empty for a truth mask.
    """

    frame: int
    size: tuple[int, int]
    counts: bytes
    area: int
    score: float = 1.0
    place: tuple[float, ...] = ()

    @property
    def key(self) -> tuple[int, bytes]:
        """Prompts with the same key have the same track."""
        return self.frame, self.counts

    def mask(self) -> BoolArray:
        """The mask, (H, W)."""
        rle = {"size": list(self.size), "counts": self.counts}
        return MaskSequence.from_rle([rle], self.size).frame(0)  # type: ignore[list-item]


def prompt_of(
    frame: int, packed: Words, width: int, score: float = 1.0, place: Iterable[float] = ()
) -> Prompt:
    """A prompt from a packed mask, see `rvosbench.masks.pack`."""
    size, counts = (len(packed), width), counts_of(packed, width)
    return Prompt(frame, size, counts, popcount(packed), score, tuple(map(float, place)))


def counts_of(packed: Words, width: int) -> bytes:
    """Compressed COCO counts of a packed mask."""
    masks = MaskSequence.from_words([packed], (len(packed), width))
    return str(masks.rle(0)["counts"]).encode("ascii")


def overlaps(
    counts: bytes, others: Sequence[bytes], size: tuple[int, int], *, shares: bool = False
) -> NDArray[np.float64]:
    """IoU of one mask with many of the same size, (N,) in [0, 1]; two empty masks give 0.

    Args:
        counts: of the one, compressed.
        others: of the many.
        size: (height, width) of all.
        shares: the share of the one mask's pixels that lie in each, instead; empty gives 0.
    """
    from pycocotools import mask as coco

    if not others:
        return np.zeros(0)
    rles = [{"size": list(size), "counts": c} for c in (counts, *others)]
    table = coco.iou(rles[:1], rles[1:], [shares] * len(others))
    return np.asarray(table, np.float64).reshape(len(others))


def largest_first(prompts: Iterable[Prompt]) -> list[Prompt]:
    """By falling area, equal ones in their order; empty masks left out."""
    return sorted((p for p in prompts if p.area > 0), key=lambda p: -p.area)


def without_parts(prompts: Sequence[Prompt], share: float) -> list[Prompt]:
    """Drop masks that lie inside a larger one by more than `share` of their pixels.

    Args:
        prompts: of one frame, by falling area.
        share: in [0, 1]; 1 drops nothing.
    """
    kept: list[Prompt] = []
    for prompt in prompts:
        inside = overlaps(prompt.counts, [k.counts for k in kept], prompt.size, shares=True)
        if not (inside > share).any():
            kept.append(prompt)
    return kept
