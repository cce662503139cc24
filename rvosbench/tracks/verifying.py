"""Checking a track cache: every row against its hash, every file against the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import video_ids
from rvosbench.records import Sample
from rvosbench.tracks.cache import TrackCacheError, content_hash, read_header, read_tracks
from rvosbench.tracks.cached import check_sample, track_file, track_files
from rvosbench.tracks.identity import differing


def verify_tracks(
    folder: Path, dataset: Dataset | None = None, videos: Sequence[str] | None = None
) -> list[str]:
    """What is wrong with a cache, in words; empty if nothing is.

    Every row is read and compared with the hash in its file; all files must have been made
    alike. With a dataset, frames and sentences are compared and missing videos named.

    Args:
        folder: the cache.
        dataset: what it should be of, or None.
        videos: ids that should be there; None is all of the dataset. Unknown ones are problems.

    Raises:
        TrackCacheError: there is no cache.
    """
    problems, recipes = _missing(folder, dataset, videos or ()), {}
    for path in track_files(folder):
        try:
            problems += _broken(path)
            recipes[path.name] = read_header(path).recipe
        except TrackCacheError as error:
            problems.append(str(error))
    if recipes:
        first = next(iter(recipes.values()))
        for name, recipe in recipes.items():
            problems += [f"{name}: {text}, as others" for text in differing(recipe, first)]
    if dataset is not None:
        for video in video_ids(dataset):
            if videos is None or video in videos:
                problems += _unfit(folder, track_file(folder, video), dataset.sample(video))
    return problems


def _missing(folder: Path, dataset: Dataset | None, videos: Sequence[str]) -> list[str]:
    """Of the videos asked for: those that the dataset, or else the cache, does not have."""
    if dataset is None:
        missing = [v for v in videos if not track_file(folder, v).exists()]
        return [f"no tracks of video {v!r}" for v in missing]
    known = set(video_ids(dataset))
    return [f"{dataset.name}/{dataset.split} has no video {v!r}" for v in videos if v not in known]


def _broken(path: Path) -> list[str]:
    if content_hash(read_tracks(path)) != read_header(path).content:
        return [f"{path.name}: rows are not those that were written (content hash)"]
    return []


def _unfit(folder: Path, path: Path, sample: Sample) -> list[str]:
    if not path.exists():
        return [f"no tracks of video {sample.video.id!r}"]
    try:
        header = read_header(path)
        check_sample(folder, header, sample, header.grounder is not None)
    except TrackCacheError as error:
        return [str(error)]
    return []
