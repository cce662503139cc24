"""Protocol `sola-released`: the evaluator that SOLA's authors released; only to compare with it.

J is the usual mean over frames. "F" is no contour measure: it is the Dice overlap of all pixels of
the video, 0 if nothing overlaps, even where both sides are empty. A prediction without foreground
counts as "no track selected": J = F = 0 whatever the target. Void is not used.

Source: cvlab-kaist/SOLA, `evaluator.py` at 4b0adf8. It sums in float32 on the GPU; we count whole
pixels, so values may differ from its own in the seventh digit.
"""

from __future__ import annotations

from dataclasses import replace

from rvosbench.contracts import ExpressionScore
from rvosbench.metrics.counts import Counts
from rvosbench.metrics.official.per_expression import PerExpression
from rvosbench.records import Target


def pooled(score: ExpressionScore, counts: Counts, target: Target) -> ExpressionScore:
    """J as usual, F as the Dice overlap of the whole video; both 0 for an empty prediction."""
    if not score.metrics["answered"]:
        return replace(score, j=0.0, f=0.0, frame_f=())
    return replace(score, f=dice(counts), frame_f=())


def dice(counts: Counts) -> float:
    """2 |P and T| / (|P| + |T|) over all frames in [0, 1], in the released order; 0 if disjoint."""
    shared = int(counts.intersection.sum())
    if not shared:
        return 0.0
    precision, recall = shared / int(counts.predicted.sum()), shared / int(counts.meant.sum())
    return 2 * precision * recall / (precision + recall)


PROTOCOL = PerExpression(name="sola-released", version="1", rule=pooled)
