"""Track caches of MotionShapes' training split, without a tracker."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rvosbench.demo.dataset import MotionShapes
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import write_tracks
from rvosbench.tracks.config import TrackConfig, relevant
from rvosbench.tracks.header import Header, frames_hash
from sola.config import DEMO_SELECTOR


def make_cache(
    folder: Path,
    videos: int,
    dim: int = DEMO_SELECTOR.object_token_dim,
    with_grid: bool = False,
) -> Path:
    """Truth masks as tracks of every source, with tokens that say where the object is."""
    data = MotionShapes("train")
    for video in data.video_ids()[:videos]:
        header = Header(
            video=video,
            frames=frames_hash(data.sample(video).video),
            tracker=ModelIdentity("toy", "0" * 64),
            grounder=None,
            prompts=relevant(TrackConfig(), False),
            expressions=None,
            truth=True,
            corruption=None,
            made={"dtype": "float32"},
        )
        tracks = []
        for number, shape in enumerate(data.scene(video)):
            tokens = np.zeros((len(shape.x), dim), np.float32)
            tokens[:, 0], tokens[:, 1] = shape.x, shape.y
            masks = data.objects(video)[str(number)]
            tracks.append(Track(f"truth-{number}", masks, 1.0, tokens, "truth", 0))
            if with_grid:
                tracks.append(Track(f"grid-{number}", masks, 1.0, tokens, "grid", 0))
        write_tracks(TrackCache(folder).path(video), header, tracks)
    return folder
