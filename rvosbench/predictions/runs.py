"""The predictions that a run of `rvosbench eval` keeps, as a contender of their own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import IncompletePredictionError, PredictionError
from rvosbench.files.names import file_name
from rvosbench.masks import MaskSequence
from rvosbench.predictions.source import MissingPolicy
from rvosbench.records import Json, Prediction, Sample
from rvosbench.runs.rows import predictions_from_rows

RUN_FILE = "run.json"
"""What a run folder has at its top."""


@dataclass(frozen=True)
class RunFolder:
    """A folder written by `evaluate`: `videos/<video>/predictions.json`."""

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
        file = self._file(sample.video.id)
        return hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()

    def holds(self, video_id: str) -> bool:
        """Whether the run finished the video."""
        return self._file(video_id).is_file()

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Videos that none of the samples asks for."""
        asked = {file_name(sample.video.id) for sample in samples}
        folders = sorted(self.path.glob("videos/*/predictions.json"))
        return tuple(f.parent.name for f in folders if f.parent.name not in asked)

    def _file(self, video_id: str) -> Path:
        return self.path / "videos" / file_name(video_id) / "predictions.json"

    def _read(self, sample: Sample) -> dict[str, Prediction]:
        file = self._file(sample.video.id)
        if not file.is_file():
            return {}
        content: Json = json.loads(file.read_text(encoding="utf-8"))
        if tuple(content["frames"]) != sample.video.frame_names:
            raise PredictionError(
                f"{file}: made for {len(content['frames'])} frames that are not the "
                f"{len(sample.video)} of video {sample.video.id!r}: is it the right dataset?"
            )
        return predictions_from_rows(content)

    def _one(self, found: dict[str, Prediction], sample: Sample, key: str) -> Prediction:
        if key in found:
            return found[key]
        if self.missing == "error":
            raise IncompletePredictionError(
                f"{self.path}: no answer to video {sample.video.id!r}, expression {key!r}: was the "
                "run cut off or made for other videos? --missing zero counts it as empty"
            )
        return Prediction(MaskSequence.empty(len(sample.video), sample.video.size))
