"""Protocol `ref-davis17-annotators`: Ref-DAVIS17 as ReferFormer and its followers report it.

Every object has one expression in each of four annotator sets (id = 4 x object + set). For
each set the predictions of a video compete for the pixels: probabilities below 0.5 become 0, the
background has 0.1, the highest wins. The resulting labels are scored by the DAVIS unsupervised
rule: all frames, void left out, labels matched to objects one to one so that the mean of J and F
is highest. A set's J and F are means over the objects of all videos, the result the mean of sets.
An object that is matched to no expression counts as well; its row is named `<set>/object <id>`.
An expression is not scored if its object is beyond those that the first frame shows.

Without `Prediction.soft` a mask has probability 1; ties go to the higher `Prediction.score`, then
to the lower object index. With soft predictions ties go to the lower index, as in the original.

Note what the matching means: predicting the wrong one of two objects costs nothing as long as the
other object is predicted for the other expression of the set. The score of an expression is that of
the object its label was matched to.

Source: wjn922/ReferFormer `inference_davis.py` at 06fc218 and davis2017-evaluation at ac7c43f.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, VideoTruth
from rvosbench.errors import DatasetError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.official.davis import object_score, whole_target
from rvosbench.metrics.official.davis_unsup import match
from rvosbench.metrics.official.per_expression import check_soft, fitting_prediction, mean_summary
from rvosbench.metrics.values import means
from rvosbench.records import Prediction, Sample, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

SETS = 4
_HALF = 128  # 0.5 in soft predictions, which are probability x 255: 127 is below, 128 above


@dataclass(frozen=True)
class AnnotatorSets:
    """The mean of four unsupervised DAVIS evaluations; see the module's description."""

    name: str = "ref-davis17-annotators"
    version: str = "1"
    official: bool = True
    answers: Literal["expressions", "labels"] = "expressions"

    def score_video(
        self, sample: Sample, truth: VideoTruth, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every object of one video, set by set.

        Raises:
            IncompletePredictionError, PredictionError: a prediction is missing or does not fit.
            DatasetError: the expressions are not those of Ref-DAVIS17.
        """
        target = whole_target(sample, truth)
        rows = []
        for annotator in range(SETS):
            ids = [e.id for e in sample.expressions if annotator_set(e.id) == annotator]
            if ids:
                named = _named(sample, {i: truth(i) for i in ids}, target)
                rows += _score_set(sample, annotator, named, target, predictions)
        order = {e.id: place for place, e in enumerate(sample.expressions)}
        return tuple(sorted(rows, key=lambda row: order.get(row.expression, len(order))))

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """The mean of the sets; `metrics` has each set's j, f and jf."""
        by_set = [[s for s in scores if s.metrics["set"] == k] for k in range(SETS)]
        parts = {k: means(part) for k, part in enumerate(by_set) if part}
        if not parts:
            return mean_summary(scores)
        j, f = (float(np.mean([part[name] for part in parts.values()])) for name in ("j", "f"))
        further = {f"set_{k}_{n}": value for k, part in parts.items() for n, value in part.items()}
        return Summary(j=j, f=f, jf=(j + f) / 2, metrics=further)


PROTOCOL = AnnotatorSets()


def annotator_set(expression_id: str) -> int:
    """The annotator set, 0 to 3, of a Ref-DAVIS17 expression id.

    Raises:
        DatasetError: the id is not a number.
    """
    if not expression_id.isdecimal():
        raise DatasetError(
            f"expression {expression_id!r}: protocol {AnnotatorSets.name!r} reads the annotator "
            "set from ids that are 4 x object + set; use ref-davis17-expressions for other data"
        )
    return int(expression_id) % SETS


def _named(sample: Sample, targets: Mapping[str, Target], whole: Target) -> dict[str, str]:
    """Object -> the expression of a set that means it.

    Raises:
        DatasetError: an expression does not mean just one object, or two expressions mean the same.
    """
    named: dict[str, str] = {}
    for expression, target in targets.items():
        if len(target.objects) != 1:
            raise DatasetError(
                f"video {sample.video.id!r}, expression {expression!r} names "
                f"{len(target.objects)} objects: protocol {AnnotatorSets.name!r} wants one"
            )
        (thing,) = target.objects
        if thing in named:
            raise DatasetError(
                f"video {sample.video.id!r}: expressions {named[thing]!r} and {expression!r} of "
                f"one annotator set both name object {thing!r}; "
                f"protocol {AnnotatorSets.name!r} wants one expression an object and set"
            )
        named[thing] = expression
    return named


def _score_set(
    sample: Sample,
    annotator: int,
    named: Mapping[str, str],
    target: Target,
    predictions: Mapping[str, Prediction],
) -> list[ExpressionScore]:
    ids = list(named.values())
    given = [fitting_prediction(sample, i, target, predictions) for i in ids]
    for expression, prediction in zip(ids, given, strict=True):
        check_soft(prediction, f"video {sample.video.id!r}, expression {expression!r}")
    masks = compete(given, target.annotated)
    rows = []
    for thing, (label, counts) in zip(target.objects, match(masks, target), strict=True):
        name = ids[label] if label < len(ids) else f"{annotator}/object {thing}"
        row = object_score(sample, name, counts, target)
        rows.append(replace(row, metrics={**row.metrics, "set": annotator}))
    return rows


def compete(given: Sequence[Prediction], annotated: Sequence[int]) -> list[MaskSequence]:
    """Give every pixel of the annotated frames to at most one of N predictions of a video.

    Args:
        given: N predictions for all frames of the video.
        annotated: the indices of the annotated frames in the video.

    Returns:
        N disjoint mask sequences on the annotated frames.
    """
    order = list(range(len(given)))
    if all(prediction.soft is None for prediction in given):
        order.sort(key=lambda i: -given[i].score)
    labels = []
    for frame in annotated:
        claimed = np.stack([_probability(given[i], frame) for i in order])
        winner = np.array(order)[claimed.argmax(axis=0)]
        labels.append(np.where(claimed.max(axis=0) >= _HALF, winner, -1))
    return [
        MaskSequence.from_arrays([label == i for label in labels], prediction.masks.size)
        for i, prediction in enumerate(given)
    ]


def _probability(prediction: Prediction, frame: int) -> NDArray[np.uint8]:
    masks, soft = prediction.masks, prediction.soft
    return masks.frame(frame).astype(np.uint8) * np.uint8(255) if soft is None else soft[frame]
