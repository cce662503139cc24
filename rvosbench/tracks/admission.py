"""Which prompts become tracks: the largest first, unless a track already made shows the same.

The order of decisions is that of the released code: a group of prompts of one frame is admitted
and propagated, then every prompt that overlaps one of the new tracks in its own frame is dropped.
Nothing here depends on how many objects are computed together: `Admission.next` only gathers the
groups whose admission is certain before any of them is propagated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rvosbench.records import Track
from rvosbench.tracks.prompts import Prompt, overlaps

Shown = Callable[[Sequence[Prompt]], Sequence[bytes]]
"""Compressed counts of prompts of one frame as the tracker shows them in that frame."""


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

    def next(self, shown: Shown) -> list[Prompt]:
        """Prompts of one frame that are certain to become tracks; empty: there are no more.

        They count as made. Their tracks are to be given to `drop` before the next call.
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
