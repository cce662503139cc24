"""Protocol `mevis`: the authors' own evaluator for MeViS v1, and for data in its layout.

Per expression: J and F of every annotated frame, the first and the last included, against the
union of the expression's objects, without void, and their means over frames. The result is the
unweighted mean over all expressions; videos do not weigh.

Source: henghuiding/MeViS, `tools/eval_mevis.py` at 7c0620b. There, an expression with a missing or
misshapen mask vanishes from the mean, which raises it, and a video without folder scores 0. Here
both are errors, unless the official behaviour is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.contracts import ExpressionScore, TruthLookup
from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.metrics.official.per_expression import MeanOverExpressions, by_target, measured
from rvosbench.records import Prediction, Sample

PROTOCOL = MeanOverExpressions(name="mevis", version="1")


@dataclass(frozen=True)
class AsOfficial(MeanOverExpressions):
    """What the official tool does with incomplete predictions, to compare with its numbers."""

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score what can be read; the rest is left out, or 0 if the whole video is missing."""
        scores = {}
        absent = []
        for known, ids in by_target(sample, truth):
            for expression in ids:
                try:
                    scores[expression] = measured(sample, expression, known, predictions)[0]
                except IncompletePredictionError:
                    absent.append(expression)
                except PredictionError:
                    pass  # there, a worker process dies and the expression with it
        if len(absent) == len(sample.expressions):
            return tuple(ExpressionScore(sample.video.id, e, 0.0, 0.0) for e in absent)
        return tuple(scores[e.id] for e in sample.expressions if e.id in scores)


AS_OFFICIAL = AsOfficial(name="mevis", version="1-as-official")
