"""Small track caches: a configuration of the embedded network, and how caches are made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.candidates import CandidateConfig
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.source import CachedTracks

PROMPTS = TrackConfig(
    points_per_side=3,
    multimask=False,
    predicted_iou=0.2,
    stability=0.2,
    max_grid_tracks=3,
    frame_interval=100,
)
CONFIG = CandidateConfig("demo", "", prompts=PROMPTS)
VIDEOS = ["valid-0000", "valid-0001"]


def of(folder: Path, config: CandidateConfig = CONFIG) -> CachedTracks:
    return CachedTracks(replace(config, tracks=str(folder)))


def rebuild(demo: Dataset, folder: Path, config: CandidateConfig = CONFIG, **more: object) -> str:
    """What was made (+) and what was there (=)."""
    seen = []
    options = replace(BuildOptions(truth=True, videos=VIDEOS), **more)  # type: ignore[arg-type]
    build_tracks(demo, config, folder, options, None, lambda _, reused: seen.append("+="[reused]))
    return "".join(seen)
