"""Predictions and scores of one video as JSON rows: what a run keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rvosbench.masks import MaskSequence
from rvosbench.protocols import ExpressionScore
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
    }


def from_row(video: str, row: Mapping[str, Json]) -> ExpressionScore:
    """Inverse of `to_row`; other keys are ignored."""
    frames, frame_j, frame_f = (tuple(row[name]) for name in ("frames", "frame_j", "frame_f"))
    return ExpressionScore(video, row["expression"], row["j"], row["f"], frame_j, frame_f, frames)


def content_hash(predictions: Mapping[str, Prediction]) -> str:
    """sha256 over the pixels of all masks, whatever their storage or file format."""
    content = hashlib.sha256()
    for expression in sorted(predictions):
        masks = predictions[expression].masks
        content.update(f"{expression}:{len(masks)}x{masks.height}x{masks.width};".encode())
        for index in range(len(masks)):
            content.update(masks.words(index).astype("<u8", copy=False).tobytes())
    return content.hexdigest()
