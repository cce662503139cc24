"""Predictions and scores of one video as JSON rows: what a run keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from rvosbench.contracts import ExpressionScore
from rvosbench.errors import MaskError, PredictionError
from rvosbench.masks import MaskSequence
from rvosbench.recipe import digest
from rvosbench.records import Json, Prediction, Video


def prediction_rows(video: Video, predictions: Mapping[str, Prediction]) -> dict[str, Json]:
    """The video's frame names and size, and by expression score, diagnostics and COCO RLE."""
    rows = {
        expression: {
            "score": p.score,
            "diagnostics": dict(p.diagnostics),
            "masks": [p.masks.rle(i)["counts"] for i in range(len(p.masks))],
        }
        for expression, p in predictions.items()
    }
    frames, size = list(video.frame_names), list(video.size)
    return {"video": video.id, "frames": frames, "size": size, "expressions": rows}


def predictions_from_rows(content: Mapping[str, Json]) -> dict[str, Prediction]:
    """Expression id -> prediction: inverse of `prediction_rows`."""
    height, width = content["size"]
    return {
        expression: Prediction(
            MaskSequence.from_rle(
                [{"size": [height, width], "counts": counts} for counts in row["masks"]],
                (height, width),
            ),
            row["score"],
            diagnostics=row["diagnostics"],
        )
        for expression, row in content["expressions"].items()
    }


def to_row(score: ExpressionScore) -> dict[str, Json]:
    """A score without its video; Python writes a float so that reading gives the same bits."""
    return {
        "expression": score.expression,
        "j": score.j,
        "f": score.f,
        "frames": list(score.frames),
        "frame_j": list(score.frame_j),
        "frame_f": list(score.frame_f),
        "figures": dict(score.figures),
    }


def from_row(video: str, row: Mapping[str, Json]) -> ExpressionScore:
    """Inverse of `to_row`; other keys are ignored."""
    frames, frame_j, frame_f = (tuple(row[name]) for name in ("frames", "frame_j", "frame_f"))
    figures = row.get("figures", {})
    return ExpressionScore(
        video, row["expression"], row["j"], row["f"], frame_j, frame_f, frames, figures
    )


def content_hash(hashes: Mapping[str, str]) -> str:
    """One sha256 over the hashes of all answers to a video, by answer."""
    return digest(dict(hashes))


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


class ReadOnce(Mapping[str, Prediction]):
    """Answers that are decoded and hashed when they are asked for, and not kept.

    So every file is read once, and the memory is that of one answer. An answer that cannot be
    read raises when it is asked for.
    """

    def __init__(self, ids: Iterable[str], read: Callable[[str], Prediction]) -> None:
        self._ids, self._read = tuple(ids), read
        self._hashes: dict[str, str] = {}

    def __getitem__(self, key: str) -> Prediction:
        if key not in self._ids:
            raise KeyError(key)
        packed = self._decoded(key)
        self._hashes.setdefault(key, pixel_hash(packed.masks))
        return packed

    def __contains__(self, key: object) -> bool:
        return key in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def hashes(self, unreadable: bool = False) -> Mapping[str, str]:
        """Answer -> hash of its pixels; those that nobody asked for are read now.

        With `unreadable`, answers that cannot be read count as such instead of raising.
        """
        for key in self._ids:
            if key not in self._hashes:
                self._hashes[key] = self._late(key, unreadable)
        return {key: self._hashes[key] for key in sorted(self._ids)}

    def _decoded(self, key: str) -> Prediction:
        answer = self._read(key)
        try:
            return replace(answer, masks=answer.masks.packed())
        except MaskError as error:
            raise PredictionError(f"the answer {key!r} cannot be decoded: {error}") from error

    def _late(self, key: str, unreadable: bool) -> str:
        try:
            return pixel_hash(self._decoded(key).masks)
        except PredictionError:
            if unreadable:
                return "unreadable"
            raise
