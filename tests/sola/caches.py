"""Track caches of the toy dataset, without a model: tokens say what a track covers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rvosbench.masks import MaskSequence, union
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import write_tracks
from rvosbench.tracks.config import TrackConfig, relevant
from rvosbench.tracks.header import Header, frames_hash
from rvosbench.tracks.text_tokens import write_text_tokens

from ..toys import LENGTH, SIZE, ToyDataset, moving_square

ENCODER = "toy/encoder"
DIM, WIDTH = 8, 16


def track(name: str, masks: MaskSequence, kind: int, source: str = "grid") -> Track:
    """A track whose tokens point along one axis, with a little noise of its own."""
    rng = np.random.default_rng((kind, len(name)))
    tokens = np.tile(np.eye(DIM, dtype=np.float32)[kind], (LENGTH, 1))
    tokens = tokens + rng.normal(0, 0.05, tokens.shape).astype(np.float32)
    return Track(name, masks, 0.9, tokens, source, 0)  # type: ignore[arg-type]


def toy_tracks(boxes: bool = False, truth: bool = True) -> list[Track]:
    """Of the grid: left, right, both, background; a box track of "left"; of truth: left, right."""
    left, right = moving_square(1, 2), moving_square(40, 3)
    made = [
        track("grid-left", left, 0),
        track("grid-right", right, 1),
        track("grid-both", union([left, right], LENGTH, SIZE).packed(), 2),
        track("grid-none", MaskSequence.from_arrays(np.ones((LENGTH, *SIZE), bool)), 3),
    ]
    if boxes:
        box = track("box-left", left, 0, "box")
        made.append(
            Track(box.id, box.masks, 0.5, box.tokens, "box", 1, (0, 0, 5, 5), frozenset({"0"}))
        )
    if truth:
        made += [track("truth-left", left, 0, "truth"), track("truth-right", right, 1, "truth")]
    return made


def make_cache(
    folder: Path, dataset: ToyDataset | None = None, boxes: bool = False, truth: bool = True
) -> Path:
    """A cache of all videos, with text tokens of `ENCODER`."""
    dataset = dataset or ToyDataset()
    for sample in dataset:
        header = Header(
            video=sample.video.id,
            frames=frames_hash(sample.video),
            tracker=ModelIdentity("toy/tracker", "0" * 64),
            grounder=ModelIdentity("toy/grounder", "1" * 64) if boxes else None,
            prompts=relevant(TrackConfig(), boxes),
            expressions={e.id: e.text for e in sample.expressions} if boxes else None,
            truth=truth,
            corruption=None,
            made={"dtype": "float32"},
        )
        write_tracks(TrackCache(folder).path(sample.video.id), header, toy_tracks(boxes, truth))
    texts = sorted(dataset.texts.values())
    rng = np.random.default_rng(5)
    words = {t: rng.normal(size=(i + 2, WIDTH)).astype(np.float32) for i, t in enumerate(texts)}
    encoder = ModelIdentity(ENCODER, "2" * 64)
    write_text_tokens(folder / "texts" / "toy.parquet", words, encoder, "float32")
    return folder
