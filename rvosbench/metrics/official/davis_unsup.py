"""Protocol `davis-unsup`: DAVIS 2017 unsupervised, proposals matched to objects.

All frames count, void pixels do not. Up to 20 proposals (labels) of a video are matched one to one
to its objects so that the mean of J and F is highest; unmatched proposals are free. Rows are named
by object number.

The official tool names the rows by proposal, so that its "seq_2" may be any object (means are not
affected); its decay is wrong beyond 256 frames. Both can be had with `as_official`.

Source: see `davis`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, VideoTruth
from rvosbench.errors import PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import Counts, Outlines, count
from rvosbench.metrics.official.davis import (
    object_score,
    object_summary,
    proposals,
    whole_target,
)
from rvosbench.records import Prediction, Sample, Target

MOST = 20
"""Proposals a video may have."""


@dataclass(frozen=True)
class Unsupervised:
    """Proposals matched to objects on all frames; see the module's description.

    Attributes:
        compat: name rows by proposal and let decay wrap, as the official tool does.
    """

    name: str = "davis-unsup"
    version: str = "1"
    official: bool = True
    answers: Literal["expressions", "labels"] = "labels"
    compat: bool = False

    def score_video(
        self, sample: Sample, truth: VideoTruth, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every object of one video.

        Raises:
            PredictionError: more than 20 proposals, or masks that do not fit.
        """
        target = whole_target(sample, truth)
        found = proposals(sample, target, predictions)
        if len(found) > MOST:
            raise PredictionError(
                f"video {sample.video.id!r}: labels go up to {len(found)}, {self.name} takes at "
                f"most {MOST} proposals. Are these masks of 0 and 255 instead of label images?"
            )
        matched = match(list(found.values()), target)
        names = list(target.objects)
        rows = []
        for k, (proposal, counts) in enumerate(matched):
            name = str(proposal + 1) if self.compat else names[k]
            rows.append(object_score(sample, name, counts, target, self.compat))
        return tuple(sorted(rows, key=lambda row: int(row.expression)))

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Means over objects, with recall and decay."""
        return object_summary(scores)


def match(found: Sequence[MaskSequence], target: Target) -> list[tuple[int, Counts]]:
    """For every object, in order, its proposal and the counts of both.

    Args:
        found: N proposals on the annotated frames. If there are fewer than objects, empty ones
            are added.
        target: M objects, and the void that counts for neither side.

    Returns:
        M pairs (index of the proposal, counts).
    """
    from scipy.optimize import linear_sum_assignment

    objects = [Outlines(masks, target.void) for masks in target.objects.values()]
    nothing = MaskSequence.empty(len(target.annotated), target.size)
    padded = [*found, *[nothing] * (len(objects) - len(found))]
    radius = tolerance(target.size)
    table = [[count(masks, thing, radius=radius) for thing in objects] for masks in padded]
    quality = [[(m.j.mean() + m.f.mean()) / 2 for m in row] for row in table]
    rows, columns = linear_sum_assignment(-np.array(quality).reshape(len(padded), len(objects)))
    proposal_of = dict(zip(columns.tolist(), rows.tolist(), strict=True))
    return [(proposal_of[k], table[proposal_of[k]][k]) for k in range(len(objects))]


PROTOCOL = Unsupervised()
AS_OFFICIAL = Unsupervised(version="1-as-official", compat=True)
