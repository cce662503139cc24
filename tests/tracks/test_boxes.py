"""Box tracks: each expression as if it were alone, equal prompts tracked once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rvosbench.masks import MaskSequence
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Sample, Track
from rvosbench.tracks.boxes import box_prompts, box_tracks
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower

from .worlds import EASY, LENGTH, SIZE, Reader, generate_tracks, make_sample, random_sam2

LEFT, RIGHT, WIDE = (2.0, 5.0, 30.0, 50.0), (45.0, 5.0, 78.0, 50.0), (5.0, 20.0, 75.0, 40.0)
TEXTS = {"0": "left", "1": "right one", "2": "left", "3": "both", "4": "nothing"}
KNOWN = {
    "left": [(LEFT, 0.9)],
    "right one": [(RIGHT, 0.8), (WIDE, 0.3)],
    "both": [(LEFT, 0.5), (RIGHT, 0.4)],
}
BOXES = replace(EASY, filter_group=1, box_interval=2, max_grid_tracks=2)


@pytest.fixture(scope="module")
def sam2() -> Sam2:
    return random_sam2()


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(TEXTS)


@pytest.fixture(scope="module")
def tracks(sam2: Sam2, sample: Sample) -> tuple[Track, ...]:
    return generate_tracks(sam2, sample, BOXES, Reader(KNOWN))


def of(tracks: tuple[Track, ...], expression: str) -> list[Track]:
    return [t for t in tracks if t.serves(expression)]


@pytest.mark.parametrize("config", [BOXES, replace(BOXES, filter_group=4, iou_filter=0.5)])
def test_an_expression_has_the_candidates_it_would_have_alone(
    sam2: Sam2, sample: Sample, config: TrackConfig
) -> None:
    together = generate_tracks(sam2, sample, config, Reader(KNOWN))
    for expression in sample.expressions:
        alone = generate_tracks(
            sam2, replace(sample, expressions=(expression,)), config, Reader(KNOWN)
        )
        ours = {(t.prompt_frame, t.prompt, t.score): t for t in of(together, expression.id)}
        theirs = {(t.prompt_frame, t.prompt, t.score): t for t in alone}
        assert ours.keys() == theirs.keys()
        for key, track in theirs.items():
            assert ours[key].masks == track.masks
            np.testing.assert_allclose(ours[key].tokens, track.tokens, atol=1e-4)


def test_grid_tracks_serve_all_and_box_tracks_their_own(
    sam2: Sam2, sample: Sample, tracks: tuple[Track, ...]
) -> None:
    grid = generate_tracks(sam2, sample, BOXES)
    assert [t.masks for t in tracks[: len(grid)]] == [t.masks for t in grid]
    assert {t.source for t in tracks[: len(grid)]} == {"grid"}
    assert all(t.candidates is None for t in tracks[: len(grid)])
    boxes = tracks[len(grid) :]
    assert {t.source for t in boxes} == {"box"}
    assert [t.id for t in tracks] == [str(i) for i in range(len(tracks))]
    for track in boxes:
        assert sorted(track.candidates or ()) in (["0", "2"], ["1"], ["3"])
        assert track.prompt in (LEFT, RIGHT, WIDE)
    assert of(tracks, "4") == list(tracks[: len(grid)])


def test_equal_prompts_are_propagated_once(
    sam2: Sam2, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[tuple[int, bytes]] = []
    follow = Follower.tracks
    monkeypatch.setattr(
        Follower,
        "tracks",
        lambda self, prompts, source: (
            followed.extend(p.key for p in prompts) or follow(self, prompts, source)  # type: ignore[func-returns-value]
        ),
    )
    tracks = generate_tracks(sam2, sample, BOXES, Reader(KNOWN))
    assert len(followed) == len(set(followed))
    shared = [t for t in tracks if t.source == "box" and t.prompt == LEFT and t.prompt_frame == 0]
    assert {frozenset(t.candidates or ()) for t in shared} == {
        frozenset({"0", "2"}),
        frozenset({"3"}),
    }
    assert shared[0].tokens is shared[1].tokens or np.shares_memory(
        shared[0].tokens, shared[1].tokens
    )


def test_a_sentence_is_looked_at_once_a_frame(sam2: Sam2, sample: Sample) -> None:
    reader = Reader(KNOWN)
    generate_tracks(sam2, sample, BOXES, reader)
    assert reader.asked == ["left", "right one", "both", "nothing"] * 3


def test_the_compute_batch_changes_no_box_track(
    sam2: Sam2, sample: Sample, tracks: tuple[Track, ...]
) -> None:
    small = generate_tracks(sam2, sample, BOXES, Reader(KNOWN), Compute(batch_size=1))
    assert [(t.prompt, t.candidates) for t in small] == [(t.prompt, t.candidates) for t in tracks]
    assert [t.masks for t in small] == [t.masks for t in tracks]


def test_boxes_below_the_score_or_unstable_are_no_prompts(sam2: Sam2, sample: Sample) -> None:
    def boxes(config: TrackConfig) -> list[Track]:
        follower = Follower.of(sam2, sample.video, Compute())
        found = box_prompts(follower, Reader(KNOWN), sample, config)
        return box_tracks(follower, found, config)

    assert {t.score for t in boxes(BOXES)} == {0.9, 0.8, 0.5, 0.4, 0.3} & {
        t.score for t in boxes(BOXES)
    }
    assert {t.score for t in boxes(replace(BOXES, box_threshold=0.6))} == {0.9, 0.8}
    assert boxes(replace(BOXES, box_stability=1.1)) == []


def test_an_expression_has_no_more_tracks_than_the_limit(sam2: Sam2, sample: Sample) -> None:
    config = replace(BOXES, max_box_tracks=1, iou_filter=1.0)
    tracks = generate_tracks(sam2, sample, config, Reader(KNOWN))
    for expression in ("0", "1", "3"):
        assert sum(t.source == "box" for t in of(tracks, expression)) == 1


def test_grid_tracks_can_filter_box_prompts(sam2: Sam2, sample: Sample) -> None:
    follower = Follower.of(sam2, sample.video, Compute())
    found = box_prompts(follower, Reader(KNOWN), sample, BOXES)
    free = box_tracks(follower, found, replace(BOXES, iou_filter=0.0))
    whole = MaskSequence.from_arrays(np.ones((LENGTH, *SIZE), bool))
    grid = [replace(free[0], masks=whole, source="grid", candidates=None)]
    for filters, left in ((True, 0), (False, len(free))):
        config = replace(BOXES, iou_filter=0.0, grid_filters_boxes=filters)
        assert len(box_tracks(follower, found, config, grid)) == left


def test_one_pool_of_a_video_serves_all_and_has_no_mask_twice(
    sam2: Sam2, sample: Sample, tracks: tuple[Track, ...]
) -> None:
    config = replace(BOXES, candidate_pool="video")
    pool = generate_tracks(sam2, sample, config, Reader(KNOWN))
    assert all(t.candidates is None for t in pool)
    own = {(t.prompt_frame, t.prompt) for t in tracks if t.source == "box"}
    shared = [(t.prompt_frame, t.prompt) for t in pool if t.source == "box"]
    assert len(shared) == len(set(shared))
    assert set(shared) == own


def test_without_expressions_there_are_grid_tracks_only(sam2: Sam2, sample: Sample) -> None:
    reader = Reader(KNOWN)
    tracks = generate_tracks(sam2, replace(sample, expressions=()), BOXES, reader)
    assert {t.source for t in tracks} == {"grid"}
    assert reader.asked == []
