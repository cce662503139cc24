from __future__ import annotations

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.records import Expression, Target, Track
from rvosbench.tracks.recall import candidate_recall, mean_iou, touching

from .worlds import square

SIZE = (10, 40)


def still(*span: int) -> MaskSequence:
    return MaskSequence.from_arrays([square(*span)] * 2)


def track(masks: MaskSequence, source: str = "grid", only: str | None = None) -> Track:
    candidates = None if only is None else frozenset({only})
    tokens = np.zeros((2, 1), np.float32)
    return Track("", masks, 1.0, tokens, source, 0, candidates=candidates)  # type: ignore[arg-type]


def target(*spans: tuple[int, int]) -> Target:
    return Target(SIZE, (0, 1), {str(i): still(*span) for i, span in enumerate(spans)})


def test_iou_is_the_mean_over_frames_and_two_empty_frames_agree() -> None:
    assert mean_iou(still(0, 10), still(0, 20)) == 0.5
    half = MaskSequence.from_arrays([square(0, 10), square(0, 0)])
    assert mean_iou(half, half) == 1.0


def test_the_best_track_and_the_best_union() -> None:
    truths = {"0": target((0, 10), (20, 30)), "1": target()}
    tracks = [
        track(still(0, 10)),
        track(still(20, 30)),
        track(still(10, 20)),
        track(still(0, 10), "truth"),
        track(still(20, 30), "box", only="0"),
        track(still(0, 30), "box", only="1"),
    ]
    expressions = [Expression(i, i) for i in truths]
    rows = {r.source: r for r in candidate_recall([(tracks, expressions, truths.__getitem__)])}
    assert list(rows) == ["grid", "box", "truth", "all"]
    assert (rows["grid"].best_track, rows["grid"].best_union) == (0.5, 1.0)
    assert (rows["box"].best_track, rows["box"].tracks) == (0.5, 1.0)
    assert (rows["all"].tracks, rows["all"].found) == (4.0, 1.0)
    assert {r.expressions for r in rows.values()} == {1}  # no target: no candidate can be right


def test_without_candidates_nothing_is_found() -> None:
    truths = {"0": target((0, 10))}
    assert candidate_recall([([], [Expression("0", "0")], truths.__getitem__)]) == []
    some = [track(still(0, 10), only="9")]
    assert candidate_recall([(some, [Expression("0", "0")], truths.__getitem__)]) == []
    assert candidate_recall([]) == []


def test_tracks_beyond_the_memory_limit_stay_run_lengths_and_give_the_same_masks() -> None:
    masks = [still(0, 10).compressed(), still(30, 40).compressed(), still(5, 15).compressed()]
    tracks, wanted = [track(m) for m in masks], target((0, 12))
    packed, lean = touching(tracks, wanted), touching(tracks, wanted, limit=0)
    assert list(packed) == list(lean) == [0, 2]
    assert packed == lean
    kinds = [{type(m._frames[0]) for m in found.values()} for found in (packed, lean)]
    assert kinds == [{np.ndarray}, {bytes}]
