"""What single frames tell of a sentence: a ceiling for methods that look at one frame at a time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from rvosbench.contracts import Dataset
from rvosbench.errors import DatasetError
from rvosbench.records import FrameEvidence


@runtime_checkable
class FrameLevelTruth(Protocol):
    """A dataset that knows how much of a sentence one frame can tell (optional)."""

    def frame_evidence(self, video_id: str, expression_id: str) -> FrameEvidence: ...  # noqa: D102


def frame_evidence(dataset: Dataset, video_id: str, expression_id: str) -> FrameEvidence:
    """What the frames of a video, each by itself, tell of whom a sentence means.

    Raises:
        DatasetError: the dataset does not say it, or has no such video or expression.
    """
    if not isinstance(dataset, FrameLevelTruth):
        raise DatasetError(
            f"{dataset.name}/{dataset.split} does not say what a single frame tells of a sentence: "
            "it has masks of the targets only. MotionShapes does (--dataset demo)"
        )
    return dataset.frame_evidence(video_id, expression_id)
