from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from baselines.everything import Everything
from baselines.oracle import EXHAUSTIVE, Oracle, best_tracks
from rvosbench.masks import MaskSequence, union
from rvosbench.metrics import region_similarity
from rvosbench.records import Json, Sample, Target, Track
from rvosbench.runs.evaluate import evaluate

from ..toys import ToyDataset, moving_square


def track(name: str, masks: MaskSequence, candidates: frozenset[str] | None = None) -> Track:
    tokens = np.zeros((len(masks), 2), np.float32)
    return Track(name, masks, 1.0, tokens, "grid", 0, candidates=candidates)


class FixedTracks:
    """Stands in for the tracker: the toy's two squares, and one that only sentence 1 may use."""

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        other = track("other", moving_square(20, 0), frozenset({"1"}))
        return track("l", moving_square(1, 2)), track("r", moving_square(40, 3)), other

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        return {"tracker": "fixed"}


def test_the_oracle_finds_the_sets_that_the_sentences_mean() -> None:
    result = evaluate(Oracle(FixedTracks()), ToyDataset())
    assert result.upper_bound
    assert result.summary is not None
    assert result.summary.jf == 1.0


def test_everything_uses_the_tracks_that_may_serve_a_sentence() -> None:
    sample = next(iter(ToyDataset()))
    answers = Everything(FixedTracks()).predict(sample)
    assert answers["0"].diagnostics == {"tracks": ["l", "r"]}
    assert answers["1"].diagnostics == {"tracks": ["l", "r", "other"]}
    assert answers["0"].masks.areas().tolist() == [50] * 4


masks = arrays(np.bool_, (EXHAUSTIVE + 2, 2, 3, 4))


@given(masks, arrays(np.bool_, (2, 3, 4)), st.integers(0, EXHAUSTIVE))
def test_up_to_the_limit_the_oracle_is_the_true_optimum(
    frames: NDArray[np.bool_], truth: NDArray[np.bool_], count: int
) -> None:
    count = min(count, 4)  # brute force below is exponential
    tracks = [track(str(i), MaskSequence.from_arrays(f)) for i, f in enumerate(frames[:count])]
    target = Target((3, 4), (0, 1), {"o": MaskSequence.from_arrays(truth)})
    best = quality([t.masks for t in best_tracks(tracks, target)], target)
    for chosen in range(2**count):
        some = [t.masks for i, t in enumerate(tracks) if chosen >> i & 1]
        assert quality(some, target) <= best


@given(masks, arrays(np.bool_, (2, 3, 4)))
def test_above_the_limit_it_is_never_worse_than_one_track_or_none(
    frames: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> None:
    tracks = [track(str(i), MaskSequence.from_arrays(f)) for i, f in enumerate(frames)]
    target = Target((3, 4), (0, 1), {"o": MaskSequence.from_arrays(truth)})
    best = quality([t.masks for t in best_tracks(tracks, target)], target)
    assert best >= max(quality([], target), *(quality([t.masks], target) for t in tracks))


def test_of_equal_sets_the_smaller_one_is_chosen() -> None:
    truth = moving_square(1, 2)
    size, length = truth.size, len(truth)
    target = Target(size, tuple(range(length)), {"o": truth})
    twins = [track(str(i), truth) for i in range(3)]
    assert len(best_tracks(twins, target)) == 1
    many = [track(str(i), truth) for i in range(EXHAUSTIVE + 1)]
    assert len(best_tracks(many, target)) == 1
    nothing = Target(size, target.annotated, {})
    assert best_tracks(twins, nothing) == []


def quality(parts: list[MaskSequence], target: Target) -> float:
    joined = union(parts, len(target.annotated), target.size)
    return float(np.mean(region_similarity(joined, target.union())))


def test_listing_the_methods_loads_no_network_library() -> None:
    code = """
import sys
from importlib.metadata import entry_points
for entry in entry_points(group="rvosbench.methods"):
    assert entry.load().card.title, entry
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
