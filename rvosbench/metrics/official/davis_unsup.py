"""Protocol `davis-unsup`: DAVIS 2017 unsupervised, proposals matched to objects.

All frames count, void pixels do not. Up to 20 proposals (labels) of a video are matched one to one
to its objects so that the mean of J and F is highest; unmatched proposals are free. Rows are named
by object number.

The official tool names the rows by proposal, so that its "seq_2" may be any object (means are not
affected); its decay is wrong beyond 256 frames. Both can be had with `as_official`.

Source: see `davis`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import Counts, Outlines, count
from rvosbench.metrics.official.davis import LabelImages, object_score
from rvosbench.records import Sample, Target

MOST = 20
"""Proposals a video may have."""


def object_rows(
    sample: Sample, target: Target, found: dict[str, MaskSequence], compat: bool
) -> list[ExpressionScore]:
    """Proposals matched to objects on all frames; see the module's description.

    With `compat` rows are named by proposal and decay wraps, as in the official tool.

    Raises:
        PredictionError: more than 20 proposals.
    """
    if len(found) > MOST:
        raise PredictionError(
            f"video {sample.video.id!r}: labels go up to {len(found)}, davis-unsup takes at "
            f"most {MOST} proposals. Are these masks of 0 and 255 instead of label images?"
        )
    rows = []
    matched = match(list(found.values()), target)
    for name, (proposal, counts) in zip(target.objects, matched, strict=True):
        shown = str(proposal + 1) if compat else name
        rows.append(object_score(sample, shown, counts, target, compat))
    return sorted(rows, key=lambda row: int(row.expression))


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


PROTOCOL = LabelImages("davis-unsup", object_rows)
AS_OFFICIAL = LabelImages("davis-unsup", object_rows, version="1-as-official", compat=True)
