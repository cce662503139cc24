"""What a track cache holds: counts, how it was made, and how good a selection from it could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rvosbench.contracts import Dataset, TruthLookup
from rvosbench.datasets.capabilities import video_ids
from rvosbench.records import Expression, Json, Track
from rvosbench.tracks.cache import TrackCacheError, read_header, read_tracks
from rvosbench.tracks.cached import check_sample, track_file, track_files
from rvosbench.tracks.recall import Recall, candidate_recall


@dataclass(frozen=True)
class Summary:
    """A cache in figures.

    Attributes:
        counts: videos, tracks, tracks by source, object tokens, bytes.
        recipe: what all files share; a value that differs between files is "mixed".
    """

    counts: Mapping[str, Json]
    recipe: Mapping[str, Json]


def summarize(folder: Path) -> Summary:
    """Counts from the rows' small columns, and the settings.

    Raises:
        TrackCacheError: there is no cache, or a file is broken.
    """
    import pyarrow.parquet as pq

    files = track_files(folder)
    headers = [read_header(path) for path in files]
    sources: Counter[str] = Counter()
    tokens = 0
    for path in files:
        with pq.ParquetFile(path) as file:
            rows = file.read(columns=["source", "frames"]).to_pydict()
        sources.update(rows["source"])
        tokens += sum(rows["frames"])
    first = dict(headers[0].recipe)
    mixed = {k for h in headers for k, v in h.recipe.items() if first.get(k) != v}
    counts: dict[str, Json] = {"videos": len(files), "tracks": sum(sources.values())}
    counts |= {f"{source} tracks": n for source, n in sorted(sources.items())}
    counts |= {"object tokens": tokens, "bytes": sum(p.stat().st_size for p in files)}
    names = {"tracker name": headers[0].tracker.name}
    if headers[0].grounder is not None:
        names["grounder name"] = headers[0].grounder.name
    return Summary(counts, {**names, **first, **dict.fromkeys(sorted(mixed), "mixed")})


def recall_of(folder: Path, dataset: Dataset) -> list[Recall]:
    """Candidate recall of the videos that a cache and a dataset share.

    Raises:
        TrackCacheError: there is no cache, it has none of the dataset's videos, or is of other
            frames or sentences.
        NoGroundTruthError: the split is hidden.
    """
    files = track_files(folder)
    shared = [v for v in video_ids(dataset) if track_file(folder, v).exists()]
    if not shared:
        raise TrackCacheError(
            f"{folder}: none of its {len(files)} videos, such as {read_header(files[0]).video!r}, "
            f"is in {dataset.name}/{dataset.split}: name the dataset and split that it is of"
        )
    return candidate_recall(_videos(folder, dataset, shared))


def _videos(
    folder: Path, dataset: Dataset, videos: Sequence[str]
) -> Iterator[tuple[Sequence[Track], Sequence[Expression], TruthLookup]]:
    for sample in map(dataset.sample, videos):
        path = track_file(folder, sample.video.id)
        header = read_header(path)
        check_sample(folder, header, sample, header.grounder is not None)
        truth = partial(dataset.target, sample.video.id)
        yield read_tracks(path), sample.expressions, truth
