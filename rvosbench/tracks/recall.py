"""Candidate recall: how good could any selection be? Tells failures of proposal from selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rvosbench.contracts import Dataset, TruthLookup
from rvosbench.masks import MaskSequence, popcount, union
from rvosbench.records import Expression, Target, Track
from rvosbench.tracks.cache import TrackCache

GREEDY_LIMIT = 8
"""Most tracks that the best union is made of."""

PACKED_LIMIT = 1 << 30
"""Bytes of packed masks held at once; the masks of further tracks are decoded when looked at."""


@dataclass(frozen=True)
class Recall:
    """Means over expressions with a target; IoUs are means over annotated frames, in [0, 1].

    Attributes:
        source: "grid", "box", "truth" or "all" (grid and box).
        expressions: how many.
        tracks: candidates an expression has, on average.
        best_track: IoU of the best single candidate with the whole target.
        best_union: IoU of the best union found by adding one track at a time.
        found: share of expressions whose best union has an IoU above one half.
    """

    source: str
    expressions: int
    tracks: float
    best_track: float
    best_union: float
    found: float


def candidate_recall(
    videos: Iterable[tuple[Sequence[Track], Sequence[Expression], TruthLookup]],
) -> list[Recall]:
    """Recall by source of prompt, and of all that inference may use.

    Expressions without a target are left out: no candidate can be right.

    Returns:
        One row a source that occurs, "all" last; none without expressions.
    """
    rows: dict[str, list[tuple[int, float, float]]] = {}
    for tracks, expressions, truth in videos:
        for expression in expressions:
            target = truth(expression.id)
            if not target.objects:
                continue
            serving = [t for t in tracks if t.serves(expression.id)]
            for source, wanted in _SOURCES.items():
                chosen = [t for t in serving if wanted(t)]
                rows.setdefault(source, []).append(_best(chosen, target))
    return [_mean(source, found) for source, found in rows.items() if any(n for n, *_ in found)]


def recall_of(cache: TrackCache, dataset: Dataset) -> list[Recall]:
    """Candidate recall of the videos that a cache and a dataset share.

    Raises:
        TrackCacheError: there is no cache, it has none of the dataset's videos, or is of other
            frames or expressions.
        NoGroundTruthError: the split is hidden.
    """
    videos = cache.videos_of(dataset)
    return candidate_recall(_looked_at(cache, dataset, video) for video in videos)


def _looked_at(
    cache: TrackCache, dataset: Dataset, video: str
) -> tuple[Sequence[Track], Sequence[Expression], TruthLookup]:
    sample, header = dataset.sample(video), cache.header(video)
    cache.check(header, sample, header.grounder is not None)
    return cache.tracks(video), sample.expressions, partial(dataset.target, video)


_SOURCES: Mapping[str, Callable[[Track], bool]] = {
    "grid": lambda t: t.source == "grid",
    "box": lambda t: t.source == "box",
    "truth": lambda t: t.source == "truth",
    "all": lambda t: t.source != "truth",
}


def mean_iou(a: MaskSequence, b: MaskSequence) -> float:
    """Mean over frames of the IoU of two mask sequences; a frame that is empty in both counts 1."""
    total = 0.0
    for index in range(len(b)):
        one, two = a.words(index), b.words(index)
        joined = popcount(one | two)
        total += popcount(one & two) / joined if joined else 1.0
    return total / max(len(b), 1)


def _best(tracks: Sequence[Track], target: Target) -> tuple[int, float, float]:
    """Number of tracks, IoU of the best one, IoU of the best union."""
    truth = target.union().packed()
    if not tracks:
        return 0, 0.0, 0.0
    alone = [mean_iou(t.masks.at(target.annotated).packed(), truth) for t in tracks]
    first, useful = int(np.argmax(alone)), touching(tracks, target)
    useful.pop(first, None)
    best, joined = alone[first], tracks[first].masks.at(target.annotated).packed()
    for _ in range(GREEDY_LIMIT - 1):
        unions = ((i, union([joined, m], len(truth), truth.size)) for i, m in useful.items())
        tried = {i: mean_iou(masks, truth) for i, masks in unions}
        if not tried or max(tried.values()) <= best:
            break
        pick = max(tried, key=lambda i: tried[i])
        best = tried[pick]
        joined = union([joined, useful.pop(pick)], len(truth), truth.size).packed()
    return len(tracks), max(alone), best


def touching(
    tracks: Sequence[Track], target: Target, limit: int = PACKED_LIMIT
) -> dict[int, MaskSequence]:
    """Tracks that share a pixel with a target: no other can improve a union.

    Returns:
        Index -> masks on the target's annotated frames, in order. Up to `limit` bytes of them are
        packed, for speed; the rest stay as the tracks hold them. It changes no number.
    """
    truth, found, room = target.union().packed(), {}, limit
    for index, track in enumerate(tracks):
        shown = track.masks.at(target.annotated)
        packed = shown.packed()
        if any((packed.words(i) & truth.words(i)).any() for i in range(len(truth))):
            room -= len(packed) * packed.height * packed.width // 8
            found[index] = packed if room >= 0 else shown
    return found


def _mean(source: str, found: Sequence[tuple[int, float, float]]) -> Recall:
    counts, tracks, unions = (np.array(column, float) for column in zip(*found, strict=True))
    return Recall(
        source,
        len(found),
        float(counts.mean()),
        float(tracks.mean()),
        float(unions.mean()),
        float((unions > 0.5).mean()),
    )
