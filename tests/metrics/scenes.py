"""Tiny videos with truth, for tests of the protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rvosbench.masks import MaskSequence
from rvosbench.records import Expression, Prediction, Sample, Target, Video

Masks = Sequence[NDArray[np.generic]]


def sample(video_id: str, length: int, size: tuple[int, int], expressions: Sequence[str]) -> Sample:
    frames = tuple(f"{i:05d}" for i in range(length))
    video = Video(video_id, frames, lambda i: np.zeros((*size, 3), np.uint8), lambda: size)
    return Sample(video, tuple(Expression(i, f"sentence {i}") for i in expressions))


def target(
    masks: Mapping[str, Masks],
    size: tuple[int, int],
    annotated: Sequence[int],
    void: Masks | None = None,
) -> Target:
    objects = {i: MaskSequence.from_arrays(frames, size) for i, frames in masks.items()}
    hidden = None if void is None else MaskSequence.from_arrays(void, size)
    return Target(size, tuple(annotated), objects, hidden)


@dataclass(frozen=True)
class Truth:
    """The truth of a video: of its expressions, and of objects that none of them names."""

    targets: Mapping[str, Target]
    unnamed: Mapping[str, MaskSequence] = field(default_factory=dict)

    def __call__(self, expression_id: str) -> Target:
        return self.targets[expression_id]

    def objects(self) -> Mapping[str, MaskSequence]:
        named = {k: m for t in self.targets.values() for k, m in t.objects.items()}
        return {**named, **self.unnamed}


def truth(targets: Mapping[str, Target]) -> Truth:
    return Truth(targets)


def answer(masks: Masks, score: float = 1.0) -> Prediction:
    return Prediction(MaskSequence.from_arrays(masks), score)
