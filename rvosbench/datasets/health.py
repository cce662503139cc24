"""What is in a dataset, counted without decoding a frame."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rvosbench.contracts import Dataset
from rvosbench.datasets.capabilities import referents
from rvosbench.records import Json

_WORD = re.compile(r"[\w']+")


def statistics(dataset: Dataset) -> dict[str, Json]:
    """Count a split, one video at a time.

    Masks are read only for datasets that cannot name objects without (see `capabilities`).

    Returns:
        "dataset" and "split" by name; numbers of "videos", "expressions", "objects" (distinct ones
        that expressions refer to) and listed "frames"; "frames_per_video" and
        "words_per_expression" as {"minimum", "mean", "maximum"}, all 0 for no counts; "vocabulary",
        distinct words, whatever their case, without punctuation; "tags" and "groups", name ->
        number of expressions; "targets_per_expression", number of objects -> number of
        expressions; and whether the ground truth is "hidden" (then objects and targets are None).
    """
    frames: list[int] = []
    words: list[int] = []
    targets, tags, groups = Counter[int](), Counter[str](), Counter[str]()
    vocabulary, objects, hidden = set[str](), 0, False
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
    return {
        "dataset": dataset.name,
        "split": dataset.split,
        "videos": len(frames),
        "expressions": len(words),
        "objects": None if hidden else objects,
        "frames": sum(frames),
        "frames_per_video": _spread(frames),
        "words_per_expression": _spread(words),
        "vocabulary": len(vocabulary),
        "tags": dict(sorted(tags.items())),
        "groups": dict(sorted(groups.items())),
        "targets_per_expression": None if hidden else dict(sorted(targets.items())),
        "hidden": hidden,
    }


def _spread(counts: Sequence[int]) -> dict[str, Json]:
    mean = sum(counts) / max(len(counts), 1)
    return {"minimum": min(counts, default=0), "mean": mean, "maximum": max(counts, default=0)}
