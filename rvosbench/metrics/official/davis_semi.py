"""Protocol `davis-semi`: DAVIS 2017 semi-supervised, object k against label k.

The first frame (given in that task) and the last one do not count. Void is background. A label
without object is an error, an object without label has empty masks.

The official tool reads `Annotations/480p`; here the masks are those that the dataset was opened
with, for Ref-DAVIS17 the folder `Annotations_unsupervised`, which numbers other objects in some
videos. Scores compare with published ones only where both agree.

Source: see `davis`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rvosbench.contracts import ExpressionScore, Summary, VideoTruth
from rvosbench.errors import DatasetError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import count
from rvosbench.metrics.official.davis import (
    object_score,
    object_summary,
    proposals,
    whole_target,
)
from rvosbench.records import Prediction, Sample


@dataclass(frozen=True)
class SemiSupervised:
    """Objects by number, without the first and the last frame; see the module's description.

    Attributes:
        wrap: reproduce the official decay beyond 256 frames, see `decay`.
    """

    name: str = "davis-semi"
    version: str = "1"
    official: bool = True
    answers: Literal["expressions", "labels"] = "labels"
    wrap: bool = False

    def score_video(
        self, sample: Sample, truth: VideoTruth, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every object of one video; the rows are named by object number.

        Raises:
            DatasetError: fewer than three annotated frames.
            PredictionError: a label that is no object, or masks that do not fit.
        """
        target = whole_target(sample, truth)
        inner = range(1, len(target.annotated) - 1)
        if not inner:
            raise DatasetError(
                f"video {sample.video.id!r} has {len(target.annotated)} annotated frames: "
                f"{self.name} leaves out the first and the last, so it needs three"
            )
        found = proposals(sample, target, predictions)
        surplus = [label for label in found if label not in target.objects]
        if surplus:
            raise PredictionError(
                f"video {sample.video.id!r}: label {surplus[-1]} is predicted, there are "
                f"{len(target.objects)} objects: for proposals in any order use davis-unsup"
            )
        scored = replace(target, annotated=tuple(target.annotated[i] for i in inner))
        nothing = MaskSequence.empty(len(target.annotated), target.size)
        scores = []
        for name, masks in target.objects.items():
            proposal = found.get(name, nothing).at(inner)
            counts = count(proposal, masks.at(inner), radius=tolerance(target.size))
            scores.append(object_score(sample, name, counts, scored, self.wrap))
        return tuple(scores)

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Means over objects, with recall and decay."""
        return object_summary(scores)


PROTOCOL = SemiSupervised()
AS_OFFICIAL = SemiSupervised(version="1-as-official", wrap=True)
