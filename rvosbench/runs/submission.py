"""A run's predictions as the zip that a dataset's own server takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rvosbench.errors import ResultError
from rvosbench.predictions import encode_mask, submission_name, write_archive
from rvosbench.runs.run_folder import RunFolder, VideoFiles


def pack_run(run: Path, out: Path) -> int:
    """Pack the predictions of a finished run, byte for byte the same every time.

    Args:
        run: folder written by `evaluate`.
        out: zip to write.

    Returns:
        Number of masks.

    Raises:
        ResultError: the folder holds no finished run, one without predictions, or damaged ones.
    """
    folder = RunFolder(run)
    dataset, videos = str(folder.result().facts["dataset"]), sorted(folder.video_ids())
    if not videos:
        raise ResultError(f"{run}: no predictions here; a run of `rvosbench score` keeps none")
    return write_archive(out, (e for v in videos for e in _entries(dataset, folder.video(v))))


def _entries(dataset: str, files: VideoFiles) -> Iterator[tuple[str, bytes]]:
    kept = files.predictions()
    for expression, prediction in kept.by_expression.items():
        for frame, mask in zip(kept.frames, prediction.masks, strict=True):
            yield submission_name(dataset, kept.video, expression, frame), encode_mask(mask)
