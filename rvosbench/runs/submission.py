"""A run's predictions as the zip that a dataset's own server takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rvosbench.errors import ResultError
from rvosbench.predictions import encode_mask, submission_name, write_archive
from rvosbench.records import Json
from rvosbench.runs.result import read_result
from rvosbench.runs.rows import predictions_from_rows


def pack_run(run: Path, out: Path) -> int:
    """Pack the predictions of a finished run, byte for byte the same every time.

    Args:
        run: folder written by `evaluate`.
        out: zip to write.

    Returns:
        Number of masks.

    Raises:
        ResultError: the folder holds no finished run, or one without predictions.
    """
    dataset = str(read_result(run / "result.json").facts["dataset"])
    files = sorted((run / "videos").glob("*/predictions.json"))
    if not files:
        raise ResultError(f"{run}: no predictions here; a run of `rvosbench score` keeps none")
    videos = sorted((json.loads(f.read_text(encoding="utf-8"))["video"], f) for f in files)
    return write_archive(out, (entry for _, file in videos for entry in _entries(dataset, file)))


def _entries(dataset: str, file: Path) -> Iterator[tuple[str, bytes]]:
    content: Json = json.loads(file.read_text(encoding="utf-8"))
    for expression, prediction in predictions_from_rows(content).items():
        for frame, mask in zip(content["frames"], prediction.masks, strict=True):
            yield submission_name(dataset, content["video"], expression, frame), encode_mask(mask)
