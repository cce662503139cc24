"""Where a method gets its candidate tracks from: a cache that fits, or the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rvosbench.recipe import Recipe, common
from rvosbench.records import Json, Sample, Track
from rvosbench.tracks.cache import TrackCache, how_to_build
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.candidates import CandidateConfig, decisive_facts, foretold, wanted_header
from rvosbench.tracks.header import content_of


class TrackSource(Protocol):
    """Where a method gets its candidate tracks from."""

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        """Candidate tracks of a video; may be empty. `Track.serves` says for which expressions."""

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decides the tracks of some videos (None: all) beside the configuration."""


def open_tracks(config: CandidateConfig, device: str) -> TrackSource:
    """A cache if the configuration names one, otherwise the models.

    Raises:
        WeightsError: weights are not there.
        TrackCacheError: the cache was made with other models or another configuration.
    """
    if config.tracks:
        return CachedTracks(config)
    from rvosbench.tracks.track_maker import TrackMaker  # the door to the networks, and to torch

    return TrackMaker(config, device)


def identify_tracks(
    config: CandidateConfig, device: str, videos: Sequence[str]
) -> dict[str, Json] | None:
    """What `open_tracks(config, device).provenance(videos)` would say, without opening a network.

    None if weights are not on this machine. Raises as `open_tracks`.
    """
    if config.tracks:
        return CachedTracks(config).provenance(videos)
    return foretold(config, device)


class CachedTracks:
    """The tracks of a cache; satisfies `TrackSource`. No model is opened.

    A cache with box tracks also serves a configuration without a grounder: its grid tracks are the
    same. Truth-prompted tracks are for training and never given out.

    Args:
        config: what tracks are asked for; `config.tracks` is the cache's folder.

    Raises:
        TrackCacheError: no cache there, or made with other models or another configuration: says
            what differs and how to build it.
    """

    def __init__(self, config: CandidateConfig) -> None:
        self._sources = {"grid", "box"} if config.grounder else {"grid"}
        self.cache = TrackCache(Path(config.tracks))
        self._headers = {header.video: header for header in self.cache.headers()}
        wanted, names = wanted_header(config), decisive_facts(config)
        for header in self._headers.values():
            if problems := header.differences(wanted, names):
                raise TrackCacheError(
                    f"{config.tracks}: the tracks of video {header.video!r} were made otherwise: "
                    f"{'; '.join(problems)}. Change the settings to those of the cache (`rvosbench "
                    f"tracks info {config.tracks}`), or build another: {how_to_build('OTHER')}"
                )

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        """Cached tracks of a video; may be empty.

        Raises:
            TrackCacheError: the video is not in the cache, or its frames or expressions are others.
        """
        header = self._headers.get(sample.video.id)
        if header is None:
            raise TrackCacheError(
                f"{self.cache.folder}: no tracks of video {sample.video.id!r} (it has "
                f"{len(self._headers)} videos). {how_to_build(self.cache.folder)}"
            )
        self.cache.check(header, sample, "box" in self._sources)
        rows = self.cache.tracks(sample.video.id)
        return tuple(track for track in rows if track.source in self._sources)

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decided the tracks of some videos (None: all), as `TrackMaker` says it; their hash.

        Where files were made differently, such as on two devices: "mixed: " and all values.
        """
        names = self._headers.keys() if videos is None else videos
        headers = [self._headers[v] for v in names if v in self._headers]
        headers = headers or list(self._headers.values())
        models = ("tracker", "grounder") if "box" in self._sources else ("tracker",)
        told = [Recipe({**h.recipe.only(models).facts, **h.made}) for h in headers]
        return {**common(told).facts, "tracks": content_of(headers)}
