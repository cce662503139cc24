"""A dataset and methods in memory: the smallest things that fulfil the contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from rvosbench.contracts import TruthLookup
from rvosbench.errors import DatasetError, NoGroundTruthError
from rvosbench.masks import MaskSequence
from rvosbench.records import Expression, Prediction, Sample, Target, Video

SIZE = (12, 70)  # wider than one 64-pixel word
LENGTH = 4


def moving_square(start: int, step: int) -> MaskSequence:
    """A 5x5 square that moves right by `step` pixels a frame."""
    frames = np.zeros((LENGTH, *SIZE), bool)
    for t in range(LENGTH):
        frames[t, 3:8, start + t * step : start + t * step + 5] = True
    return MaskSequence.from_arrays(frames)


@dataclass(frozen=True)
class ToyDataset:
    """Three videos of two squares; the expressions mean the left one, the right one, both, none."""

    hidden: bool = False
    name: str = "toy"
    split: str = "valid"
    protocols: tuple[str, ...] = ("mevis",)
    fingerprint: str = "toy-1"
    videos: tuple[str, ...] = ("a", "b/c", "d")
    texts: Mapping[str, str] = field(
        default_factory=lambda: {"0": "left", "1": "right", "2": "both", "3": "none"}
    )

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(v) for v in self.videos)

    def sample(self, video_id: str) -> Sample:
        if video_id not in self.videos:
            raise DatasetError(f"toy has no video {video_id!r}")
        names = tuple(f"{i:05d}" for i in range(LENGTH))
        video = Video(video_id, names, lambda i: np.zeros((*SIZE, 3), np.uint8), lambda: SIZE)
        return Sample(video, tuple(Expression(i, t, tags=(t,)) for i, t in self.texts.items()))

    def target(self, video_id: str, expression_id: str) -> Target:
        if self.hidden:
            raise NoGroundTruthError("toy keeps its truth")
        objects = self.objects(video_id)
        wanted = {"0": ["left"], "1": ["right"], "2": ["left", "right"], "3": []}[expression_id]
        return Target(SIZE, tuple(range(LENGTH)), {k: objects[k] for k in wanted})

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        return {"left": moving_square(1, 2), "right": moving_square(40, 3)}


@dataclass(frozen=True)
class LeftAlways:
    """Finds the left square whatever is asked, and notes the videos it was asked about."""

    asked: list[str] = field(default_factory=list)

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        self.asked.append(sample.video.id)
        return {e.id: Prediction(moving_square(1, 2), 0.5) for e in sample.expressions}


@dataclass(frozen=True)
class Perfect:
    """Looks at the truth."""

    def predict_with_truth(self, sample: Sample, truth: TruthLookup) -> Mapping[str, MaskSequence]:
        return {e.id: truth(e.id).union() for e in sample.expressions}
