"""What is reported beyond J and F, all from the same pass over the masks.

An expression's values are kept in its result row (`ExpressionScore.metrics`); those of a split are
computed from the rows, so that any subset can be summed up again without masks.

| value of an expression | meaning |
|---|---|
| `j_recall`, `f_recall` | share of frames with J (F) > 0.5 |
| `j_decay`, `f_decay` | mean of the first quarter of the frames minus that of the last |
| `boundary_precision`, `boundary_recall` | means over frames of the two parts of F |
| `intersection`, `union` | pixels, summed over frames |
| `target_share` | mean share of the image that the target covers, on frames that show it |
| `stability`, `target_stability` | mean J of successive masks, predicted and true |
| `answered` | 1 if any predicted mask has foreground |
| `targets`, `length`, `score` | objects meant, frames of the video, confidence of the prediction |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rvosbench.contracts import ExpressionScore
from rvosbench.metrics.counts import Counts, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUCCESS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""The thresholds of the success rates P@K, as in A2D-Sentences."""

_MEANS = (
    "j_recall",
    "f_recall",
    "j_decay",
    "f_decay",
    "boundary_precision",
    "boundary_recall",
    "stability",
    "target_stability",
)


_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)


def recall(values: Scores) -> float:
    """Share of (T,) values above 0.5, T > 0; a value of exactly 0.5 does not count."""
    return float(np.mean(values > 0.5))


def decay(values: Scores, wrap: bool = False) -> float:
    """Mean of the first of four bins of (T,) values minus that of the last, T > 0.

    Args:
        values: per frame, in temporal order. Bins share their border frames, as in the official
            tool.
        wrap: as davis2017-evaluation does, keep bin borders in 8 bits: wrong from 257 frames on,
            NaN where a bin becomes empty. Only to reproduce its numbers.
    """
    borders = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(np.int64) - 1
    if wrap:
        borders = borders % 256
    first = values[borders[0] : borders[1] + 1]
    last = values[borders[3] : borders[4] + 1]
    if not first.size or not last.size:
        return float("nan")
    return float(np.mean(first) - np.mean(last))


def frame_values(counts: Counts, pixels: int, wrap: bool = False) -> dict[str, float]:
    """The metric values that follow from one pass over T > 0 frames.

    Args:
        counts: what the pass gave.
        pixels: of one mask.
        wrap: as for `decay`.
    """
    shown = counts.meant[counts.meant > 0]
    found: dict[str, float] = {
        "j_recall": recall(counts.j),
        "f_recall": recall(counts.f),
        "j_decay": decay(counts.j, wrap),
        "f_decay": decay(counts.f, wrap),
        "boundary_precision": float(np.mean(counts.boundary_precision)),
        "boundary_recall": float(np.mean(counts.boundary_recall)),
        "intersection": int(counts.intersection.sum()),
        "union": int(counts.union.sum()),
        "target_share": float(np.mean(shown / pixels)) if shown.size else 0.0,
        "answered": int(counts.predicted.any()),
    }
    return {name: value for name, value in found.items() if not np.isnan(value)}


def split_values(scores: Sequence[ExpressionScore]) -> dict[str, float]:
    """The metric values of a split: unweighted means of the above, and the following.

    `miou` is the mean of J, `oiou` all intersections over all unions, `p@K` the share of
    expressions with J > K, `map` the mean average precision over IoU thresholds 0.5 to 0.95 with
    expressions ranked by score. Empty if a row has none.
    """
    if not scores or not all("union" in s.metrics for s in scores):
        return {}
    found = {
        name: float(np.mean(_column(scores, name)))
        for name in _MEANS
        if all(name in s.metrics for s in scores)
    }
    j = np.array([s.j for s in scores])
    found["miou"] = float(np.mean(j))
    total = float(_column(scores, "union").sum())
    found["oiou"] = float(_column(scores, "intersection").sum()) / total if total else 1.0
    found.update({f"p@{k}": float(np.mean(j > k)) for k in SUCCESS})
    meant = _column(scores, "targets") > 0
    if meant.any() and "score" in scores[0].metrics:
        answered = _column(scores, "answered") > 0
        found["map"] = average_precision(j, _column(scores, "score"), answered, meant)
    return found


def average_precision(
    overlaps: Scores, confidence: Scores, answered: NDArray[np.bool_], meant: NDArray[np.bool_]
) -> float:
    """COCO's mAP of N expressions, in [0, 1], as A2D-Sentences and JHMDB-Sentences report it.

    Every expression is an image of its own with at most one prediction and at most one target; the
    mean is over IoU thresholds 0.5 to 0.95. Source: cocoeval of pycocotools (101 recall points).

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
    hits = meant[order] & (overlaps[order] >= _THRESHOLDS[:, None])
    return float(np.mean([_average_precision(row, int(meant.sum())) for row in hits]))


def _average_precision(hits: NDArray[np.bool_], positives: int) -> float:
    """Average precision of (M,) ranked predictions, true where they count as found."""
    found = np.cumsum(hits)
    recalls = found / positives
    precisions = found / np.arange(1, len(hits) + 1)
    # The envelope: at a recall, the best precision at that recall or beyond.
    best = np.maximum.accumulate(precisions[::-1])[::-1]
    places = np.searchsorted(recalls, _RECALLS, side="left")
    return float(np.mean(np.append(best, 0.0)[places]))


def means(scores: Sequence[ExpressionScore]) -> dict[str, float]:
    """Unweighted J, F and J&F of at least one score."""
    j = float(np.mean([s.j for s in scores]))
    f = float(np.mean([s.f for s in scores]))
    return {"j": j, "f": f, "jf": (j + f) / 2}


def _column(scores: Sequence[ExpressionScore], name: str) -> Scores:
    return np.array([s.metrics[name] for s in scores], dtype=np.float64)
