"""Protocol `mevis-v2`: as `mevis`, with expressions that mean nothing in the video.

Such an expression scores J = F = 1 on a frame where nothing is predicted and 0 on any other. Beside
the mean over all expressions, `extra` holds the means over those with and without target, and

* `n_acc`: of the expressions without target, the share answered with empty masks on all frames;
* `t_acc`: of the expressions with target, the share answered with something.

Source: the no-target rule is that of DAVIS for empty masks, as current practice has it. N-acc. and
T-acc. are defined for images by Liu et al., "GRES", CVPR 2023 (henghuiding/ReLA,
`gres_model/evaluation/refer_evaluation.py`); that an answer counts as "no target" if all its masks
are empty is our reading for videos, since no scorer of MeViS v2 was published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, TruthLookup
from rvosbench.metrics.official.per_expression import (
    MeanOverExpressions,
    by_target,
    mean_summary,
    measured,
)
from rvosbench.records import Prediction, Sample


@dataclass(frozen=True)
class WithoutTarget(MeanOverExpressions):
    """`mevis` with the rule and the figures for expressions without target."""

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every expression of one video; errors as in `MeanOverExpressions`."""
        scores = {}
        for known, ids in by_target(sample, truth):
            for expression in ids:
                score = measured(sample, expression, known, predictions)[0]
                # A full mask has no outline, so that F alone would forgive it.
                scores[expression] = score if known.target.objects else _empty_or_not(score)
        return tuple(scores[e.id] for e in sample.expressions)

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Means over all expressions; see the module for `extra`."""
        extra = {}
        for name, meant in (("target", True), ("no_target", False)):
            part = [s for s in scores if (s.figures["targets"] > 0) == meant]
            if not part:
                continue
            means = mean_summary(part)
            extra.update({f"{name}_{k}": getattr(means, k) for k in ("j", "f", "jf")})
            right = [(s.figures["answered"] > 0) == meant for s in part]
            extra["t_acc" if meant else "n_acc"] = float(np.mean(right))
        return mean_summary(scores, extra)


def _empty_or_not(score: ExpressionScore) -> ExpressionScore:
    return replace(score, f=score.j, frame_f=score.frame_j)


PROTOCOL = WithoutTarget(name="mevis-v2", version="1", official=False)
