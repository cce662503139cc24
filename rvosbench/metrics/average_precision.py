"""mAP as A2D-Sentences and JHMDB-Sentences report it: COCO's, one prediction an expression.

Source: cocoeval of pycocotools (101 recall points), as the A2D evaluators call it. Every
expression is an image of its own with at most one prediction and at most one target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)


def average_precision(
    overlaps: NDArray[np.float64],
    confidence: NDArray[np.float64],
    answered: NDArray[np.bool_],
    meant: NDArray[np.bool_],
) -> float:
    """Mean over `THRESHOLDS` of the average precision of N expressions, in [0, 1].

    Args:
        overlaps: (N,) IoU of prediction and target in [0, 1].
        confidence: (N,) scores, the order of predictions; ties keep the order of expressions.
        answered: (N,) whether the prediction has foreground; an empty prediction is none.
        meant: (N,) whether there is a target; a prediction without target is a false alarm.

    Returns:
        NaN if no expression has a target.
    """
    if not meant.any():
        return float("nan")
    order = np.argsort(-confidence, kind="mergesort")
    order = order[answered[order]]
    hits = meant[order] & (overlaps[order] >= THRESHOLDS[:, None])
    return float(np.mean([_one(row, int(meant.sum())) for row in hits]))


def _one(hits: NDArray[np.bool_], positives: int) -> float:
    """Average precision of (M,) ranked predictions, true where they count as found."""
    found = np.cumsum(hits)
    recalls = found / positives
    precisions = found / np.arange(1, len(hits) + 1)
    # The envelope: at a recall, the best precision at that recall or beyond.
    best = np.maximum.accumulate(precisions[::-1])[::-1]
    places = np.searchsorted(recalls, _RECALLS, side="left")
    return float(np.mean(np.append(best, 0.0)[places]))
