"""The ground truth of one video, as scoring protocols and methods are handed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import frame_evidence
from rvosbench.masks import MaskSequence
from rvosbench.records import FrameEvidence, Target


@dataclass(frozen=True)
class GroundTruth:
    """A video of a dataset; satisfies `rvosbench.contracts.VideoTruth` and `MethodTruth`.

    Attributes:
        dataset: an opened split.
        video: id of one of its videos.
    """

    dataset: Dataset
    video: str

    def __call__(self, expression_id: str) -> Target:
        """The target of an expression; raises NoGroundTruthError on a hidden split."""
        return self.dataset.target(self.video, expression_id)

    def objects(self) -> Mapping[str, MaskSequence]:
        """All annotated objects, also those that no expression names."""
        return self.dataset.objects(self.video)

    def frame_evidence(self, expression_id: str) -> FrameEvidence:
        """What one frame at a time tells; raises DatasetError if the dataset does not say it."""
        return frame_evidence(self.dataset, self.video, expression_id)
