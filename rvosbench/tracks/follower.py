"""From prompts to tracks: propagation in both directions, one compressed mask at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence, Rle, pack
from rvosbench.records import Track, Video
from rvosbench.tracks.config import Compute
from rvosbench.tracks.features import FrameFeatureCache
from rvosbench.tracks.prompts import Prompt, Source, counts_of

if TYPE_CHECKING:
    from torch import Tensor

    from rvosbench.models.sam2.tracker import Sam2


@dataclass(frozen=True, eq=False)
class Follower:
    """Tracks objects through one video; its frames are encoded once for all of them.

    Attributes:
        sam2: the frozen network.
        video: of at least one frame.
        features: of its frames.
        batch_size: objects that go through the video together; changes no result.
        step_size: of them, those computed together; changes no result.
    """

    sam2: Sam2
    video: Video
    features: FrameFeatureCache
    batch_size: int
    step_size: int

    @staticmethod
    def of(sam2: Sam2, video: Video, compute: Compute) -> Follower:
        """A follower that has not looked at the video yet."""
        features = FrameFeatureCache(sam2, video, compute)
        step_size = sam2.objects_within(compute.step_budget)
        return Follower(sam2, video, features, compute.batch_size, step_size)

    def shown(self, prompts: Sequence[Prompt]) -> list[bytes]:
        """Masks of prompts of one frame as the tracker shows them there: compressed counts."""
        frame, found = prompts[0].frame, []
        for start in range(0, len(prompts), self.batch_size):
            masks = _masks(prompts[start : start + self.batch_size])
            outputs = self.sam2.propagate(
                self.features, len(self.video), frame, masks, batch_size=self.step_size
            )
            found += [self._counts(logits) for logits in next(outputs).logits]
        return found

    def tracks(self, prompts: Sequence[Prompt], source: Source) -> list[Track]:
        """One track a prompt, all of one frame, in their order and without ids."""
        length, size = len(self.video), self.video.size
        masks: list[list[Rle | None]] = [[None] * length for _ in prompts]
        tokens = np.zeros((len(prompts), length, self.sam2.token_dim), np.float32)
        for start in range(0, len(prompts), self.batch_size):
            some = prompts[start : start + self.batch_size]
            for output in self.sam2.propagate(
                self.features, length, some[0].frame, _masks(some), batch_size=self.step_size
            ):
                pointers = output.pointers.float().cpu().numpy()
                tokens[start : start + len(some), output.frame] = pointers
                for row, logits in enumerate(output.logits, start):  # never N x H x W floats
                    counts = self._counts(logits)
                    masks[row][output.frame] = {"size": list(size), "counts": counts}
        return [
            Track(
                id="",
                masks=MaskSequence.from_rle(masks[row], size),
                score=prompt.score,
                tokens=tokens[row],
                source=source,
                prompt_frame=prompt.frame,
                prompt=prompt.place,
            )
            for row, prompt in enumerate(prompts)
        ]

    def _counts(self, logits: Tensor) -> bytes:
        """A mask at the frame's size, compressed."""
        size = self.video.size
        mask = self.sam2.upscale(logits, size).cpu().numpy()
        return counts_of(pack(mask), size[1])


def _masks(prompts: Sequence[Prompt]) -> NDArray[np.bool_]:
    return np.stack([prompt.mask() for prompt in prompts])
