"""The videos of a split by name, without opening any where the dataset can tell."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from rvosbench.contracts import Dataset


@runtime_checkable
class Listed(Protocol):
    """A dataset that knows its videos without reading or drawing them."""

    def video_ids(self) -> list[str]:
        """All ids, in the order of iteration."""


def video_ids(dataset: Dataset) -> list[str]:
    """All ids, in the order of iteration; empty for an empty split."""
    if isinstance(dataset, Listed):
        return dataset.video_ids()
    return [sample.video.id for sample in dataset]
