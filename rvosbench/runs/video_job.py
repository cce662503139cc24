"""One video of a run: predicted, checked, scored, and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rvosbench.contracts import Answer, Method, MethodIdentity, TruthLookup, TruthMethod
from rvosbench.errors import (
    DatasetError,
    IncompletePredictionError,
    PluginError,
    PredictionError,
    few,
)
from rvosbench.masks import MaskSequence
from rvosbench.metrics import official
from rvosbench.metrics.official.per_expression import check_soft, fitting
from rvosbench.recipe import Recipe
from rvosbench.records import Prediction, Sample
from rvosbench.runs.evaluation_set import EvaluationSet, GroundTruth
from rvosbench.runs.participant import Participant
from rvosbench.runs.prediction_sources import VideoPredictions
from rvosbench.runs.run_folder import VideoFiles, VideoScores


class VideoJob:
    """Predicts and scores one video; a worker process builds the method once, on first use."""

    def __init__(
        self,
        participant: Participant,
        task: EvaluationSet,
        identity: MethodIdentity,
        built: Method | TruthMethod | None,
    ) -> None:
        self.participant, self._identity, self._method = participant, identity, built
        self._dataset, self._protocol, self._hidden = task.dataset, task.protocol, task.hidden
        self._ids = task.ids

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_method": None}

    def __call__(self, key: str, output: Path) -> None:
        """Write predictions and, where there is ground truth, scores into the folder `output`."""
        output.mkdir(parents=True)
        files, sample = VideoFiles(output), self._dataset.sample(key)
        truth = GroundTruth(self._dataset, key)
        if not self._hidden:
            sample = _sized(sample, truth)
        method = self._built()
        predictions = (
            method.predict_with_truth(sample, truth)
            if isinstance(method, TruthMethod)
            else method.predict(sample)
        )
        if not isinstance(predictions, VideoPredictions):
            predictions = complete(predictions, sample, self.participant.name)
            files.write_predictions(sample.video, predictions)
        scores = [] if self._hidden else self._protocol.score_video(sample, truth, predictions)
        kept = VideoScores(tuple(scores))
        if isinstance(predictions, VideoPredictions):
            dropped = self._protocol.version.endswith(official.VARIANT)
            pixels = predictions.digest(unreadable=dropped)
            kept = replace(kept, pixels=pixels, missing=predictions.filled)
        files.write_scores(kept)

    def _built(self) -> Method | TruthMethod:
        if self._method is None:
            method = self.participant.build()
            _check_same(self._identity, self.participant.identity_of(method, self._ids))
            self._method = method
        return self._method


def _check_same(told: MethodIdentity, built: MethodIdentity) -> None:
    """What a method told of itself before it was built is in the signature: it must be true."""
    differences = Recipe(told.provenance).differences(Recipe(built.provenance))
    if told.card != built.card:
        differences.append("the card is another one")
    if differences:
        raise PluginError(
            "the built method is not what its `identify` said, so that the run's signature would "
            f"be wrong: {'; '.join(differences)}"
        )


def _sized(sample: Sample, truth: TruthLookup) -> Sample:
    """The sample; its size is that of the ground truth if the frames are not on disk."""
    try:
        _ = sample.video.size
    except DatasetError:
        size = truth(sample.expressions[0].id).size
        return replace(sample, video=replace(sample.video, measure=lambda: size))
    return sample


def complete(answers: Mapping[str, Answer], sample: Sample, method: str) -> dict[str, Prediction]:
    """All predictions for a video, in the order of its expressions, after checking them.

    Args:
        answers: expression id -> prediction, or bare masks.
        sample: the video and its expressions.
        method: who predicted, for the messages.

    Raises:
        IncompletePredictionError: an expression has no prediction.
        PredictionError: one of no expression, or that does not cover every frame at its size.
    """
    where = f"{method}, video {sample.video.id!r}"
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
    prediction = Prediction(answer) if isinstance(answer, MaskSequence) else answer
    if not isinstance(prediction, Prediction):
        raise PredictionError(
            f"{where}: got a {type(answer).__name__} for a prediction, wanted a Prediction or a "
            "MaskSequence (MaskSequence.from_arrays packs (H, W) arrays)"
        )
    fitting(prediction.masks, sample, sample.video.size, where)
    if not 0 <= prediction.score <= 1:
        raise PredictionError(f"{where}: got score {prediction.score}, wanted one in [0, 1]")
    check_soft(prediction, where)
    return prediction


def _quoted(ids: Iterable[object]) -> str:
    return few([repr(i) for i in ids], limit=5)
