"""A dataset that exists only in memory: one dot a video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.protocols import DatasetSpec
from rvosbench.records import DatasetCard, Expression, Sample, Target, Video

SIZE = (20, 30)


@dataclass(frozen=True)
class Dots:
    """Two videos of three frames with one 10x10 dot."""

    split: str
    name: str = "dots"
    protocols: tuple[str, ...] = ("mevis",)
    fingerprint: str = "dots-1"

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(video_id) for video_id in ("one", "two"))

    def sample(self, video_id: str) -> Sample:
        video = Video(
            video_id, ("7", "8", "9"), lambda i: np.zeros((*SIZE, 3), np.uint8), lambda: SIZE
        )
        return Sample(video, (Expression("e", "the dot"),))

    def target(self, video_id: str, expression_id: str) -> Target:
        return Target(SIZE, (0, 1, 2), self.objects(video_id))

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        dot = np.zeros((3, *SIZE), bool)
        dot[:, 5:15, 5:15] = True
        return {"dot": MaskSequence.from_arrays(dot)}


def _open(root: Path | None, split: str) -> Dots:
    return Dots(split)


SPEC = DatasetSpec(
    splits=("here",),
    open=_open,
    card=DatasetCard("Dots", licence="CC0", source="made up", layout="none"),
    needs_root=False,
)
