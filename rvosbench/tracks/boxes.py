"""Box prompts: what a grounder finds for each expression, as masks.

Source: the released SOLA code (`track_generation`): boxes of every fourth frame above a score,
each segmented by SAM2's single-mask token, kept if its low-resolution mask is stable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import pack
from rvosbench.records import Frame, Sample
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.follow import Follower
from rvosbench.tracks.prompts import Prompt, largest_first, prompt_of

if TYPE_CHECKING:
    from rvosbench.adapters.grounding_dino import Detections


class Grounder(Protocol):
    """Finds boxes for sentences in one frame; see `rvosbench.adapters.grounding_dino`."""

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
        known = _Segmenter(follower, frame, config).prompts([d.boxes for d in detections])
        for text, d in zip(distinct, detections, strict=True):
            found[text] += _kept(known, d, frame)
    return {i: largest_first(found[text]) for i, text in texts.items()}


def _kept(known: Mapping[bytes, Prompt], found: Detections, frame: int) -> Iterable[Prompt]:
    for box, score in zip(found.boxes, found.scores, strict=True):
        prompt = known.get(box.tobytes())
        if prompt is not None:
            place = tuple(map(float, box))
            yield Prompt(frame, prompt.size, prompt.counts, prompt.area, float(score), place)


class _Segmenter:
    """Masks of the boxes of one frame; equal boxes are segmented once."""

    def __init__(self, follower: Follower, frame: int, config: TrackConfig) -> None:
        self._follower, self._frame, self._config = follower, frame, config

    def prompts(self, boxes: Sequence[NDArray[np.float64]]) -> dict[bytes, Prompt]:
        """The bytes of a box -> its mask; boxes without a stable mask are left out."""
        distinct = {box.tobytes(): box for many in boxes for box in many}
        if not distinct:
            return {}
        from rvosbench.tracks.grid import stability

        follower, size = self._follower, self._follower.video.size
        found = follower.sam2.segment(
            follower.features(self._frame),
            frame_size=size,
            boxes=np.stack(list(distinct.values())),
            multimask=False,
            batch_size=follower.batch_size,
        )
        stable = stability(found.logits[:, 0].float(), self._config.stability_offset)
        good = (stable >= self._config.box_stability).tolist()
        masks = {}
        for key, logits, keep in zip(distinct, found.logits[:, 0], good, strict=True):
            if keep:
                shown = follower.sam2.upscale(logits, size).cpu().numpy()
                masks[key] = prompt_of(self._frame, pack(shown), size[1])
        return masks
