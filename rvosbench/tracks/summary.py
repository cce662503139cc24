"""What a track cache holds: counts, how it was made, and how good a selection from it could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rvosbench.contracts import Dataset, TruthLookup
from rvosbench.recipe import common
from rvosbench.records import Expression, Json, Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import read_sources
from rvosbench.tracks.recall import Recall, candidate_recall


@dataclass(frozen=True)
class Summary:
    """A cache in numbers.

    Attributes:
        counts: videos, tracks, tracks by source, object tokens, bytes.
        recipe: what all files share; values that differ between files are "mixed: " and all of
            them.
    """

    counts: Mapping[str, Json]
    recipe: Mapping[str, Json]


def summarize(cache: TrackCache) -> Summary:
    """Counts from the rows' small columns, and the settings.

    Raises:
        TrackCacheError: there is no cache, or a file is broken.
    """
    files, headers = cache.files(), cache.headers()
    rows = [row for path in files for row in read_sources(path)]
    sources = Counter(source for source, _ in rows)
    counts: dict[str, Json] = {"videos": len(files), "tracks": len(rows)}
    counts |= {f"{source} tracks": n for source, n in sorted(sources.items())}
    counts |= {"object tokens": sum(n for _, n in rows)}
    counts |= {"bytes": sum(path.stat().st_size for path in files)}
    names = {"tracker name": headers[0].tracker.name}
    if headers[0].grounder is not None:
        names["grounder name"] = headers[0].grounder.name
    return Summary(counts, {**names, **common([header.shared for header in headers]).facts})


def recall_of(cache: TrackCache, dataset: Dataset) -> list[Recall]:
    """Candidate recall of the videos that a cache and a dataset share.

    Raises:
        TrackCacheError: there is no cache, it has none of the dataset's videos, or is of other
            frames or expressions.
        NoGroundTruthError: the split is hidden.
    """
    return candidate_recall(_videos(cache, dataset, cache.videos_of(dataset)))


def _videos(
    cache: TrackCache, dataset: Dataset, videos: Sequence[str]
) -> Iterator[tuple[Sequence[Track], Sequence[Expression], TruthLookup]]:
    for sample in map(dataset.sample, videos):
        header = cache.header(sample.video.id)
        cache.check(header, sample, header.grounder is not None)
        target = partial(dataset.target, sample.video.id)
        yield cache.tracks(sample.video.id), sample.expressions, target
