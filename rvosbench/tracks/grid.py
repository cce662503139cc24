"""Grid prompts: SAM2's automatic mask generation on one frame.

Source: the automatic mask generator of the original SAM2 with the defaults the released SOLA code
keeps: a grid of points, three masks each, filtered by predicted IoU, by stability, by box NMS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from rvosbench.masks import BoolArray
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.filters import Floats, boxes_of, largest_first, suppress, without_parts

if TYPE_CHECKING:
    from rvosbench.adapters.sam2 import Sam2
    from rvosbench.adapters.sam2_propagation import FrameFeatures

POINTS_AT_ONCE = 64  # bounds memory, changes nothing


@dataclass(frozen=True)
class GridPrompts:
    """Masks found on one frame, largest first.

    Attributes:
        masks: (N, H, W) bool.
        scores: (N,) predicted IoU in [0, 1].
        points: (N, 2) the prompting points, x and y in pixels.
    """

    masks: BoolArray
    scores: Floats
    points: Floats


def grid_points(per_side: int, size: tuple[int, int]) -> Floats:
    """Centres of a regular grid, (per_side**2, 2) as x, y in pixels of a (height, width) frame."""
    ticks = (np.arange(per_side) + 0.5) / per_side
    x, y = np.meshgrid(ticks * size[1], ticks * size[0])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def grid_prompts(
    sam2: Sam2, features: FrameFeatures, size: tuple[int, int], config: TrackConfig
) -> GridPrompts:
    """Find the masks of a frame; none is a valid answer.

    Args:
        sam2: the network.
        features: of the frame.
        size: (height, width) of the frame in pixels.
        config: grid and filters.
    """
    points = grid_points(config.points_per_side, size)
    found = list(_candidates(sam2, features, points, size, config))
    if not found:
        return GridPrompts(np.zeros((0, *size), bool), np.zeros(0), np.zeros((0, 2)))
    masks, scores, origins = (np.concatenate(part) for part in zip(*found, strict=True))
    kept = suppress(boxes_of(masks), scores, config.box_nms)
    order = largest_first(masks[kept])
    order = without_parts(masks[kept], order, config.part_share)
    chosen = np.asarray(kept, int)[order]
    return GridPrompts(masks[chosen], scores[chosen], origins[chosen])


def _candidates(
    sam2: Sam2,
    features: FrameFeatures,
    points: Floats,
    size: tuple[int, int],
    config: TrackConfig,
) -> Iterator[tuple[BoolArray, Floats, Floats]]:
    """Masks, scores and points that pass the quality and stability filters, a chunk at a time."""
    for start in range(0, len(points), POINTS_AT_ONCE):
        chunk = points[start : start + POINTS_AT_ONCE]
        found = sam2.segment(
            features, frame_size=size, points=chunk[:, None], multimask=config.multimask
        )
        good = found.iou >= config.predicted_iou
        origins = np.repeat(chunk[:, None], good.shape[1], axis=1)[good.cpu().numpy()]
        logits = sam2.enlarge(found.logits[good], size)
        stable = (_stability(logits, config.stability_offset) >= config.stability).cpu().numpy()
        masks = (logits > 0).cpu().numpy()
        scores = found.iou[good].double().cpu().numpy()
        yield masks[stable], scores[stable], origins[stable]


def _stability(logits: torch.Tensor, offset: float) -> torch.Tensor:
    """IoU of each mask at thresholds +offset and -offset, (N, H, W) -> (N,); empty gives 0."""
    inner = (logits > offset).flatten(1).sum(dim=1).double()
    outer = (logits > -offset).flatten(1).sum(dim=1).double()
    return torch.where(outer > 0, inner / outer.clamp(min=1), torch.zeros_like(inner))
