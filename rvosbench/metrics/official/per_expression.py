"""The shape that most protocols share: a mean over frames, then a mean over expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from rvosbench.contracts import ExpressionScore, Summary, TruthLookup
from rvosbench.errors import DatasetError, IncompletePredictionError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.boundary import tolerance
from rvosbench.metrics.counts import Counts, Outlines, count, stability
from rvosbench.metrics.values import frame_values, means
from rvosbench.records import Prediction, Sample, Target

Rule: TypeAlias = Callable[[ExpressionScore, Counts, Target], ExpressionScore]
"""What a protocol makes of an expression's plain J and F, its counts and its target."""

Refused: TypeAlias = Callable[[Sample, Mapping[str, PredictionError]], Sequence[ExpressionScore]]
"""What a protocol adds to the scores of a video for expressions with an error."""


def mean_summary(
    scores: Sequence[ExpressionScore], metrics: Mapping[str, float] | None = None
) -> Summary:
    """Means of J and F over `scores`, and their mean J&F.

    Raises:
        DatasetError: there is nothing to average.
    """
    if not scores:
        raise DatasetError("no expression was scored, so there is no mean: is the dataset empty?")
    return Summary(**means(scores), metrics=metrics or {})


@dataclass(frozen=True)
class PerExpression:
    """J and F against the union of an expression's objects; every expression weighs the same.

    Frames without ground truth are left out, void is not used, an expression without target is
    scored by the rule for empty masks.

    Attributes:
        name, version, official, answers: as in `rvosbench.contracts.ScoringProtocol`.
        rule: what it makes of each expression; None leaves J and F as they are.
        summary: one number for the split, from all scores.
        refused: what counts for predictions that are missing or do not fit; None raises the error.
    """

    name: str
    version: str
    official: bool = True
    answers: Literal["expressions", "labels"] = "expressions"
    rule: Rule | None = None
    summary: Callable[[Sequence[ExpressionScore]], Summary] = mean_summary
    refused: Refused | None = None

    def score_video(
        self, sample: Sample, truth: TruthLookup, predictions: Mapping[str, Prediction]
    ) -> tuple[ExpressionScore, ...]:
        """Score every expression of one video; those that mean the same objects share the work.

        Raises:
            DatasetError: a target without annotated frame.
            IncompletePredictionError: an expression has no prediction.
            PredictionError: a prediction does not cover the video's frames at the target's size.
        """
        scores: dict[str, ExpressionScore] = {}
        errors: dict[str, PredictionError] = {}
        for target, ids in by_target(sample, truth):
            outlines = Outlines(target.union())
            targets, target_stability = len(target.objects), stability(outlines.masks)
            for expression in ids:
                try:
                    given = fitting_prediction(sample, expression, target, predictions)
                    masks = given.masks.at(target.annotated)
                    counts = count(masks, outlines, radius=tolerance(masks.size))
                except PredictionError as error:
                    if self.refused is None:
                        raise
                    errors[expression] = error
                    continue
                values = {
                    **frame_values(counts, masks.height * masks.width),
                    "targets": targets,
                    "target_stability": target_stability,
                    "stability": stability(masks),
                    "length": len(sample.video),
                    "score": given.score,
                }
                score = expression_score(
                    sample.video.id, expression, counts, target.annotated, values
                )
                scores[expression] = self.rule(score, counts, target) if self.rule else score
        kept = tuple(scores[e.id] for e in sample.expressions if e.id in scores)
        return kept + tuple(self.refused(sample, errors)) if self.refused else kept

    def summarize(self, scores: Sequence[ExpressionScore]) -> Summary:
        """By `summary`; raises DatasetError if there are no scores."""
        return self.summary(scores)


def by_target(sample: Sample, truth: TruthLookup) -> Iterator[tuple[Target, list[str]]]:
    """The video's targets, each with the expressions that mean just these objects."""
    targets = {e.id: truth(e.id) for e in sample.expressions}
    groups: dict[frozenset[str], list[str]] = {}
    for expression, target in targets.items():
        groups.setdefault(frozenset(target.objects), []).append(expression)
    for ids in groups.values():
        yield targets[ids[0]], ids


def fitting_prediction(
    sample: Sample, expression_id: str, target: Target, predictions: Mapping[str, Prediction]
) -> Prediction:
    """The prediction for an expression, with masks that fit the video and its ground truth.

    Raises:
        DatasetError: no frame has ground truth.
        IncompletePredictionError: the expression has no prediction.
        PredictionError: the number or the size of the masks is wrong.
    """
    where = f"video {sample.video.id!r}, expression {expression_id!r}"
    if not target.annotated:
        raise DatasetError(f"{where}: no frame has ground truth, so it cannot be scored")
    if expression_id not in predictions:
        raise IncompletePredictionError(f"{where}: there is no prediction")
    prediction = predictions[expression_id]
    fitting(prediction.masks, sample, target.size, where)
    return prediction


def fitting(masks: MaskSequence, sample: Sample, size: tuple[int, int], where: str) -> MaskSequence:
    """`masks`, if there is one for every frame of the video at `size`.

    Raises:
        PredictionError: the number or the size is wrong.
    """
    if len(masks) != len(sample.video):
        raise PredictionError(
            f"{where}: got {len(masks)} masks, wanted {len(sample.video)}, one for every frame "
            "of the video"
        )
    if masks.size != size:
        raise PredictionError(
            f"{where}: got masks of {masks.height}x{masks.width}, wanted "
            f"{size[0]}x{size[1]} (height x width): predict at the size of the frames"
        )
    return masks


def check_soft(prediction: Prediction, where: str) -> None:
    """Raises PredictionError for soft masks of another type, or not of the size of the masks."""
    soft, wanted = prediction.soft, (len(prediction.masks), *prediction.masks.size)
    if soft is not None and (soft.shape != wanted or soft.dtype != np.uint8):
        raise PredictionError(
            f"{where}: got soft masks {soft.dtype} {soft.shape}, wanted uint8 {wanted} "
            "(frames, height, width)"
        )


def expression_score(
    video_id: str,
    expression_id: str,
    counts: Counts,
    frames: Sequence[int],
    metrics: Mapping[str, float] | None = None,
) -> ExpressionScore:
    """Means over T > 0 frames of J and F, and the values beside."""
    return ExpressionScore(
        video=video_id,
        expression=expression_id,
        j=float(np.mean(counts.j)),
        f=float(np.mean(counts.f)),
        frame_j=tuple(counts.j.tolist()),
        frame_f=tuple(counts.f.tolist()),
        frames=tuple(frames),
        metrics=metrics or {},
    )
