"""Protocol `mevis-v2`: as `mevis`, with expressions that mean nothing in the video.

Such an expression scores J = F = 1 on a frame where nothing is predicted and 0 on any other. Beside
the mean over all expressions, `metrics` holds the means over those with and without target, and

* `n_acc`: of the expressions without target, the share answered with empty masks on all frames;
* `t_acc`: of the expressions with target, the share answered with something.

Source: the no-target rule is that of DAVIS for empty masks, as current practice has it. N-acc. and
T-acc. are defined for images by Liu et al., "GRES", CVPR 2023 (henghuiding/ReLA,
`gres_model/evaluation/refer_evaluation.py`); that a prediction counts as "no target" if all its
masks are empty is our reading for videos, since no scorer of MeViS v2 was published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary
from rvosbench.metrics.counts import Counts
from rvosbench.metrics.official.per_expression import PerExpression, mean_summary
from rvosbench.records import Target


def without_target(score: ExpressionScore, counts: Counts, target: Target) -> ExpressionScore:
    """The score by the rule for expressions that mean nothing, if it is one.

    A full mask has no outline, so that F alone would forgive it: F is J there.
    """
    return score if target.objects else replace(score, f=score.j, frame_f=score.frame_j)


def summarize(scores: Sequence[ExpressionScore]) -> Summary:
    """Means over all expressions; see the module for `metrics`."""
    further = {}
    for name, meant in (("target", True), ("no_target", False)):
        part = [s for s in scores if (s.metrics["targets"] > 0) == meant]
        if not part:
            continue
        means = mean_summary(part)
        further.update({f"{name}_{k}": getattr(means, k) for k in ("j", "f", "jf")})
        right = [(s.metrics["answered"] > 0) == meant for s in part]
        further["t_acc" if meant else "n_acc"] = float(np.mean(right))
    return mean_summary(scores, further)


PROTOCOL = PerExpression(
    name="mevis-v2", version="1", official=False, rule=without_target, summary=summarize
)
