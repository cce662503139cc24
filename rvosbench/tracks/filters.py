"""Boxes of masks, and which of many overlapping ones stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import Words, unpack

Floats = NDArray[np.float64]


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
