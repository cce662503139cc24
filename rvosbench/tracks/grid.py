"""Grid prompts: SAM2's automatic mask generation on one frame; and tracks of them.

Source: the automatic mask generator of the original SAM2 with the defaults the released SOLA code
keeps: a grid of points, three masks each, filtered by predicted IoU, by stability, by box NMS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import Words, pack, unpack
from rvosbench.records import Track
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.prompts import (
    Admission,
    Prompt,
    Rules,
    largest_first,
    prompt_of,
    shown_by,
    without_parts,
)

if TYPE_CHECKING:
    import torch

    from rvosbench.models.sam2.decoding import FrameFeatures
    from rvosbench.models.sam2.tracker import Sam2

Floats = NDArray[np.float64]

POINTS_AT_ONCE = 64  # bounds memory, changes nothing
MASKS_AT_ONCE = 16  # of full frames


class _Found(NamedTuple):
    packed: Words
    score: float
    point: Floats


def grid_points(per_side: int, size: tuple[int, int]) -> Floats:
    """Centres of a regular grid, (per_side**2, 2) as x, y in pixels of a (height, width) frame."""
    ticks = (np.arange(per_side) + 0.5) / per_side
    x, y = np.meshgrid(ticks * size[1], ticks * size[0])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def grid_prompts(
    sam2: Sam2, features: FrameFeatures, frame: int, size: tuple[int, int], config: TrackConfig
) -> list[Prompt]:
    """Find the masks of a frame of `size`, (height, width), largest first; there may be none."""
    points = grid_points(config.points_per_side, size)
    found = list(_candidates(sam2, features, points, size, config))
    boxes = np.array([box_of(f.packed, size[1]) for f in found]).reshape(-1, 4)
    kept = suppress(boxes, np.array([f.score for f in found]), config.box_nms)
    prompts = [
        prompt_of(frame, found[i].packed, size[1], found[i].score, found[i].point) for i in kept
    ]
    return without_parts(largest_first(prompts), config.part_share)


def grid_tracks(follower: Follower, prompts: Sequence[Prompt], config: TrackConfig) -> list[Track]:
    """Filter prompts, given frame by frame and the largest of each first, and track the rest."""
    if config.order == "video":
        prompts = largest_first(prompts)
    rules = Rules(config.iou_filter, config.group(len(follower.video)), config.max_grid_tracks)
    admission = Admission(prompts, rules)
    tracks: list[Track] = []
    while admitted := admission.next(follower.shown):
        made = follower.tracks(admitted, "grid")
        for track in made:
            admission.drop(shown_by(track))
        tracks += made
    return tracks


def _candidates(
    sam2: Sam2, features: FrameFeatures, points: Floats, size: tuple[int, int], config: TrackConfig
) -> Iterator[_Found]:
    """Masks that pass the quality and stability filters."""
    for start in range(0, len(points), POINTS_AT_ONCE):
        chunk = points[start : start + POINTS_AT_ONCE]
        found = sam2.segment(
            features, frame_size=size, points=chunk[:, None], multimask=config.multimask
        )
        good = found.iou >= config.predicted_iou
        origins = np.repeat(chunk[:, None], good.shape[1], axis=1)[good.cpu().numpy()]
        scores = found.iou[good].double().cpu().numpy()
        for row, packed in _stable_masks(sam2, found.logits[good], size, config):
            yield _Found(packed, float(scores[row]), origins[row])


def _stable_masks(
    sam2: Sam2, low: torch.Tensor, size: tuple[int, int], config: TrackConfig
) -> Iterator[tuple[int, Words]]:
    """Rows of low-resolution logits whose mask is stable at the frame's size, and the masks."""
    for start in range(0, len(low), MASKS_AT_ONCE):
        logits = sam2.enlarge(low[start : start + MASKS_AT_ONCE], size)
        stable = stability(logits, config.stability_offset) >= config.stability
        for row in stable.nonzero()[:, 0].tolist():
            yield start + row, pack((logits[row] > 0).cpu().numpy())


def stability(logits: torch.Tensor, offset: float) -> torch.Tensor:
    """IoU of each mask at thresholds +offset and -offset, (N, H, W) -> (N,); empty gives 0."""
    inner = (logits > offset).flatten(1).sum(dim=1).double()
    outer = (logits > -offset).flatten(1).sum(dim=1).double()
    return inner / outer.clamp(min=1) * (outer > 0)


def box_of(packed: Words, width: int) -> Floats:
    """Tight box (4,) as x0, y0, x1, y1 in pixels (inclusive) of a packed mask; empty: all 0."""
    ys = np.flatnonzero(packed.any(axis=1))
    if not len(ys):
        return np.zeros(4)
    columns = np.bitwise_or.reduce(packed, axis=0)
    xs = np.flatnonzero(unpack(columns[None], width)[0])
    return np.array([xs[0], ys[0], xs[-1], ys[-1]], np.float64)


def box_iou(box: Floats, boxes: Floats) -> Floats:
    """IoU of one box (4,) with many (N, 4); boxes without area give 0."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    inside = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    joined = np.prod(box[2:] - box[:2]) + areas - inside
    out = np.zeros(len(boxes))
    np.divide(inside, joined, out=out, where=joined > 0)
    return out


def suppress(boxes: Floats, scores: Floats, threshold: float) -> list[int]:
    """Non-maximum suppression: indices that stay, best score first, ties by lower index."""
    order = np.lexsort((np.arange(len(scores)), -np.asarray(scores)))
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[box_iou(boxes[best], boxes[order]) <= threshold]
    return kept
