"""The shape that most protocols share: a mean over frames, then a mean over expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, TruthLookup
from rvosbench.errors import DatasetError, IncompletePredictionError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.figures import frame_figures
from rvosbench.metrics.frames import Measures, measure_frames, stability
from rvosbench.metrics.official.known import KnownTarget
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
        answers: what is scored.
    """

    name: str
    version: str
    official: bool = True
    answers: Literal["expressions", "labels"] = "expressions"

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every expression of one video; those that mean the same objects share the work.

        Raises:
            IncompletePredictionError: an expression has no prediction.
            PredictionError: a prediction does not cover the video's frames at the truth's size.
        """
        scores = {}
        for known, ids in by_target(sample, truth):
            for expression in ids:
                scores[expression] = measured(sample, expression, known, predictions)[0]
        return tuple(scores[e.id] for e in sample.expressions)

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """Unweighted means over expressions; raises DatasetError if there are none."""
        return mean_summary(scores)


def by_target(sample: Sample, truth: TruthLookup) -> Iterator[tuple[KnownTarget, list[str]]]:
    """The video's targets, each with the expressions that mean just these objects.

    Only one target's masks and boundaries are held at a time.
    """
    targets = {e.id: truth(e.id) for e in sample.expressions}
    groups: dict[frozenset[str], list[str]] = {}
    for expression, target in targets.items():
        groups.setdefault(frozenset(target.objects), []).append(expression)
    for ids in groups.values():
        yield KnownTarget(targets[ids[0]]), ids


def measured(
    sample: Sample, expression_id: str, known: KnownTarget, predictions: Mapping[str, Prediction]
) -> tuple[ExpressionScore, Measures]:
    """One expression's score with its figures, and what it was made of.

    Raises:
        DatasetError, IncompletePredictionError, PredictionError: as `annotated_masks`.
    """
    masks, confidence = annotated_masks(sample, expression_id, known.target, predictions)
    measures = measure_frames(masks, known.outlines)
    figures = {
        **frame_figures(measures, masks.height * masks.width),
        **known.figures,
        "stability": stability(masks),
        "length": len(sample.video),
        "score": confidence,
    }
    frames = known.target.annotated
    return expression_score(sample.video.id, expression_id, measures, frames, figures), measures


def annotated_masks(
    sample: Sample, expression_id: str, target: Target, predictions: Mapping[str, Prediction]
) -> tuple[MaskSequence, float]:
    """The predicted masks on the frames that have truth, and the answer's score.

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
    prediction = predictions[expression_id]
    return fitting(prediction.masks, sample, target, where).at(target.annotated), prediction.score


def fitting(masks: MaskSequence, sample: Sample, target: Target, where: str) -> MaskSequence:
    """`masks`, if there is one for every frame of the video at the truth's size.

    Raises:
        PredictionError: the number or the size is wrong.
    """
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
    return masks


def expression_score(
    video_id: str,
    expression_id: str,
    measures: Measures,
    frames: Sequence[int],
    figures: Mapping[str, float] | None = None,
) -> ExpressionScore:
    """Means over T > 0 frames of J and F, and the values beside."""
    return ExpressionScore(
        video=video_id,
        expression=expression_id,
        j=float(np.mean(measures.j)),
        f=float(np.mean(measures.f)),
        frame_j=tuple(measures.j.tolist()),
        frame_f=tuple(measures.f.tolist()),
        frames=tuple(frames),
        figures=figures or {},
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
