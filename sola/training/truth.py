"""The truth of one video, as scoring protocols want it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvosbench.contracts import Dataset
from rvosbench.masks import MaskSequence
from rvosbench.records import Target


@dataclass(frozen=True)
class VideoTruthOf:
    """A video of a dataset; satisfies `rvosbench.contracts.VideoTruth`."""

    dataset: Dataset
    video: str

    def __call__(self, expression_id: str) -> Target:
        """The truth of an expression."""
        return self.dataset.target(self.video, expression_id)

    def objects(self) -> Mapping[str, MaskSequence]:
        """All annotated objects."""
        return self.dataset.objects(self.video)
