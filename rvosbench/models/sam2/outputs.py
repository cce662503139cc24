"""What SAM2 says of a frame: features, candidate masks of prompts, masks and tokens of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FrameFeatures:
    """Image features of one frame: three maps from high to low resolution.

    Attributes:
        maps: (B, D/8, S/4, S/4), (B, D/4, S/8, S/8), (B, D, S/16, S/16) with B either 1 (shared by
            all objects) or the number of objects (training, where objects come from many clips).
    """

    maps: tuple[Tensor, Tensor, Tensor]

    def rows(self, index: slice) -> FrameFeatures:
        """The features of some of the objects; shared features stay shared."""
        if self.maps[0].shape[0] == 1:
            return self
        high, middle, low = (level[index] for level in self.maps)
        return FrameFeatures((high, middle, low))


@dataclass(frozen=True)
class PromptOutput:
    """Candidate masks of B x P prompts.

    Attributes:
        logits: (B, P, 3 or 1, S/4, S/4), not suppressed when the prompt hits nothing (as in the
            original image predictor).
        iou: (B, P, 3 or 1) predicted quality, in [0, 1].
        presence: (B, P) logits of there being an object at all.
    """

    logits: Tensor
    iou: Tensor
    presence: Tensor


@dataclass(frozen=True)
class FrameOutput:
    """What the tracker says of N objects in one frame.

    Attributes:
        frame: index of the frame in the video.
        logits: (N, S/4, S/4) mask logits; those of an absent object are far below 0 everywhere.
        pointers: (N, D) object tokens.
        presence: (N,) logits; positive where the object is judged to be in the frame.
        raw_logits: (N, S/4, S/4) mask logits before absence is applied, for training.
    """

    frame: int
    logits: Tensor
    pointers: Tensor
    presence: Tensor
    raw_logits: Tensor
