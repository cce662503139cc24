"""What a dataset may tell beyond its contract: every question has one function and one fallback.

All of it is optional, so that plugins need nothing but `rvosbench.contracts.Dataset`. A dataset
that can tell has a member of the name that stands in the function's docstring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from rvosbench.contracts import Dataset
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError, did_you_mean
from rvosbench.records import FrameEvidence

_T = TypeVar("_T")


@dataclass(frozen=True)
class Table:
    """Further numbers of a dataset; the first column names a row, the others hold numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]


def video_ids(dataset: Dataset, limit: int | None = None) -> list[str]:
    """The videos of a split by id, in the order of iteration; empty for an empty split.

    `video_ids()` tells them without opening a video. Without it, videos are opened one by one.

    Args:
        dataset: an opened split.
        limit: how many at most; None is all.
    """
    listed: Iterable[str] | None = _told(dataset, "video_ids", None)
    if listed is None:
        return [sample.video.id for sample in islice(dataset, limit)]
    return list(listed)[:limit]


def check_videos(dataset: Dataset, asked: Iterable[str]) -> None:
    """Refuse videos that the split does not have; without `video_ids()`, only they are opened.

    Raises:
        UsageError: names the first one.
    """
    known: Collection[str] | None = _told(dataset, "video_ids", None)
    for video in asked:
        try:
            there = video in known if known is not None else bool(dataset.sample(video))
        except DatasetError:
            there = False
        if not there:
            raise UsageError(
                f"{dataset.name}/{dataset.split} has no video {video!r}"
                f"{did_you_mean(video, known or ())} ({len(dataset)} videos)"
            )


def corruption_of(dataset: Dataset) -> str | None:
    """What was done to the frames, in one line; `corruption`, or None where they are clean."""
    told = getattr(dataset, "corruption", None)
    return str(told) if told else None


def referents(dataset: Dataset, video_id: str) -> Mapping[str, tuple[str, ...]] | None:
    """Expression id -> ids of the objects that it means; None on a hidden split.

    `referents(video_id)` tells them without reading masks. Without it, the targets are read.
    """
    told = getattr(dataset, "referents", None)
    if callable(told):
        found: Mapping[str, tuple[str, ...]] | None = told(video_id)
        return found
    expressions = dataset.sample(video_id).expressions
    try:
        return {e.id: tuple(dataset.target(video_id, e.id).objects) for e in expressions}
    except NoGroundTruthError:
        return None


def problems(dataset: Dataset, video_id: str) -> list[str]:
    """What the dataset itself finds wrong with a video: `problems(video_id)`, or nothing."""
    return list(_told(dataset, "problems", [], video_id))


def details(dataset: Dataset) -> list[Table]:
    """What no other dataset can tell of itself: `details()`, a sequence of `Table`, or nothing."""
    return list(_told(dataset, "details", []))


def frame_folders(dataset: Dataset) -> Path | None:
    """Folder of the frames, as `<video>/<frame>.<extension>`: `frames`, or None for no such."""
    told = getattr(dataset, "frames", None)
    return told if isinstance(told, Path) else None


def frame_evidence(dataset: Dataset, video_id: str, expression_id: str) -> FrameEvidence:
    """What the frames of a video, each by itself, tell of whom an expression means.

    `frame_evidence(video_id, expression_id)` tells it; a ceiling for methods that look at one frame
    at a time.

    Raises:
        DatasetError: the dataset does not say it, or has no such video or expression.
    """
    asked = (video_id, expression_id)
    found: FrameEvidence | None = _told(dataset, "frame_evidence", None, *asked)
    if found is None:
        raise DatasetError(
            f"{dataset.name}/{dataset.split} does not say what a single frame tells of an "
            "expression: it has masks of the targets only. MotionShapes does (--dataset demo)"
        )
    return found


def _told(dataset: Dataset, member: str, fallback: _T, *asked: str) -> _T:
    """What a method of the dataset says, or the fallback where it has none of that name."""
    method = getattr(dataset, member, None)
    told: _T = method(*asked) if callable(method) else fallback
    return told
