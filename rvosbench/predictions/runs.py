"""The predictions that a run of `rvosbench eval` keeps, as a contender of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.predictions.source import MissingPolicy
from rvosbench.records import Prediction, Sample
from rvosbench.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RunSource:
    """A run folder of `evaluate`."""

    path: Path
    missing: MissingPolicy = "error"

    def predict(self, sample: Sample) -> dict[str, Prediction]:
        """Expression id -> prediction; raises IncompletePredictionError for what is missing."""
        found = self._read(sample)
        return {key: self._one(found, sample, key) for key in self.answers(sample)}

    def answers(self, sample: Sample) -> tuple[str, ...]:
        """The ids of the sample's expressions."""
        return tuple(expression.id for expression in sample.expressions)

    def answer(self, sample: Sample, key: str) -> Prediction:
        """The prediction for the expression `key`; raises as `predict`."""
        return self._one(self._read(sample), sample, key)

    def digest(self, sample: Sample) -> str:
        """Hash of the video's file."""
        return RunFolder(self.path).video(sample.video.id).digest()

    def holds(self, video_id: str) -> bool:
        """Whether the run finished the video."""
        return RunFolder(self.path).video(video_id).there

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Videos that none of the samples asks for."""
        asked = {sample.video.id for sample in samples}
        return tuple(v for v in RunFolder(self.path).video_ids() if v not in asked)

    def _read(self, sample: Sample) -> Mapping[str, Prediction]:
        files = RunFolder(self.path).video(sample.video.id)
        if not files.there:
            return {}
        kept = files.predictions()
        if kept.frames != sample.video.frame_names:
            raise PredictionError(
                f"{files.path}: made for {len(kept.frames)} frames that are not the "
                f"{len(sample.video)} of video {sample.video.id!r}: is it the right dataset?"
            )
        return kept.by_expression

    def _one(self, found: Mapping[str, Prediction], sample: Sample, key: str) -> Prediction:
        if key in found:
            return found[key]
        if self.missing == "error":
            raise IncompletePredictionError(
                f"{self.path}: no answer to video {sample.video.id!r}, expression {key!r}: was the "
                "run cut off or made for other videos? --missing zero counts it as empty"
            )
        return Prediction(MaskSequence.empty(len(sample.video), sample.video.size))
