"""The conformance check finds what it promises to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rvosbench.datasets.conformance import check_dataset
from rvosbench.errors import DatasetError
from rvosbench.masks import MaskSequence
from rvosbench.records import Sample, Target

from ..toys import LENGTH, SIZE, ToyDataset


def test_a_good_dataset_passes() -> None:
    check_dataset(ToyDataset())
    check_dataset(ToyDataset(hidden=True))


@dataclass(frozen=True)
class Bad(ToyDataset):
    fault: str = ""

    def __len__(self) -> int:
        return super().__len__() + (self.fault == "length")

    def __iter__(self) -> Iterator[Sample]:
        for sample in super().__iter__():
            twice = sample.expressions * 2
            yield replace(sample, expressions=twice) if self.fault == "ids" else sample

    def sample(self, video_id: str) -> Sample:
        if self.fault == "unknown" and video_id not in self.videos:
            video_id = self.videos[0]
        sample = super().sample(video_id)
        if self.fault == "frames":
            grey = replace(sample.video, read=lambda _: np.zeros(SIZE, np.uint8))
            return replace(sample, video=grey)
        return sample

    def target(self, video_id: str, expression_id: str) -> Target:
        target = super().target(video_id, expression_id)
        if self.fault == "order":
            return replace(target, annotated=target.annotated[::-1])
        if self.fault == "count":
            return replace(target, void=MaskSequence.empty(LENGTH + 1, SIZE))
        if self.fault == "range":
            return replace(target, annotated=tuple(range(1, LENGTH + 1)))
        if self.fault == "size":
            return replace(target, size=(3, 4))
        return target


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("length", r"len\(\) is 4"),
        ("ids", "expression id twice"),
        ("unknown", "accepts an unknown video"),
        ("frames", r"frame 0 is \(12, 70\) uint8, wanted \(12, 70, 3\)"),
        ("order", "not ascending"),
        ("count", "'void' has 5 masks for 4 frames"),
        ("range", r"annotated frames \(1, 2, 3, 4\) of 4 frames"),
        ("size", r"the ground truth is \(3, 4\)"),
    ],
)
def test_a_fault_is_found(fault: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        check_dataset(Bad(fault=fault))


def test_videos_with_one_id_and_no_protocol_are_found() -> None:
    with pytest.raises(DatasetError, match=r"video id twice(.|\n)*no scoring protocol"):
        check_dataset(ToyDataset(videos=("a", "a"), protocols=()))
