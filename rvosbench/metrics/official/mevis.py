"""Protocol `mevis`: the authors' own evaluator for MeViS v1, and for data in its layout.

Per expression: J and F of every annotated frame, the first and the last included, against the
union of the expression's objects, without void, and their means over frames. The result is the
unweighted mean over all expressions; videos do not weigh.

Source: henghuiding/MeViS, `tools/eval_mevis.py` at 7c0620b. There, an expression with a missing or
misshapen mask vanishes from the mean, which raises it, and a video without folder scores 0. Here
both are errors, unless the official behaviour is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rvosbench.contracts import ExpressionScore, Summary, TruthLookup
from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.metrics.official.per_expression import (
    PerExpression,
    mean_summary,
    score_expressions,
)
from rvosbench.records import Prediction, Sample

PROTOCOL = PerExpression(name="mevis", version="1")


@dataclass(frozen=True)
class AsOfficial:
    """What the official tool does with incomplete predictions, to compare with its numbers."""

    name: str = "mevis"
    version: str = "1-as-official"
    official: bool = True
    answers: Literal["expressions", "labels"] = "expressions"

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score what can be read; the rest is left out, or 0 if the whole video is missing."""
        absent: list[str] = []

        def refused(expression: str, error: PredictionError) -> None:
            if isinstance(error, IncompletePredictionError):
                absent.append(expression)
            # For others a worker process dies there, and the expression with it.

        scores = score_expressions(sample, truth, predictions, refused=refused)
        if len(absent) == len(sample.expressions):
            return tuple(ExpressionScore(sample.video.id, e, 0.0, 0.0) for e in absent)
        return tuple(scores.values())

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Unweighted means over the expressions that are left."""
        return mean_summary(scores)


AS_OFFICIAL = AsOfficial()
