"""The shape that most protocols share: a mean over frames, then a mean over expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rvosbench.errors import DatasetError, IncompletePredictionError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.frames import score_frames
from rvosbench.metrics.region import Scores
from rvosbench.protocols import ExpressionScore, Summary, TruthLookup
from rvosbench.records import Prediction, Sample, Target


@dataclass(frozen=True)
class MeanOverExpressions:
    """J and F against the union of an expression's objects; every expression weighs the same.

    Frames without truth are left out, void is not used, an expression without target is scored
    by the rule for empty masks.

    Attributes:
        name: as on the command line.
        version: changes whenever a number could change.
        official: whether the authors published the scorer.
    """

    name: str
    version: str
    official: bool = True

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every expression of one video.

        Raises:
            IncompletePredictionError: an expression has no prediction.
            PredictionError: a prediction does not cover the video's frames at the truth's size.
        """
        return tuple(
            _score(sample, expression.id, truth(expression.id), predictions)
            for expression in sample.expressions
        )

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Unweighted means over expressions; raises DatasetError if there are none."""
        return mean_summary(scores)


def _score(
    sample: Sample, expression_id: str, target: Target, predictions: Mapping[str, Prediction]
) -> ExpressionScore:
    predicted = annotated_masks(sample, expression_id, target, predictions)
    j, f = score_frames(predicted, target.union())
    return expression_score(sample.video.id, expression_id, (j, f), target.annotated)


def annotated_masks(
    sample: Sample, expression_id: str, target: Target, predictions: Mapping[str, Prediction]
) -> MaskSequence:
    """The predicted masks on the frames that have truth, after checking that they fit.

    Raises:
        DatasetError: no frame has truth.
        IncompletePredictionError: the expression has no prediction.
        PredictionError: the number or the size of the masks is wrong.
    """
    where = f"video {sample.video.id!r}, expression {expression_id!r}"
    if not target.annotated:
        raise DatasetError(f"{where}: no frame has truth, so it cannot be scored")
    if expression_id not in predictions:
        raise IncompletePredictionError(f"{where}: there is no prediction")
    masks = predictions[expression_id].masks
    if len(masks) != len(sample.video):
        raise PredictionError(
            f"{where}: got {len(masks)} masks, wanted {len(sample.video)}, one for every frame "
            "of the video"
        )
    if masks.size != target.size:
        raise PredictionError(
            f"{where}: got masks of {masks.height}x{masks.width}, wanted "
            f"{target.size[0]}x{target.size[1]} (height x width): predict at the size of the frames"
        )
    return masks.at(target.annotated)


def expression_score(
    video_id: str, expression_id: str, frame_scores: tuple[Scores, Scores], frames: Sequence[int]
) -> ExpressionScore:
    """Means over the frames of (J, F), each (T,) float64 with T > 0, and the values beside."""
    j, f = frame_scores
    return ExpressionScore(
        video=video_id,
        expression=expression_id,
        j=float(np.mean(j)),
        f=float(np.mean(f)),
        frame_j=tuple(j.tolist()),
        frame_f=tuple(f.tolist()),
        frames=tuple(frames),
    )


def mean_summary(
    scores: Sequence[ExpressionScore], extra: Mapping[str, float] | None = None
) -> Summary:
    """Means of J and F over `scores`, and their mean J&F.

    Raises:
        DatasetError: there is nothing to average.
    """
    if not scores:
        raise DatasetError("no expression was scored, so there is no mean: is the dataset empty?")
    j = float(np.mean(np.array([s.j for s in scores])))
    f = float(np.mean(np.array([s.f for s in scores])))
    return Summary(j=j, f=f, jf=(j + f) / 2, extra=extra or {})
