"""What is in a dataset, counted without decoding a frame."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import referents

_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True)
class Spread:
    """Smallest, mean and largest of some counts; all 0 for no counts."""

    minimum: int
    mean: float
    maximum: int


@dataclass(frozen=True)
class DatasetStatistics:
    """Counts of one split.

    Attributes:
        videos: number of them, as for expressions.
        objects: number of distinct objects that expressions refer to; None on a hidden split.
        frames: listed frames of all videos.
        words_per_expression: words between blanks.
        vocabulary: distinct words, whatever their case, without punctuation.
        tags: tag -> number of expressions.
        groups: group -> number of expressions; empty where the dataset has none.
        targets_per_expression: number of objects -> number of expressions; None if hidden.
        hidden: whether the ground truth is kept by the authors.
    """

    dataset: str
    split: str
    videos: int
    expressions: int
    objects: int | None
    frames: int
    frames_per_video: Spread
    words_per_expression: Spread
    vocabulary: int
    tags: Mapping[str, int]
    groups: Mapping[str, int]
    targets_per_expression: Mapping[int, int] | None
    hidden: bool


def statistics(dataset: Dataset) -> DatasetStatistics:
    """Count a split, one video at a time.

    Masks are read only for datasets that cannot name objects without (see `capabilities`).
    """
    frames, words, targets = [], [], Counter[int]()
    tags, groups, vocabulary = Counter[str](), Counter[str](), set[str]()
    objects, hidden = 0, False
    for sample in dataset:
        frames.append(len(sample.video))
        words += [len(e.text.split()) for e in sample.expressions]
        vocabulary.update(w for e in sample.expressions for w in _WORD.findall(e.text.lower()))
        tags.update(tag for e in sample.expressions for tag in e.tags)
        groups.update(e.group for e in sample.expressions if e.group)
        named = referents(dataset, sample.video.id)
        hidden = hidden or named is None
        targets.update(len(ids) for ids in (named or {}).values())
        objects += len({i for ids in (named or {}).values() for i in ids})
    return DatasetStatistics(
        dataset=dataset.name,
        split=dataset.split,
        videos=len(frames),
        expressions=len(words),
        objects=None if hidden else objects,
        frames=sum(frames),
        frames_per_video=_spread(frames),
        words_per_expression=_spread(words),
        vocabulary=len(vocabulary),
        tags=dict(sorted(tags.items())),
        groups=dict(sorted(groups.items())),
        targets_per_expression=None if hidden else dict(sorted(targets.items())),
        hidden=hidden,
    )


def _spread(counts: Iterable[int]) -> Spread:
    values = list(counts)
    if not values:
        return Spread(0, 0.0, 0)
    return Spread(min(values), sum(values) / len(values), max(values))
