"""One video of a run: predicted, checked, scored, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rvosbench.contracts import Answer, Method, MethodIdentity, TruthLookup, TruthMethod
from rvosbench.errors import DatasetError, PluginError
from rvosbench.metrics import official
from rvosbench.recipe import Recipe
from rvosbench.records import Sample
from rvosbench.runs.candidates import Candidate
from rvosbench.runs.complete import complete
from rvosbench.runs.predictions import VideoPredictions
from rvosbench.runs.run_folder import VideoFiles, VideoScores
from rvosbench.runs.task import Task
from rvosbench.runs.truth import GroundTruth


class VideoJob:
    """Predicts and scores one video; a worker process builds the method once, on first use."""

    def __init__(
        self,
        candidate: Candidate,
        task: Task,
        identity: MethodIdentity,
        built: Method | TruthMethod | None,
    ) -> None:
        self.candidate, self._identity, self._method = candidate, identity, built
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
        predictions = self._predicted(sample, truth)
        if not isinstance(predictions, VideoPredictions):
            predictions = complete(predictions, sample, self.candidate.name)
            files.write_predictions(sample.video, predictions)
        scores = [] if self._hidden else self._protocol.score_video(sample, truth, predictions)
        kept = VideoScores(tuple(scores))
        if isinstance(predictions, VideoPredictions):
            dropped = self._protocol.version.endswith(official.VARIANT)
            pixels = predictions.digest(unreadable=dropped)
            kept = replace(kept, pixels=pixels, missing=predictions.filled)
        files.write_scores(kept)

    def _predicted(self, sample: Sample, truth: GroundTruth) -> Mapping[str, Answer]:
        method = self._built()
        if isinstance(method, TruthMethod):
            return method.predict_with_truth(sample, truth)
        return method.predict(sample)

    def _built(self) -> Method | TruthMethod:
        if self._method is None:
            method = self.candidate.build()
            _check_same(self._identity, self.candidate.identity_of(method, self._ids))
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
