"""Which prompts become tracks: decided on masks alone, before anything is propagated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import BoolArray

Floats = NDArray[np.float64]


def boxes_of(masks: BoolArray) -> Floats:
    """Tight boxes (N, 4) as x0, y0, x1, y1 in pixels (inclusive) of (N, H, W); empty: all 0."""
    boxes = np.zeros((len(masks), 4))
    for index, mask in enumerate(masks):
        ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(ys):
            boxes[index] = xs[0], ys[0], xs[-1], ys[-1]
    return boxes


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


def largest_first(masks: BoolArray) -> list[int]:
    """Indices of (N, H, W) masks by falling area, ties by lower index; empty masks left out."""
    areas = masks.sum(axis=(1, 2))
    order = np.lexsort((np.arange(len(areas)), -areas))
    return [int(i) for i in order if areas[i] > 0]


def without_parts(masks: BoolArray, order: Sequence[int], share: float) -> list[int]:
    """Drop masks that lie inside a larger one by more than `share` of their pixels.

    Args:
        masks: (N, H, W).
        order: indices by falling area.
        share: in [0, 1]; 1 drops nothing.
    """
    kept: list[int] = []
    for index in order:
        mask = masks[index]
        inside = max((int((mask & masks[k]).sum()) for k in kept), default=0)
        if inside <= share * mask.sum():
            kept.append(index)
    return kept


def admit(
    prompts: BoolArray, finished: Sequence[BoolArray], threshold: float, group: int, limit: int
) -> list[int]:
    """Choose the prompts of one frame that become tracks.

    Args:
        prompts: (N, H, W) masks in the order they are tried, largest first.
        finished: the masks that tracks already made have in this frame, (H, W) each.
        threshold: a prompt with a greater IoU with any of them, or with a prompt of an earlier
            group, is dropped.
        group: prompts admitted together do not filter each other.
        limit: most tracks in all; checked before each group, as in the released code.

    Returns:
        Indices of the admitted prompts, in order.
    """
    known = list(finished)
    admitted: list[int] = []
    pending: list[int] = []
    for index, prompt in enumerate(prompts):
        if len(known) >= limit:
            break
        if all(mask_iou(prompt, mask) <= threshold for mask in known):
            pending.append(index)
        if len(pending) == group:
            known += [prompts[i] for i in pending]
            admitted, pending = admitted + pending, []
    return admitted + pending


def mask_iou(a: BoolArray, b: BoolArray) -> float:
    """IoU of two masks of one shape; two empty masks give 1."""
    joined = int((a | b).sum())
    return int((a & b).sum()) / joined if joined else 1.0
