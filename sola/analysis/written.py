"""What the similarity analysis reads and writes."""

from __future__ import annotations

import io
from pathlib import Path

from rvosbench.errors import DatasetError
from rvosbench.files.atomic import write_bytes
from rvosbench.report.drawing import to_image, to_svg
from rvosbench.tracks.cache import TrackCacheError, read_header
from rvosbench.tracks.cached import check_sample, track_files
from sola.analysis.curve import Curve, to_csv
from sola.analysis.similarity_plot import draw


def cache_files(
    cache: Path, dataset: str | None, split: str | None, data: Path | None
) -> tuple[list[Path], str]:
    """Files of a track cache and a title; with a dataset, those of its split only.

    Raises:
        TrackCacheError: no cache, no video of the split in it, or tracks of other frames.
    """
    if dataset is None:
        return track_files(cache), f"Object tokens of {cache.name}"
    from rvosbench.datasets import load_dataset

    opened, files = load_dataset(dataset, data, split), []
    for path in track_files(cache):
        header = read_header(path)
        try:
            sample = opened.sample(header.video)
        except DatasetError:  # a video of another split: caches may hold several
            continue
        check_sample(cache, header, sample, boxes=False)
        files.append(path)
    if not files:
        raise TrackCacheError(
            f"{cache}: has no video of {opened.name}/{opened.split}. Name the split that the cache "
            f"was built for (`rvosbench tracks info {cache}`)"
        )
    return files, f"Object tokens on {opened.name}/{opened.split}"


def write_similarity(out: Path, curve: Curve, title: str) -> list[Path]:
    """Write similarity.png, .svg and .csv into a folder; returns their paths."""
    drawing, png = draw(curve, title), io.BytesIO()
    to_image(drawing).save(png, "PNG")
    content = {
        "png": png.getvalue(),
        "svg": to_svg(drawing).encode("utf-8"),
        "csv": to_csv(curve).encode("ascii"),
    }
    for suffix, value in content.items():
        write_bytes(out / f"similarity.{suffix}", value)
    return [out / f"similarity.{suffix}" for suffix in content]
