"""Which videos a split has, without opening or drawing them where the dataset can say so."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from rvosbench.protocols import Dataset


@runtime_checkable
class Listed(Protocol):
    """A dataset that knows its videos' ids without making the videos (optional)."""

    def video_ids(self) -> list[str]:
        """Ids, in the order of iteration."""


def video_ids(dataset: Dataset) -> list[str]:
    """Ids of all videos, in the order of iteration; a dataset that lists none is gone through."""
    if isinstance(dataset, Listed):
        return list(dataset.video_ids())
    return [sample.video.id for sample in dataset]
