"""Image features of one video, computed once a frame and shared by everything that asks."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from rvosbench.records import Video

if TYPE_CHECKING:
    from rvosbench.adapters.sam2 import Sam2
    from rvosbench.adapters.sam2_propagation import FrameFeatures

BUDGET = 2**30
"""Bytes of features kept by default; frames beyond are encoded again when asked for."""


class FrameFeatureCache:
    """Features by frame index, least recently used dropped beyond a budget.

    Args:
        sam2: encodes frames.
        video: is read one frame at a time.
        budget: bytes; at least one frame is always kept.
    """

    def __init__(self, sam2: Sam2, video: Video, budget: int = BUDGET) -> None:
        self._sam2, self._video = sam2, video
        self._budget = budget
        self._kept: OrderedDict[int, FrameFeatures] = OrderedDict()
        self.encoded = 0
        """Encoder passes so far: the number of frames, while the budget lasts."""

    def __call__(self, index: int) -> FrameFeatures:
        """Features of frame `index`."""
        if index not in self._kept:
            self._kept[index] = self._sam2.encode(self._video.read(index))
            self.encoded += 1
            while self._bytes() > self._budget and len(self._kept) > 1:
                self._kept.popitem(last=False)
        self._kept.move_to_end(index)
        return self._kept[index]

    def _bytes(self) -> int:
        one = next(iter(self._kept.values()))
        return len(self._kept) * sum(m.numel() * m.element_size() for m in one.maps)
