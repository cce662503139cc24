"""Box prompts: what a grounder finds for each expression, as masks.

Source: the released SOLA code (`track_generation`): boxes of every fourth frame above a score,
each segmented by SAM2's single-mask token, kept if its low-resolution mask is stable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import pack
from rvosbench.records import Frame, Sample
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.prompts import Prompt, largest_first, prompt_of

if TYPE_CHECKING:
    from rvosbench.models.grounding_dino.detector import Detections


class Grounder(Protocol):
    """Finds boxes for sentences in one frame; see `rvosbench.models.grounding_dino.detector`."""

    def detect(
        self, frame: Frame, texts: Sequence[str], *, box_threshold: float, text_threshold: float
    ) -> Sequence[Detections]:
        """One answer a text, in their order, each independent of the other texts."""


def box_prompts(
    follower: Follower, grounder: Grounder, sample: Sample, config: TrackConfig
) -> dict[str, list[Prompt]]:
    """Box prompts of every expression, largest first.

    Args:
        follower: segments boxes with features it shares with everything else.
        grounder: looks at every distinct sentence once a frame.
        sample: the video and its expressions.
        config: which frames, and thresholds.

    Returns:
        Expression id -> prompts of all box frames; an expression may have none.
    """
    texts = {e.id: e.text for e in sample.expressions}
    distinct = list(dict.fromkeys(texts.values()))
    found: dict[str, list[Prompt]] = {text: [] for text in distinct}
    for frame in config.box_frames(len(sample.video)) if distinct else ():
        detections = grounder.detect(
            sample.video.read(frame),
            distinct,
            box_threshold=config.box_threshold,
            text_threshold=config.text_threshold,
        )
        segmenter = BoxSegmenter(follower, config.box_stability, config.stability_offset)
        for text, kept in zip(distinct, segmenter.prompts(frame, detections), strict=True):
            found[text] += kept
    return {i: largest_first(found[text]) for i, text in texts.items()}


class BoxSegmenter:
    """Masks of boxes by SAM2's single-mask token; equal boxes of a frame are segmented once.

    Args:
        follower: its network and the features of its frames are used.
        stability: least IoU of a low-resolution mask with itself when the logit threshold moves by
            `offset` either way; 0 keeps all.
        offset: in logits.
    """

    def __init__(self, follower: Follower, stability: float = 0.0, offset: float = 1.0) -> None:
        self._follower, self._stability, self._offset = follower, stability, offset

    def prompts(self, frame: int, detections: Sequence[Detections]) -> list[list[Prompt]]:
        """A prompt for every box with a stable mask, one list a sentence, in the boxes' order.

        Args:
            frame: index of the frame.
            detections: of the sentences, in that frame; may be empty.
        """
        known = self._segmented(frame, [d.boxes for d in detections])
        return [
            [
                replace(prompt, score=float(score), place=tuple(map(float, box)))
                for box, score in zip(d.boxes, d.scores, strict=True)
                if (prompt := known.get(box.tobytes())) is not None
            ]
            for d in detections
        ]

    def _segmented(self, frame: int, boxes: Sequence[NDArray[np.float64]]) -> dict[bytes, Prompt]:
        """The bytes of a box -> its mask; boxes without a stable mask are left out."""
        distinct = {box.tobytes(): box for many in boxes for box in many}
        if not distinct:
            return {}
        from rvosbench.tracks.grid import stability

        follower, size = self._follower, self._follower.video.size
        found = follower.sam2.segment(
            follower.features(frame),
            frame_size=size,
            boxes=np.stack(list(distinct.values())),
            multimask=False,
            batch_size=follower.batch_size,
        )
        good = stability(found.logits[:, 0].float(), self._offset) >= self._stability
        masks = {}
        for key, logits, keep in zip(distinct, found.logits[:, 0], good.tolist(), strict=True):
            if keep:
                shown = follower.sam2.upscale(logits, size).cpu().numpy()
                masks[key] = prompt_of(frame, pack(shown), size[1])
        return masks
