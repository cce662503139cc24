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

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.metrics.official.per_expression import PerExpression
from rvosbench.records import Sample


def left_out(sample: Sample, errors: Mapping[str, PredictionError]) -> Sequence[ExpressionScore]:
    """What the official tool does with incomplete predictions: 0 if the whole video is missing."""
    # For other errors a worker process dies there, and the expression with it.
    absent = [e for e, error in errors.items() if isinstance(error, IncompletePredictionError)]
    if len(absent) < len(sample.expressions):
        return ()
    return [ExpressionScore(sample.video.id, e, 0.0, 0.0) for e in absent]


PROTOCOL = PerExpression(name="mevis", version="1")
AS_OFFICIAL = PerExpression(name="mevis", version="1-as-official", refused=left_out)
