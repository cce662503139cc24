"""Prompts: masks in one frame that may become tracks, and which of them do.

The largest becomes a track first, unless a track already made shows the same. The order of
decisions is that of the released code: a group of prompts of one frame is admitted and propagated,
then every prompt that overlaps one of the new tracks in its own frame is dropped. Nothing here
depends on how many objects are computed together: `Admission.next` only gathers the groups whose
admission is certain before any of them is propagated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from rvosbench.masks import BoolArray, MaskSequence, Words, popcount
from rvosbench.records import Track

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


@dataclass(frozen=True)
class Rules:
    """How prompts are admitted.

    Attributes:
        threshold: a prompt with a greater IoU with a track in its own frame is dropped.
        group: prompts admitted together do not filter each other.
        limit: most tracks.
        neighbours: a group ends at the first open prompt of another frame, and is halved near the
            limit, as the released code does for boxes; otherwise such prompts are passed over.
    """

    threshold: float
    group: int
    limit: int
    neighbours: bool = False

    def room(self, made: int) -> int:
        """Most prompts of the next group, when there are `made` tracks already."""
        left = self.limit - made
        if self.neighbours and self.group > 1:  # the released code counts a group's prompts twice
            left = -(-left // 2)
        return min(self.group, left)


@dataclass
class Admission:
    """One list of prompts while it is decided.

    Attributes:
        prompts: in the order they are tried.
        rules: how.
    """

    prompts: Sequence[Prompt]
    rules: Rules
    made: int = 0
    _open: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._open = list(range(len(self.prompts)))

    def next(self, shown: Callable[[Sequence[Prompt]], Sequence[bytes]]) -> list[Prompt]:
        """Prompts of one frame that are certain to become tracks; empty: there are no more.

        They count as made. Their tracks are to be given to `drop` before the next call. `shown`
        gives compressed counts of prompts of one frame as the tracker shows them in that frame.
        """
        admitted: list[Prompt] = []
        while self._open and self.rules.room(self.made) > 0:
            first = self.prompts[self._open[0]]
            # What other frames show of the admitted ones is not known before they are propagated.
            if admitted and (self.rules.neighbours or first.frame != admitted[0].frame):
                break
            group = list(self._group(first.frame))
            self._open = [i for i in self._open if i not in set(group)]
            self.made += len(group)
            chosen = [self.prompts[i] for i in group]
            admitted += chosen
            if not self.rules.neighbours and self._rivals(first.frame):
                for counts in shown(chosen):
                    self._drop(counts, first.frame)
        return admitted

    def drop(self, masks: Callable[[int], bytes]) -> None:
        """Drop the open prompts that a new track shows; `masks`: frame -> compressed counts."""
        for frame in sorted({self.prompts[i].frame for i in self._open}):
            self._drop(masks(frame), frame)

    def _group(self, frame: int) -> Iterator[int]:
        room = self.rules.room(self.made)
        for index in self._open:
            if self.prompts[index].frame == frame:
                room -= 1
                yield index
            elif self.rules.neighbours:
                return
            if not room:
                return

    def _drop(self, counts: bytes, frame: int) -> None:
        rivals = self._rivals(frame)
        if not rivals:
            return
        others = [self.prompts[i].counts for i in rivals]
        found = overlaps(counts, others, self.prompts[rivals[0]].size) > self.rules.threshold
        gone = {i for i, same in zip(rivals, found, strict=True) if same}
        self._open = [i for i in self._open if i not in gone]

    def _rivals(self, frame: int) -> list[int]:
        return [i for i in self._open if self.prompts[i].frame == frame]


def shown_by(track: Track) -> Callable[[int], bytes]:
    """Compressed counts of a track's mask in a frame."""
    return lambda frame: str(track.masks.rle(frame)["counts"]).encode("ascii")
