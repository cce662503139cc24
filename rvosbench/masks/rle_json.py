"""Predictions in one JSON file of COCO run lengths.

Accepted is `{video: {expression: answer}}`, where an answer is a list with one RLE (or null: empty)
a frame, or an object that has this list under `prediction_masks` (as Sa2VA writes it) or `masks`,
and may have a `score` in [0, 1] and `frames`, the names of the frames in the order of the list. An
RLE is `{"size": [h, w], "counts": text or run lengths}`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rvosbench.errors import IncompletePredictionError, MaskError, PredictionError
from rvosbench.masks import MaskSequence, Rle
from rvosbench.predictions.source import MissingPolicy
from rvosbench.predictions.wording import few
from rvosbench.records import Json, Prediction, Sample

_MASKS = ("prediction_masks", "masks")


@dataclass(frozen=True)
class RleFile:
    """Predictions in a JSON file, read when first asked for."""

    path: Path
    missing: MissingPolicy = "error"

    def predict(self, sample: Sample) -> dict[str, Prediction]:
        """Expression id -> prediction.

        Raises:
            IncompletePredictionError: an expression is not there and `missing` is "error".
            PredictionError: an answer that is not what the module describes, or does not fit.
        """
        return {key: self.answer(sample, key) for key in self.answers(sample)}

    def answers(self, sample: Sample) -> tuple[str, ...]:
        """The ids of the sample's expressions."""
        return tuple(expression.id for expression in sample.expressions)

    def answer(self, sample: Sample, key: str) -> Prediction:
        """The prediction for the expression `key`; raises as `predict`."""
        where = f"{self.path}: video {sample.video.id!r}, expression {key!r}"
        entry = self._video(sample.video.id).get(key)
        if entry is None:
            if self.missing == "error":
                raise IncompletePredictionError(
                    f"{where} is missing; found {few(sorted(self._video(sample.video.id)))}. "
                    "Answer every expression, or count it as empty with --missing zero"
                )
            return Prediction(MaskSequence.empty(len(sample.video), sample.video.size))
        masks, frames, score = _fields(entry, where)
        ordered = self._ordered(sample, masks, frames, where)
        try:
            return Prediction(MaskSequence.from_rle(ordered, sample.video.size), score)
        except MaskError as error:
            raise PredictionError(f"{where}: {error}") from error

    def digest(self, sample: Sample) -> str:
        """Changes when the answers to the video change."""
        text = json.dumps(self._video(sample.video.id), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def holds(self, video_id: str) -> bool:
        """Whether the file has the video."""
        return video_id in _content(self.path)

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Videos and "video/expression" that none of the samples asks for."""
        asked = {s.video.id: {e.id for e in s.expressions} for s in samples}
        found = []
        for video in sorted(_content(self.path)):
            if video not in asked:
                found.append(video)
            else:
                found += [
                    f"{video}/{e}" for e in sorted(self._video(video)) if e not in asked[video]
                ]
        return tuple(found)

    def _video(self, video_id: str) -> dict[str, Json]:
        entry = _content(self.path).get(video_id, {})
        if not isinstance(entry, dict):
            raise PredictionError(
                f"{self.path}: video {video_id!r} is a {type(entry).__name__}, wanted an object "
                "{expression: answer}"
            )
        return entry

    def _ordered(
        self, sample: Sample, masks: list[Rle | None], frames: list[str] | None, where: str
    ) -> list[Rle | None]:
        wanted = sample.video.frame_names
        if frames is None:
            frames = list(wanted)
        if len(masks) != len(frames):
            raise PredictionError(f"{where}: {len(masks)} masks, wanted {len(frames)}, one a frame")
        named = dict(zip(frames, masks, strict=True))
        absent = [name for name in wanted if name not in named]
        if absent and self.missing == "error":
            raise IncompletePredictionError(
                f"{where}: {len(absent)} of {len(wanted)} frames are missing, such as {few(absent)}"
            )
        return [named.get(name) for name in wanted]


def _fields(entry: Json, where: str) -> tuple[list[Rle | None], list[str] | None, float]:
    found = entry if isinstance(entry, dict) else {"masks": entry}
    masks = next((found[name] for name in _MASKS if name in found), None)
    if not isinstance(masks, list) or not all(m is None or _is_rle(m) for m in masks):
        raise PredictionError(
            f"{where}: wanted a list of RLE or null, one a frame, or an object with such a list as "
            f"{' or '.join(_MASKS)}; got {str(entry)[:60]}"
        )
    frames, score = found.get("frames"), found.get("score", 1.0)
    if not isinstance(score, int | float) or not 0 <= score <= 1:
        raise PredictionError(f"{where}: got score {score!r}, wanted a number in [0, 1]")
    names = [str(name) for name in frames] if isinstance(frames, list) else None
    return masks, names, float(score)


def _is_rle(value: Json) -> bool:
    return isinstance(value, dict) and "size" in value and "counts" in value


def _content(path: Path) -> dict[str, Json]:
    stat = path.stat()
    return _read(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, size: int, changed: int) -> dict[str, Json]:
    """The file's content; `size` and `changed` make sure that it is the present one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PredictionError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise PredictionError(
            f"{path}: wanted a JSON object {{video: {{expression: answer}}}}, got a "
            f"{type(content).__name__}"
        )
    return content
