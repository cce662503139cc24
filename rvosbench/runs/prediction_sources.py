"""Where predictions come from that somebody made before: a JSON file, a run, trees of files.

A source only says what is there and reads it; what to do about the rest is decided once, by
`rvosbench.runs.predictions.Predictions`. Sources can be sent to another process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

from rvosbench.errors import PredictionError, few, told_as
from rvosbench.masks import MaskSequence
from rvosbench.masks.rle_json import read_rles, rle_masks
from rvosbench.records import Json, Missing, Prediction, Sample
from rvosbench.runs.run_folder import RunFolder

_MASKS = ("prediction_masks", "masks")


@dataclass(frozen=True)
class Gap:
    """What is not there of a prediction: how much, and a message that says what and where."""

    missing: Missing
    told: str


@dataclass(frozen=True)
class Found:
    """What a source has for one video.

    Attributes:
        keys: what can be asked for, in order: ids of expressions, or labels.
        read: key -> its prediction, with empty masks where there are none, and what is missing.
        gap: what is missing of all keys alike.
    """

    keys: tuple[str, ...]
    read: Callable[[str], tuple[Prediction, Gap | None]]
    gap: Gap | None = None


class PredictionSource(Protocol):
    """A place of predictions. All may raise PredictionError for files that are no predictions.

    Attributes:
        layout: what lies there, for messages.
    """

    @property
    def layout(self) -> str: ...  # noqa: D102 described above
    def find(self, sample: Sample) -> Found:
        """What is there for a video; masks are decoded when they are asked for."""

    def holds(self, video_id: str) -> bool:
        """Whether there is anything for a video."""

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """Names of entries that none of the samples asks for."""

    def digest(self, sample: Sample) -> str:
        """Changes when something of the video's predictions changes; decodes nothing."""


@dataclass(frozen=True)
class RleFile:
    """A JSON file `{video: {expression: prediction}}` of run lengths, read when first asked for.

    A prediction is a list with one RLE (or null: empty) a frame, or an object that has this list
    under `prediction_masks` (as Sa2VA writes it) or `masks`, and may have a `score` in [0, 1] and
    `frames`, the names of the frames in the order of the list.
    """

    path: Path
    layout = '{"<video>": {"<expression>": [RLE or null, ...]}}'

    def find(self, sample: Sample) -> Found:
        """See `PredictionSource`."""
        return Found(
            expression_ids(sample), partial(self._read, sample, self._video(sample.video.id))
        )

    def holds(self, video_id: str) -> bool:
        """See `PredictionSource`."""
        return video_id in _content(self.path)

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """See `PredictionSource`; videos and "video/expression"."""
        asked = {sample.video.id: expression_ids(sample) for sample in samples}
        strangers = [video for video in _content(self.path) if video not in asked]
        known = [video for video in asked if self.holds(video)]
        entries = [f"{v}/{e}" for v in known for e in self._video(v) if e not in asked[v]]
        return tuple(sorted(strangers + entries))

    def digest(self, sample: Sample) -> str:
        """See `PredictionSource`."""
        return _hash(json.dumps(self._video(sample.video.id), sort_keys=True).encode())

    def _video(self, video_id: str) -> dict[str, Json]:
        entry = _content(self.path).get(video_id, {})
        if not isinstance(entry, dict):
            raise PredictionError(
                f"{self.path}: video {video_id!r} is a {type(entry).__name__}, wanted an object "
                "{expression: prediction}"
            )
        return entry

    def _read(
        self, sample: Sample, video: Mapping[str, Json], key: str
    ) -> tuple[Prediction, Gap | None]:
        frames, size = sample.video.frame_names, sample.video.size
        if video.get(key) is None:
            empty = Prediction(MaskSequence.empty(len(frames), size))
            return empty, gap_of(str(self.path), sample, key, len(frames), sorted(video), [key])
        where = f"{self.path}: video {sample.video.id!r}, expression {key!r}"
        masks, names, score = _fields(video[key], where)
        rles = read_rles(masks, len(frames if names is None else names), where)
        named = dict(zip(frames if names is None else names, rles, strict=True))
        absent = [name for name in frames if name not in named]
        found = _decoded(rle_masks([named.get(n) for n in frames], size, where), where)
        if not absent:
            return Prediction(found, score), None
        gap = gap_of(str(self.path), sample, key, len(absent), list(named), absent)
        return Prediction(found, score), gap


