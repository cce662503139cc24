"""Candidate mask tracks of one video: prompts, filtering, propagation in both directions.

Prompts of a frame are admitted before anything is propagated, so the set of tracks depends on the
configuration alone and never on how many objects are computed together.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection"
(SOLA), section 3.3, and the released code where it says more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.masks import BoolArray, MaskSequence, Rle
from rvosbench.records import Track, Video
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.features import FrameFeatureCache
from rvosbench.tracks.filters import admit
from rvosbench.tracks.grid import GridPrompts, grid_prompts

if TYPE_CHECKING:
    from rvosbench.adapters.sam2 import Sam2


def generate_tracks(sam2: Sam2, video: Video, config: TrackConfig) -> tuple[Track, ...]:
    """Candidate tracks of a video, in the order they were made; may be empty.

    Args:
        sam2: the frozen network.
        video: of at least one frame.
        config: prompts and filters.
    """
    features = FrameFeatureCache(sam2, video)
    tracks: list[Track] = []
    for frame in config.prompt_frames(len(video)):
        if len(tracks) >= config.max_grid_tracks:
            break
        prompts = grid_prompts(sam2, features(frame), video.size, config)
        shown = _as_tracked(sam2, features, video, frame, prompts.masks)
        finished = [track.masks.frame(frame) for track in tracks]
        group, limit = config.group(len(video)), config.max_grid_tracks
        admitted = admit(shown, finished, config.iou_filter, group, limit)
        tracks += _propagate(sam2, features, video, prompts, admitted, frame, len(tracks))
    return tuple(tracks)


def truth_tracks(sam2: Sam2, video: Video, frame: int, masks: BoolArray) -> tuple[Track, ...]:
    """Tracks of given masks (N, H, W) of one frame: used in training, never in evaluation."""
    features = FrameFeatureCache(sam2, video)
    prompts = GridPrompts(masks, np.ones(len(masks)), np.zeros((len(masks), 0)))
    chosen = [i for i in range(len(masks)) if masks[i].any()]
    return tuple(_propagate(sam2, features, video, prompts, chosen, frame, 0, source="truth"))


def _as_tracked(
    sam2: Sam2, features: FrameFeatureCache, video: Video, frame: int, prompts: BoolArray
) -> BoolArray:
    """Prompts (N, H, W) as the tracker shows them in their own frame, at its resolution."""
    if not len(prompts):
        return prompts
    first = next(sam2.propagate(features, len(video), frame, prompts))
    shown: BoolArray = sam2.upscale(first.logits, video.size).cpu().numpy()
    return shown


def _propagate(  # noqa: PLR0913 - a track is made of all of these
    sam2: Sam2,
    features: FrameFeatureCache,
    video: Video,
    prompts: GridPrompts,
    chosen: list[int],
    frame: int,
    first_id: int,
    source: str = "grid",
) -> Iterator[Track]:
    if not chosen:
        return
    masks, tokens = _follow(sam2, features, video, frame, prompts.masks[chosen])
    for row, index in enumerate(chosen):
        yield Track(
            id=str(first_id + row),
            masks=MaskSequence.from_rle(masks[row], video.size),
            score=float(prompts.scores[index]),
            tokens=tokens[row],
            source="truth" if source == "truth" else "grid",
            prompt_frame=frame,
            prompt=tuple(float(v) for v in prompts.points[index]),
        )


def _follow(
    sam2: Sam2, features: FrameFeatureCache, video: Video, frame: int, prompts: BoolArray
) -> tuple[list[list[Rle | None]], np.ndarray[tuple[int, int, int], np.dtype[np.float32]]]:
    """RLE masks [object][frame] and tokens (N, T, D); a frame's masks are compressed at once."""
    masks: list[list[Rle | None]] = [[None] * len(video) for _ in prompts]
    tokens = np.zeros((len(prompts), len(video), sam2.token_dim), np.float32)
    for output in sam2.propagate(features, len(video), frame, prompts):
        tokens[:, output.frame] = output.pointers.float().cpu().numpy()
        for row, logits in enumerate(output.logits):  # one by one: never N x H x W floats
            shown = sam2.upscale(logits, video.size).cpu().numpy()
            masks[row][output.frame] = MaskSequence.from_arrays([shown]).rle(0)
    return masks, tokens
