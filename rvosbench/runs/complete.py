"""What a method may predict, and what it must."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rvosbench.contracts import Answer
from rvosbench.errors import IncompletePredictionError, PredictionError, few
from rvosbench.masks import MaskSequence
from rvosbench.records import Prediction, Sample


def as_prediction(answer: Answer) -> Prediction:
    """A prediction as it is; bare masks as a prediction of score 1.

    Raises:
        PredictionError: it is neither.
    """
    if isinstance(answer, Prediction):
        return answer
    if isinstance(answer, MaskSequence):
        return Prediction(answer)
    raise PredictionError(
        f"got a {type(answer).__name__} for a prediction, wanted a Prediction or a MaskSequence "
        "(MaskSequence.from_arrays packs (H, W) arrays)"
    )


def complete(
    answers: Mapping[str, Answer], sample: Sample, method_name: str
) -> dict[str, Prediction]:
    """All predictions for a video, in the order of its expressions, after checking them.

    Args:
        answers: expression id -> prediction, or bare masks.
        sample: the video and its expressions.
        method_name: who predicted, for the messages.

    Raises:
        IncompletePredictionError: an expression has no prediction.
        PredictionError: one of no expression, or that does not cover every frame at its size.
    """
    where = f"{method_name}, video {sample.video.id!r}"
    asked = [expression.id for expression in sample.expressions]
    missing = [i for i in asked if i not in answers]
    unasked = [i for i in answers if i not in set(asked)]
    if missing:
        raise IncompletePredictionError(
            f"{where}: no prediction for {_quoted(missing)} (there are {_quoted(answers)}); "
            "predict every expression, with empty masks if nothing is meant"
        )
    if unasked:
        found = _quoted(unasked)
        raise PredictionError(f"{where}: predictions for {found}, which nobody asked for")
    return {i: _checked(answers[i], sample, f"{where}, expression {i!r}") for i in asked}


def _checked(answer: Answer, sample: Sample, where: str) -> Prediction:
    try:
        prediction = as_prediction(answer)
    except PredictionError as error:
        raise PredictionError(f"{where}: {error}") from error
    masks, length, size = prediction.masks, len(sample.video), sample.video.size
    if len(masks) != length:
        raise PredictionError(
            f"{where}: got {len(masks)} masks, wanted {length}, one for every frame of the video"
        )
    if masks.size != size:
        raise PredictionError(
            f"{where}: got masks of {masks.height}x{masks.width}, wanted {size[0]}x{size[1]} "
            "(height x width): predict at the size of the frames"
        )
    if not 0 <= prediction.score <= 1:
        raise PredictionError(f"{where}: got score {prediction.score}, wanted one in [0, 1]")
    soft = prediction.soft
    if soft is not None and (soft.shape != (length, *size) or soft.dtype != np.uint8):
        raise PredictionError(
            f"{where}: got soft masks {soft.dtype} {soft.shape}, wanted uint8 {(length, *size)} "
            "(frames, height, width)"
        )
    return prediction


def _quoted(ids: Iterable[object]) -> str:
    return few([repr(i) for i in ids], limit=5)
