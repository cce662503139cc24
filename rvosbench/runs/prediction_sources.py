"""Predictions that somebody made before, read when they are asked for: a JSON file, or a run.

A source is a method that reads instead of predicting. All read one video as `VideoPredictions`, and
leave to the missing-policy what to do about what is not there. They can be sent to another process;
trees of files are in `rvosbench.runs.predictions`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from rvosbench.errors import PredictionError, few, told_as
from rvosbench.masks import MaskSequence
from rvosbench.masks.rle_json import read_rles, rle_masks
from rvosbench.missing import Missing, MissingPolicy
from rvosbench.recipe import digest
from rvosbench.records import Json, Prediction, Sample
from rvosbench.runs.run_folder import RunFolder

_MASKS = ("prediction_masks", "masks")
_NOTHING = Missing()

Filled = tuple[Prediction, Missing]
"""A prediction, with empty masks where there are none, and how many those are."""


class VideoPredictions(Mapping[str, Prediction]):
    """The predictions for one video, decoded and hashed when they are asked for, and not kept.

    So every file is read once, and the memory is that of one prediction.

    Args:
        keys: what can be asked for, in order: ids of expressions, or labels.
        read: what is done when a key is asked for.
        missing: of all keys alike.
    """

    def __init__(
        self, keys: Sequence[str], read: Callable[[str], Filled], missing: Missing = _NOTHING
    ) -> None:
        self._keys, self._read = tuple(keys), read
        self._filled: dict[str | None, Missing] = {None: missing}
        self._hashes: dict[str, str] = {}

    @property
    def filled(self) -> Missing:
        """How much of what was asked for until now was not there and counts as empty."""
        return Missing.total(self._filled.values())

    def __getitem__(self, key: str) -> Prediction:
        """The prediction, with its masks as packed bits: files are read now, and not later.

        Raises:
            KeyError: nobody can ask for it.
            IncompletePredictionError: masks are not there, and must be.
            PredictionError: files that cannot be read, or do not fit the video.
        """
        if key not in self._keys:
            raise KeyError(key)
        with told_as(PredictionError):
            prediction, self._filled[key] = self._read(key)
            packed = replace(prediction, masks=prediction.masks.packed())
        self._hashes.setdefault(key, pixel_hash(packed.masks))
        return packed

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def digest(self, unreadable: bool = False) -> str:
        """One sha256 over the pixels of all predictions; those not asked for are read now.

        With `unreadable`, predictions that cannot be read count as such instead of raising.
        """
        for key in self:
            if key not in self._hashes:
                try:
                    _ = self[key]
                except PredictionError:
                    if not unreadable:
                        raise
                    self._hashes[key] = "unreadable"
        return digest(self._hashes)


class PredictionSource(Protocol):
    """A place of predictions. All may raise PredictionError for files that are no predictions.

    Attributes:
        missing: what to do about predictions that are not there.
        layout: what lies there, for messages.
    """

    @property
    def missing(self) -> MissingPolicy: ...  # noqa: D102 described above
    @property
    def layout(self) -> str: ...  # noqa: D102
    def predict(self, sample: Sample) -> VideoPredictions:
        """Expression id -> prediction, or label -> masks of the label.

        Raises:
            IncompletePredictionError: label images are not there, and must be; of expressions this
                is told when they are asked for.
            PredictionError: a video that is there twice, or files that cannot be read.
        """

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
    missing: MissingPolicy = MissingPolicy.ERROR
    layout = '{"<video>": {"<expression>": [RLE or null, ...]}}'

    def predict(self, sample: Sample) -> VideoPredictions:
        """See `PredictionSource`."""
        read = partial(self._read, sample, self._video(sample.video.id))
        return VideoPredictions(expression_ids(sample), read)

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
        content = json.dumps(self._video(sample.video.id), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def _video(self, video_id: str) -> dict[str, Json]:
        entry = _content(self.path).get(video_id, {})
        if not isinstance(entry, dict):
            raise PredictionError(
                f"{self.path}: video {video_id!r} is a {type(entry).__name__}, wanted an object "
                "{expression: prediction}"
            )
        return entry

    def _read(self, sample: Sample, video: Mapping[str, Json], key: str) -> Filled:
        frames, size = sample.video.frame_names, sample.video.size
        if video.get(key) is None:
            gap = gap_of(str(self.path), sample, key, len(frames), sorted(video), [key])
            return Prediction(MaskSequence.empty(len(frames), size)), self.missing.fill(*gap)
        where = f"{self.path}: video {sample.video.id!r}, expression {key!r}"
        masks, names, score = _fields(video[key], where)
        rles = read_rles(masks, len(frames if names is None else names), where)
        named = dict(zip(frames if names is None else names, rles, strict=True))
        absent = [name for name in frames if name not in named]
        found = _decoded(rle_masks([named.get(n) for n in frames], size, where), where)
        gap = gap_of(str(self.path), sample, key, len(absent), list(named), absent)
        return Prediction(found, score), self.missing.fill(*gap)


@dataclass(frozen=True)
class RunSource:
    """The predictions that a run of `rvosbench eval` keeps."""

    run: RunFolder
    missing: MissingPolicy = MissingPolicy.ERROR
    layout = "a folder of `rvosbench eval`"

    def predict(self, sample: Sample) -> VideoPredictions:
        """See `PredictionSource`; raises ResultError if the video's file is damaged."""
        read = partial(self._read, sample, self._video(sample))
        return VideoPredictions(expression_ids(sample), read)

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

    def _read(self, sample: Sample, video: Mapping[str, Prediction], key: str) -> Filled:
        if key in video:
            where = f"{self.run.path}: video {sample.video.id!r}, expression {key!r}"
            return replace(video[key], masks=_decoded(video[key].masks, where)), Missing()
        where, length = f"{self.run.path} (cut off, or of other videos?)", len(sample.video)
        gap = gap_of(where, sample, key, length, sorted(video), [key])
        return Prediction(MaskSequence.empty(length, sample.video.size)), self.missing.fill(*gap)


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
) -> tuple[Missing, str]:
    """What `MissingPolicy.fill` is told of `absent` masks of an expression, or label images (None).

    An expression without any mask is missing as such.
    """
    number, video = len(sample.video), f"video {sample.video.id!r}"
    what = f"label images of {video}" if key is None else f"masks of {video}, expression {key!r}"
    return (
        Missing(absent, int(key is not None and absent == number)),
        f"{where}: {absent} of {number} {what} are missing; found {few(found)}, wanted "
        f"{few(wanted)}",
    )


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


def pixel_hash(masks: MaskSequence) -> str:
    """sha256 over the pixels of T masks, whatever their storage or file format."""
    content = hashlib.sha256(f"{len(masks)}x{masks.height}x{masks.width};".encode())
    for index in range(len(masks)):
        words = masks.words(index)
        rows = np.flatnonzero(words.any(axis=1))
        # Rows without foreground tell nothing: most of a mask need not be hashed.
        first, end = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
        content.update(f"{first}-{end}:".encode())
        content.update(words[first:end].astype("<u8", copy=False).tobytes())
    return content.hexdigest()
