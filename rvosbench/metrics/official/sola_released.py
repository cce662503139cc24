"""Protocol `sola-released`: the evaluator that SOLA's authors released; only to compare with it.

J is the usual mean over frames. "F" is no contour measure: it is the Dice overlap of all pixels of
the video, 0 if nothing overlaps, even where both sides are empty. An answer without any foreground
counts as "no track selected": J = F = 0 whatever the target. Void is not used.

Source: cvlab-kaist/SOLA, `evaluator.py` at 4b0adf8. It sums in float32 on the GPU; we count whole
pixels, so figures may differ from its own in the seventh digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rvosbench.contracts import ExpressionScore, TruthLookup
from rvosbench.metrics.counts import Counts
from rvosbench.metrics.official.per_expression import MeanOverExpressions, by_target, measured
from rvosbench.records import Prediction, Sample


@dataclass(frozen=True)
class PooledDice(MeanOverExpressions):
    """J as usual, F as the Dice overlap of the whole video."""

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every expression of one video; errors as in `MeanOverExpressions`."""
        scores = {}
        for known, ids in by_target(sample, truth):
            for expression in ids:
                score, measures = measured(sample, expression, known, predictions)
                nothing = not score.figures["answered"]
                f = 0.0 if nothing else dice(measures.counts)
                scores[expression] = replace(score, j=0.0 if nothing else score.j, f=f, frame_f=())
        return tuple(scores[e.id] for e in sample.expressions)


def dice(counts: Counts) -> float:
    """2 |P and T| / (|P| + |T|) over all frames in [0, 1], in the released order; 0 if disjoint."""
    shared = int(counts.intersection.sum())
    if not shared:
        return 0.0
    precision, recall = shared / int(counts.predicted.sum()), shared / int(counts.meant.sum())
    return 2 * precision * recall / (precision + recall)


PROTOCOL = PooledDice(name="sola-released", version="1")