@dataclass(frozen=True)
class RunSource:
    """The predictions that a run of `rvosbench eval` keeps."""

    run: RunFolder
    layout = "a folder of `rvosbench eval`"

    def find(self, sample: Sample) -> Found:
        """See `PredictionSource`; raises ResultError if the video's file is damaged."""
        return Found(expression_ids(sample), partial(self._read, sample, self._video(sample)))

    def holds(self, video_id: str) -> bool:
        """See `PredictionSource`."""
        return self.run.video(video_id).there

    def extra(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """See `PredictionSource`; ids of videos."""
        asked = {sample.video.id for sample in samples}
        return tuple(video for video in self.run.video_ids() if video not in asked)

    def digest(self, sample: Sample) -> str:
        """See `PredictionSource`."""
        return self.run.video(sample.video.id).digest()

    def _video(self, sample: Sample) -> Mapping[str, Prediction]:
        files = self.run.video(sample.video.id)
        if not files.there:
            return {}
        kept = files.predictions()
        if kept.frames != sample.video.frame_names:
            raise PredictionError(
                f"{files.path}: made for {len(kept.frames)} frames that are not the "
                f"{len(sample.video)} of video {sample.video.id!r}: is it the right dataset?"
            )
        return kept.by_expression

    def _read(
        self, sample: Sample, video: Mapping[str, Prediction], key: str
    ) -> tuple[Prediction, Gap | None]:
        if key in video:
            where = f"{self.run.path}: video {sample.video.id!r}, expression {key!r}"
            return replace(video[key], masks=_decoded(video[key].masks, where)), None
        where, length = f"{self.run.path} (cut off, or of other videos?)", len(sample.video)
        gap = gap_of(where, sample, key, length, sorted(video), [key])
        return Prediction(MaskSequence.empty(length, sample.video.size)), gap


def expression_ids(sample: Sample) -> tuple[str, ...]:
    """Ids in order."""
    return tuple(expression.id for expression in sample.expressions)


def gap_of(
    where: str,
    sample: Sample,
    key: str | None,
    absent: int,
    found: Sequence[str],
    wanted: Sequence[str],
) -> Gap:
    """A gap of `absent` masks of an expression, or of the label images of a video (None).

    An expression without any mask is missing as such.
    """
    number, video = len(sample.video), f"video {sample.video.id!r}"
    what = f"label images of {video}" if key is None else f"masks of {video}, expression {key!r}"
    return Gap(
        Missing(absent, int(key is not None and absent == number)),
        f"{where}: {absent} of {number} {what} are missing; found {few(found)}, wanted "
        f"{few(wanted)}",
    )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _decoded(masks: MaskSequence, where: str) -> MaskSequence:
    """Masks decoded now, so that what is wrong with them is told with its place."""
    with told_as(PredictionError, where):
        return masks.packed()


def _fields(entry: Json, where: str) -> tuple[Json, list[str] | None, float]:
    """The list of masks, the names of its frames if given, and the score."""
    found = entry if isinstance(entry, dict) else {"masks": entry}
    masks = next((found[name] for name in _MASKS if name in found), None)
    if masks is None:
        raise PredictionError(
            f"{where}: wanted a list of RLE or null, one a frame, or an object with such a list as "
            f"{' or '.join(_MASKS)}; got {str(entry)[:60]}"
        )
    frames, score = found.get("frames"), found.get("score", 1.0)
    if not isinstance(score, int | float) or not 0 <= score <= 1:
        raise PredictionError(f"{where}: got score {score!r}, wanted a number in [0, 1]")
    names = [str(name) for name in frames] if isinstance(frames, list) else None
    return masks, names, float(score)


def _content(path: Path) -> dict[str, Json]:
    stat = path.stat()
    return _json(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _json(path: Path, size: int, changed: int) -> dict[str, Json]:
    """The file's content; `size` and `changed` make sure that it is the present one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PredictionError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise PredictionError(
            f"{path}: wanted a JSON object {{video: {{expression: prediction}}}}, got a "
            f"{type(content).__name__}"
        )
    return content
