"""MotionShapes: looks, place and size of objects that SAM2 tracks from their ground truth.

Tokens are those of frames after or before the prompted one: what the tracker still knows of an
object, not what it was just shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rvosbench.demo.dataset import MotionShapes
from rvosbench.demo.scenes import ShapeObject
from rvosbench.demo.shapes import COLOURS, SHAPES, TEXTURES
from rvosbench.masks import BoolArray, MaskSequence
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Json, Track
from rvosbench.tracks.cache_build import object_tracks
from rvosbench.tracks.config import Compute
from rvosbench.tracks.follower import Follower
from sola.analysis.probe_data import ObjectTokens, SourceFacts

EVERY = 4
"""Only every fourth frame: neighbours say the same."""

QUESTIONS = {"colour": tuple(COLOURS), "shape": tuple(SHAPES), "texture": TEXTURES}
VISIBLE = 40
"""Pixels that must be seen of an object in a frame, of 128 x 128."""


@dataclass(frozen=True)
class ShapeObjects:
    """Truth-prompted tracks of MotionShapes; satisfies `ObjectSource`."""

    @property
    def facts(self) -> SourceFacts:
        """Three questions; of the visible pixels centre and root of the area, in frame sides."""
        return SourceFacts(
            "MotionShapes",
            splits=("train", "valid"),  # clips of other seeds
            classes=QUESTIONS,
            values=("x", "y", "size"),
            tracker="demo",
            limit=100,
            things="videos",
        )

    def keys(self, split: str) -> Sequence[str]:
        """Videos of a split."""
        return MotionShapes(split).video_ids()

    def identity(self, split: str, key: str) -> Json:
        """The generator's fingerprint."""
        return [MotionShapes(split).fingerprint, key, EVERY, VISIBLE]

    def objects(self, sam2: Sam2, split: str, key: str) -> ObjectTokens:
        """Tokens of all objects on every fourth frame in which they are seen."""
        data = MotionShapes(split)
        video, masks, scene = data.sample(key).video, data.objects(key), data.scene(key)
        tracks = object_tracks(Follower.of(sam2, video, Compute()), masks, range(len(video)))
        parts = [_none(sam2.token_dim)]
        for track in tracks:
            number = track.id.removeprefix("truth-")
            parts.append(_rows(track, masks[number], scene[int(number)]))
        return ObjectTokens.joined(parts)


def _rows(track: Track, masks: MaskSequence, shape: ShapeObject) -> ObjectTokens:
    every, areas = range(0, len(masks), EVERY), masks.areas()
    frames = [t for t in every if t != track.prompt_frame and areas[t] >= VISIBLE]
    looks = {name: answers.index(getattr(shape, name)) for name, answers in QUESTIONS.items()}
    values = np.array([_centre_and_size(masks.frame(frame)) for frame in frames], np.float32)
    labels = {question: np.full(len(frames), answer) for question, answer in looks.items()}
    return ObjectTokens(track.tokens[frames], labels, values.reshape(len(frames), 3))


def _centre_and_size(mask: BoolArray) -> tuple[float, float, float]:
    """Centre x, y and square root of the area of a (S, S) mask that is not empty, in sides."""
    rows, columns = np.nonzero(mask)
    side = mask.shape[0]
    x, y = (columns.mean() + 0.5) / side, (rows.mean() + 0.5) / side
    return float(x), float(y), float(np.sqrt(len(rows)) / side)


def _none(dim: int) -> ObjectTokens:
    labels = {name: np.zeros(0, np.int64) for name in QUESTIONS}
    return ObjectTokens(np.zeros((0, dim), np.float32), labels, np.zeros((0, 3), np.float32))
