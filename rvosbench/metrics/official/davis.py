"""What both DAVIS 2017 protocols share: objects of a video, scored one by one.

Predictions are label images: pixel value k is object (or proposal) k, 0 is background. The objects
of a video are 1 to the highest label of its first frame; later objects beyond that do not count.
Per object: mean, recall and decay of J and of F over frames. The result is the unweighted mean over
the objects of all videos.

Source: davisvideochallenge/davis2017-evaluation at ac7c43f.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, VideoTruth
from rvosbench.errors import DatasetError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.counts import Counts
from rvosbench.metrics.official.per_expression import expression_score, fitting, mean_summary
from rvosbench.metrics.values import frame_values
from rvosbench.records import Prediction, Sample, Target

_FURTHER = ("j_recall", "j_decay", "f_recall", "f_decay")


Rows = Callable[[Sample, Target, dict[str, MaskSequence], bool], Iterable[ExpressionScore]]
"""Scores the objects of a target from label -> masks, as the official tool does if it is true."""


@dataclass(frozen=True)
class LabelImages:
    """A protocol on label images.

    Attributes:
        name: as on the command line.
        rows: its rules.
        compat: with the defects of the official tool.
    """

    name: str
    rows: Rows
    version: str = "1"
    compat: bool = False
    official: bool = True
    answers: Literal["expressions", "labels"] = "labels"

    def score_video(
        self, sample: Sample, truth: VideoTruth, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every object of one video; rows are named by object number.

        Raises:
            DatasetError: as `whole_target`, or a video that cannot be scored by the rules.
            PredictionError: labels that the rules do not allow, or masks that do not fit.
        """
        target = whole_target(sample, truth)
        return tuple(self.rows(sample, target, proposals(sample, target, predictions), self.compat))

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Means over objects; `metrics` has recall and decay of J and F where all objects do."""
        further = {
            name: float(np.mean([s.metrics[name] for s in scores]))
            for name in _FURTHER
            if scores and all(name in s.metrics for s in scores)
        }
        return mean_summary(scores, further)


def whole_target(sample: Sample, truth: VideoTruth) -> Target:
    """All objects of a video as the official tool numbers them, and its void.

    Raises:
        DatasetError: objects are not numbered, or the video has no expression to ask for.
    """
    if not sample.expressions:
        raise DatasetError(
            f"video {sample.video.id!r} has no expression: its ground truth has no frames"
        )
    target = truth(sample.expressions[0].id)
    objects = truth.objects()
    if not all(name.isdecimal() for name in objects):
        raise DatasetError(
            f"video {sample.video.id!r}: objects are called {', '.join(objects)}, the DAVIS "
            "protocols want numbers as in label images"
        )
    first = [int(name) for name, masks in objects.items() if masks.at([0]).areas().any()]
    numbers = [str(k) for k in range(1, max(first, default=0) + 1)]
    nothing = MaskSequence.empty(len(target.annotated), target.size)
    kept = {k: objects.get(k, nothing) for k in numbers}
    return Target(target.size, target.annotated, kept, target.void)


def proposals(
    sample: Sample, target: Target, predictions: Mapping[str, Prediction]
) -> dict[str, MaskSequence]:
    """Label -> masks on the annotated frames; labels that no frame shows are empty.

    Raises:
        PredictionError: masks that do not fit the video.
    """
    highest = max((int(label) for label in predictions), default=0)
    nothing = MaskSequence.empty(len(target.annotated), target.size)
    found = {str(k): nothing for k in range(1, highest + 1)}
    for label, prediction in predictions.items():
        where = f"video {sample.video.id!r}, label {label}"
        found[label] = fitting(prediction.masks, sample, target.size, where).at(target.annotated)
    return found


def object_score(
    sample: Sample, name: str, counts: Counts, target: Target, wrap: bool = False
) -> ExpressionScore:
    """The score of one object; the row's `expression` is the object's number.

    `target.annotated` are the measured frames; `wrap` as for `decay`.
    """
    values = frame_values(counts, target.size[0] * target.size[1], wrap)
    facts = {"targets": 1, "length": len(sample.video)}
    return expression_score(sample.video.id, name, counts, target.annotated, {**values, **facts})
