"""J and F by definition: slow, plain, and sharing no code with the package."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def region(prediction: Mask, target: Mask, void: Mask | None = None) -> float:
    keep = np.ones(target.shape, bool) if void is None else ~void
    union = int(((prediction | target) & keep).sum())
    return int((prediction & target & keep).sum()) / union if union else 1.0


def outline(mask: Mask) -> Mask:
    """A pixel is on the outline if its right, lower or lower right neighbour differs from it."""
    height, width = mask.shape
    edge = np.zeros(mask.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1)):
        here = mask[: height - dy, : width - dx]
        edge[: height - dy, : width - dx] |= here != mask[dy:, dx:]
    # The last row looks to the right only, the last column down only, the corner nowhere; the
    # slices above give just that.
    return edge


def contour(
    prediction: Mask, target: Mask, void: Mask | None = None, bound_th: float = 0.008
) -> float:
    if void is not None:
        prediction, target = prediction & ~void, target & ~void
    radius = bound_th if bound_th >= 1 else math.ceil(bound_th * math.sqrt(sum_of_squares(target)))
    p, t = outline(prediction), outline(target)
    precision = matched_share(p, t, int(radius))
    recall = matched_share(t, p, int(radius))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def sum_of_squares(mask: Mask) -> int:
    height, width = mask.shape
    return int(height * height + width * width)


def integers(prediction: Mask, target: Mask, radius: int) -> tuple[int, ...]:
    """The counts behind J and F, in the order of `rvosbench.metrics.counts.Counts`."""
    p, t = outline(prediction), outline(target)
    region = (prediction & target, prediction | target, prediction, p, t)
    matched = (p & near(t, radius), t & near(p, radius))
    return tuple(int(mask.sum()) for mask in (*region, *matched))


def near(edge: Mask, radius: int) -> Mask:
    """Pixels within `radius` of an edge."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = (x * x + y * y <= radius * radius).astype(np.uint8)
    grown: Mask = cv2.dilate(edge.astype(np.uint8), disk).astype(bool)
    return grown


def matched_share(edge: Mask, other: Mask, radius: int) -> float:
    """Share of `edge` within `radius` of `other`; 1 if there is nothing to match."""
    if not edge.any():
        return 1.0
    return int((edge & near(other, radius)).sum()) / int(edge.sum())
