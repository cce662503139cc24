"""A track cache: a folder with a file of tracks a video, see `rvosbench.tracks.cache_file`.

CACHE/<video>.parquet          tracks; files stand alone: copying merges caches
CACHE/texts/<...>.parquet      text tokens, see `rvosbench.tracks.text_tokens`
CACHE/.stamps, CACHE/.claims   what an unfinished build needs
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import video_ids
from rvosbench.execution.store import Store
from rvosbench.files.names import file_name
from rvosbench.recipe import common
from rvosbench.records import Json, Sample, Track
from rvosbench.tracks.cache_file import (
    TrackCacheError,
    content_hash,
    read_header,
    read_sources,
    read_tracks,
    write_tracks,
)
from rvosbench.tracks.header import Header, content_of

SUFFIX = ".parquet"
TEXTS = "texts"


@dataclass(frozen=True)
class TrackCache:
    """The only place that knows how files of a track cache are called.

    Attributes:
        folder: of the cache; need not exist yet.
    """

    folder: Path

    def path(self, video: str) -> Path:
        """Where the tracks of a video lie."""
        return self.folder / (file_name(video) + SUFFIX)

    @property
    def store(self) -> Store:
        """The cache as a place for finished units, one a video."""
        return Store(self.folder, SUFFIX)

    def files(self) -> list[Path]:
        """The files of tracks, sorted by name; raises TrackCacheError if there is none."""
        files = sorted(p for p in self.folder.glob(f"*{SUFFIX}") if not p.name.startswith("."))
        if not files:
            raise TrackCacheError(
                f"{self.folder}: no track cache here (no *{SUFFIX} files). "
                f"{how_to_build(self.folder)}"
            )
        return files

    def headers(self) -> list[Header]:
        """What all files say of themselves, sorted by file name; raises as `files` and `header`."""
        return [read_header(path) for path in self.files()]

    def __contains__(self, video: str) -> bool:
        return self.path(video).exists()

    def header(self, video: str) -> Header:
        """What the file of a video says of itself; raises TrackCacheError."""
        return read_header(self.path(video))

    def tracks(self, video: str) -> tuple[Track, ...]:
        """All tracks of a video, in the order they were made; raises TrackCacheError."""
        return read_tracks(self.path(video))

    def write(self, header: Header, tracks: Sequence[Track]) -> Header:
        """Write the tracks of the video `header.video`; returns the header with their hash."""
        return write_tracks(self.path(header.video), header, tracks)

    def content(self, videos: Sequence[str]) -> str:
        """Hash of the tracks of some videos; raises TrackCacheError if one is not there."""
        return content_of(map(self.header, videos))

    def check(self, header: Header, sample: Sample, boxes: bool) -> None:
        """Raises TrackCacheError if tracks are of other frames or expressions: `Header.unfit`."""
        if problems := header.unfit(sample, boxes):
            raise TrackCacheError(
                f"{self.folder}: tracks of video {header.video!r}: {'; '.join(problems)}. "
                f"{how_to_build('OTHER')}"
            )

    def videos_of(self, dataset: Dataset) -> list[str]:
        """Videos that cache and dataset share, in its order; raises TrackCacheError if none."""
        files = self.files()
        shared = [video for video in video_ids(dataset) if video in self]
        if not shared:
            raise TrackCacheError(
                f"{self.folder}: none of its {len(files)} videos, such as "
                f"{read_header(files[0]).video!r}, is in {dataset.name}/{dataset.split}: name the "
                "dataset and split that it is of"
            )
        return shared

    def summary(self) -> dict[str, dict[str, Json]]:
        """The cache in numbers, from the rows' small columns and the settings.

        Returns:
            "counts": videos, tracks, tracks by source, object tokens, bytes. "recipe": what all
            files share; values that differ between files are "mixed: " and all of them.

        Raises:
            TrackCacheError: there is no cache, or a file is broken.
        """
        files, headers = self.files(), self.headers()
        rows = [row for path in files for row in read_sources(path)]
        sources = Counter(source for source, _ in rows)
        counts: dict[str, Json] = {"videos": len(files), "tracks": len(rows)}
        counts |= {f"{source} tracks": n for source, n in sorted(sources.items())}
        counts |= {"object tokens": sum(n for _, n in rows)}
        counts |= {"bytes": sum(path.stat().st_size for path in files)}
        names = {"tracker name": headers[0].tracker.name}
        if headers[0].grounder is not None:
            names["grounder name"] = headers[0].grounder.name
        recipe = common([header.shared for header in headers])
        return {"counts": counts, "recipe": {**names, **recipe.facts}}

    def problems(
        self, dataset: Dataset | None = None, videos: Sequence[str] | None = None
    ) -> list[str]:
        """What is wrong with the cache, in words; empty if nothing is.

        Every row is read and compared with the hash in its file; all files must have been made
        alike. With a dataset, frames and expressions are compared and missing videos named.

        Args:
            dataset: what it should be of, or None.
            videos: ids that should be there; None is all of the dataset. Unknown ones are problems.

        Raises:
            TrackCacheError: there is no cache.
        """
        found, headers = [], {}
        for path in self.files():
            try:
                headers[path.name] = read_header(path)
                if content_hash(read_tracks(path)) != headers[path.name].content:
                    found.append(f"{path.name}: rows are not those that were written (hash)")
            except TrackCacheError as error:
                found.append(str(error))
        for name, header in headers.items():
            first = next(iter(headers.values()))
            unlike = header.differences(first, first.shared.facts)
            found += [f"{name}: {text}, as others" for text in unlike]
        return found + list(self._missing_or_unfit(dataset, videos))

    def _missing_or_unfit(
        self, dataset: Dataset | None, videos: Sequence[str] | None
    ) -> Iterator[str]:
        known = video_ids(dataset) if dataset is not None else videos or ()
        for video in videos or known:
            if video not in known and dataset is not None:
                yield f"{dataset.name}/{dataset.split} has no video {video!r}"
            elif video not in self:
                yield f"no tracks of video {video!r}"
            elif dataset is not None:
                try:
                    header = self.header(video)
                except TrackCacheError as error:
                    yield str(error)
                else:
                    unfit = header.unfit(dataset.sample(video), header.grounder is not None)
                    yield from (f"tracks of video {video!r}: {text}" for text in unfit)


def how_to_build(folder: Path | str) -> str:
    """What to do where there are no tracks, or others."""
    return f"Build it with `rvosbench tracks build --out {folder}` and the settings of the run"
