"""Box prompts: what a grounder finds for each expression, as masks; and tracks of them.

Every expression is filtered as if it were alone; a box prompt whose mask another expression has
too is tracked once.

Source: the released SOLA code (`track_generation`): boxes of every fourth frame above a score,
each segmented by SAM2's single-mask token, kept if its low-resolution mask is stable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rvosbench.masks import pack
from rvosbench.records import Frame, Sample, Track
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.grid import stability
from rvosbench.tracks.prompts import Admission, Prompt, Rules, largest_first, prompt_of, shown_by

if TYPE_CHECKING:
    from rvosbench.models.grounding_dino.detector import Detections


class Grounder(Protocol):
    """Finds boxes for expressions in one frame; see `rvosbench.models.grounding_dino.detector`."""

    def detect(
        self, frame: Frame, texts: Sequence[str], *, box_threshold: float, text_threshold: float
    ) -> Sequence[Detections]:
        """Boxes of each text, in their order, each independent of the other texts."""


def box_prompts(
    follower: Follower, grounder: Grounder, sample: Sample, config: TrackConfig
) -> dict[str, list[Prompt]]:
    """Box prompts of every expression of a video, by its id, largest first; there may be none.

    The grounder looks at every distinct text once a frame.
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
        how = (config.box_stability, config.stability_offset)
        prompts = segmented(follower, frame, detections, *how)
        for text, kept in zip(distinct, prompts, strict=True):
            found[text] += kept
    return {i: largest_first(found[text]) for i, text in texts.items()}


def box_tracks(
    follower: Follower,
    prompts: Mapping[str, Sequence[Prompt]],
    config: TrackConfig,
    grid: Sequence[Track] = (),
) -> list[Track]:
    """Filter the prompts of every expression and track the rest together; tracks have no ids yet.

    Args:
        follower: of the video.
        prompts: expression id -> its prompts, largest first.
        config: filters.
        grid: grid tracks, which filter box prompts if the configuration says so.
    """
    group = config.group(len(follower.video))
    rules = Rules(config.iou_filter, group, config.max_box_tracks, neighbours=True)
    waiting = {expression: Admission(many, rules) for expression, many in prompts.items()}
    for admission in waiting.values():
        for track in grid if config.grid_filters_boxes else ():
            admission.drop(shown_by(track))
    pool = _Pool()
    while wanted := {e: chosen for e, a in waiting.items() if (chosen := a.next(follower.shown))}:
        for fresh in pool.fresh(wanted):
            made = follower.tracks(fresh, "box")
            pool.tracks.update(zip([prompt.key for prompt in fresh], made, strict=True))
        for expression, admitted in wanted.items():
            for prompt in admitted:
                waiting[expression].drop(shown_by(pool.tracks[prompt.key]))
    everyone = config.candidate_pool == "video"
    return list(pool.tracks.values()) if everyone else pool.for_each()


def segmented(
    follower: Follower,
    frame: int,
    detections: Sequence[Detections],
    stable: float = 0.0,
    offset: float = 1.0,
) -> list[list[Prompt]]:
    """Masks of boxes by SAM2's single-mask token; equal boxes of a frame are segmented once.

    Args:
        follower: its network and the features of its frames are used.
        frame: index of the frame.
        detections: of the expressions, in that frame; may be empty.
        stable: least IoU of a low-resolution mask with itself when the logit threshold moves by
            `offset` either way; 0 keeps all.
        offset: in logits.

    Returns:
        A prompt for every box with a stable mask, one list an expression, in the boxes' order.
    """
    distinct = {box.tobytes(): box for d in detections for box in d.boxes}
    if not distinct:
        return [[] for _ in detections]
    size, masks = follower.video.size, {}
    found = follower.sam2.segment(
        follower.features(frame),
        frame_size=size,
        boxes=np.stack(list(distinct.values())),
        multimask=False,
        batch_size=follower.batch_size,
    )
    good = stability(found.logits[:, 0].float(), offset) >= stable
    for key, logits, keep in zip(distinct, found.logits[:, 0], good.tolist(), strict=True):
        if keep:
            shown = follower.sam2.upscale(logits, size).cpu().numpy()
            masks[key] = prompt_of(frame, pack(shown), size[1])
    return [
        [
            replace(masks[box.tobytes()], score=float(score), place=tuple(map(float, box)))
            for box, score in zip(d.boxes, d.scores, strict=True)
            if box.tobytes() in masks
        ]
        for d in detections
    ]


@dataclass
class _Pool:
    """Box tracks of all expressions: equal masks are tracked once, whoever asked for them."""

    tracks: dict[tuple[int, bytes], Track] = field(default_factory=dict)
    users: dict[Prompt, list[str]] = field(default_factory=dict)

    def fresh(self, wanted: Mapping[str, Sequence[Prompt]]) -> list[list[Prompt]]:
        """Of the prompts that expressions want those whose tracks are yet to be made, by frame."""
        fresh: dict[int, dict[tuple[int, bytes], Prompt]] = {}
        for expression, prompts in wanted.items():
            for prompt in prompts:
                self.users.setdefault(prompt, []).append(expression)
                if prompt.key not in self.tracks:
                    fresh.setdefault(prompt.frame, {}).setdefault(prompt.key, prompt)
        return [list(fresh[frame].values()) for frame in sorted(fresh)]

    def for_each(self) -> list[Track]:
        """Tracks for the expressions whose prompts they are.

        Prompts of one mask but different boxes or scores are rows of their own, as they would be
        if each expression had been alone; masks and tokens in memory are shared.
        """
        return [
            replace(
                self.tracks[prompt.key],
                score=prompt.score,
                prompt=prompt.place,
                candidates=frozenset(users),
            )
            for prompt, users in self.users.items()
        ]
