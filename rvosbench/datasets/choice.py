"""Choosing videos of a dataset: name, split, corruption, and which videos of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets import load_dataset
from rvosbench.datasets.capabilities import check_videos, video_ids
from rvosbench.datasets.corrupted import corrupted


@dataclass(frozen=True)
class DatasetChoice:
    """Videos of a dataset as chosen on the command line.

    It is opened when `dataset` is first asked for; no more videos are opened or drawn than it takes
    to know which ones are meant, which is none if the dataset can list them.

    Attributes:
        name: at the entry point.
        split: as the authors write it, or an alias; None is the split that `eval` uses.
        root: the dataset's folder; None for datasets that need none.
        corruption: what is done to the frames when they are read, or None.
        videos: ids to restrict to; None takes all. `rvosbench.cli.options.parse_videos` reads them.
        limit: of these, only the first so many; None takes all.
    """

    name: str
    split: str | None = None
    root: Path | None = None
    corruption: Plan | None = None
    videos: tuple[str, ...] | None = None
    limit: int | None = None

    @cached_property
    def dataset(self) -> Dataset:
        """The opened split, corrupted if that was chosen.

        Raises:
            UsageError: no such dataset or split, a missing root, or frames corrupted already.
            DatasetError: the folder is not what the layout promises.
        """
        opened = load_dataset(self.name, self.root, self.split)
        return opened if self.corruption is None else corrupted(opened, self.corruption)

    @cached_property
    def video_ids(self) -> list[str]:
        """The chosen videos: as they were given, otherwise in the dataset's order.

        Raises:
            UsageError: a video that the split does not have.
        """
        if self.videos is None:
            return video_ids(self.dataset, self.limit)
        check_videos(self.dataset, self.videos)
        return list(self.videos[: self.limit])

    @property
    def restriction(self) -> list[str] | None:
        """`video_ids`, or None where nothing restricts them: what `evaluate` takes as videos."""
        return None if self.videos is None and self.limit is None else self.video_ids
