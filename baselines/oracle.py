"""The best set of candidate tracks given the ground truth: what a perfect selector would score.

A set is searched by adding, removing or swapping one track at a time while region similarity J
rises, from the empty set and from every single track. For up to `EXHAUSTIVE` useful tracks all
sets are tried, so the prediction is the true optimum of J.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rvosbench.contracts import MethodIdentity, MethodSpec, TruthLookup
from rvosbench.masks import union
from rvosbench.metrics import region_similarity
from rvosbench.records import Json, MethodCard, Prediction, Sample, Target, Track
from rvosbench.tracks.candidates import PRESETS, CandidateConfig
from rvosbench.tracks.recall import touching
from rvosbench.tracks.source import TrackSource, identify_tracks, open_tracks

EXHAUSTIVE = 8

Choice = frozenset[int]


@dataclass(frozen=True)
class Oracle:
    """Answers every expression with the tracks that fit its target best."""

    source: TrackSource

    def predict_with_truth(self, sample: Sample, truth: TruthLookup) -> Mapping[str, Prediction]:
        """Expression id -> union of the best tracks."""
        tracks = self.source.tracks(sample)
        predictions = {}
        for expression in sample.expressions:
            candidates = [t for t in tracks if t.serves(expression.id)]
            chosen = best_tracks(candidates, truth(expression.id))
            masks = union([t.masks for t in chosen], len(sample.video), sample.video.size)
            names = [t.id for t in chosen]
            predictions[expression.id] = Prediction(masks, diagnostics={"tracks": names})
        return predictions

    def provenance_of(self, videos: Sequence[str]) -> Mapping[str, Json]:
        """What decides the tracks of some videos."""
        return self.source.provenance(videos)


def best_tracks(tracks: Sequence[Track], target: Target) -> list[Track]:
    """The set of tracks whose union has the greatest mean J with the target; may be empty."""
    truth = target.union()
    shown = touching(tracks, target)
    useful = list(shown)

    def quality(choice: Choice) -> float:
        parts = [shown[i] for i in sorted(choice)]
        return float(np.mean(region_similarity(union(parts, len(truth), truth.size), truth)))

    if len(useful) <= EXHAUSTIVE:
        sets = (frozenset(c) for n in range(len(useful) + 1) for c in combinations(useful, n))
        best = max(sets, key=lambda c: (quality(c), -len(c)))
    else:
        starts = [frozenset[int](), *(frozenset([i]) for i in useful)]
        best = max((_climb(s, useful, quality) for s in starts), key=quality)
    return [tracks[i] for i in sorted(best)]


def _climb(start: Choice, items: Sequence[int], quality: Callable[[Choice], float]) -> Choice:
    best, score = start, quality(start)
    while True:
        step = max(_neighbours(best, items), key=quality, default=best)
        if quality(step) <= score:
            return best
        best, score = step, quality(step)


def _neighbours(choice: Choice, items: Sequence[int]) -> Iterator[Choice]:
    for item in items:
        yield choice ^ {item}
        if item not in choice:
            yield from ((choice - {gone}) | {item} for gone in choice)


def _identify(config: CandidateConfig, device: str, videos: Sequence[str]) -> MethodIdentity | None:
    tracks = identify_tracks(config, device, videos)
    return None if tracks is None else MethodIdentity(tracks, SPEC.card)


SPEC = MethodSpec(
    config_type=CandidateConfig,
    build=lambda config, device: Oracle(open_tracks(config, device)),
    identify=_identify,
    card=MethodCard("Oracle track selection", backbone="SAM2", trainable_parameters=0),
    presets=PRESETS,
    needs_truth=True,
)
