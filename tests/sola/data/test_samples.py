"""Training samples, pseudo-labels, and the score of a selection."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rvosbench.errors import DatasetError
from sola.data.samples import VideoSample, pseudo_labels, selection_score

from ..learnable import in_memory


def make_sample() -> VideoSample:
    """Tracks: of object 0, of object 1, of both, of the background. Sentences: 0, both, none."""
    rng = np.random.default_rng(0)
    return VideoSample(
        "dir/video",
        in_memory(rng.normal(size=(4, 3, 2)).astype(np.float32)),
        np.array([[0.9, 0.0], [0.0, 0.8], [0.5, 0.4], [0.1, 0.1]], np.float32),
        ("a", "b", "c"),
        ("the first", "both", "nothing"),
        np.array([[True, False], [True, True], [False, False]]),
        np.array([[0.9, 0, 0.5, 0.1], [0.5, 0.4, 0.95, 0.2], [0, 0, 0, 0]], np.float32),
        np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1]], bool),
    )


def test_tracks_of_some_sources_can_be_looked_at_alone() -> None:
    sample = dataclasses.replace(make_sample(), sources=("grid", "truth", "grid", "truth"))
    grid = sample.only(["grid", "box"])
    assert_array_equal(grid.tokens, sample.tokens[[0, 2]])
    assert_array_equal(grid.overlap, sample.overlap[[0, 2]])
    assert grid.union_overlap is not None
    assert_array_equal(grid.union_overlap[0], np.array([0.9, 0.5], np.float32))
    assert_array_equal(grid.candidates_of(2), [True, False])
    assert grid.sources == ("grid", "grid")
    assert len(sample.only(["box"])) == 0
    assert sample.only(["grid", "truth"]) is sample


def test_an_empty_video_has_no_labels() -> None:
    empty = VideoSample(
        "v",
        in_memory(np.zeros((0, 3, 2), np.float32)),
        np.zeros((0, 1), np.float32),
        ("0",),
        ("the circle",),
        np.ones((1, 1), bool),
    )
    assert pseudo_labels(empty, 0, 0.5).shape == (0,)
    assert selection_score(empty, 0, np.zeros(0, bool)) == 0


def test_arrays_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"'dir/video': overlap has shape \(3, 2\)"):
        dataclasses.replace(make_sample(), overlap=np.zeros((3, 2), np.float32))


@pytest.mark.parametrize(
    ("expression", "against", "expected"),
    [
        (0, "object", [True, False, False, False]),
        (1, "object", [True, True, False, False]),
        (1, "union", [True, True, True, False]),
        (2, "union", [False] * 4),
    ],
)
def test_pseudo_labels(expression: int, against: str, expected: list[bool]) -> None:
    labels = pseudo_labels(make_sample(), expression, 0.7, against)  # type: ignore[arg-type]
    assert labels.tolist() == expected


def test_the_threshold_has_to_be_exceeded() -> None:
    sample = dataclasses.replace(make_sample(), overlap=np.full((4, 2), 0.5, np.float32))
    assert not pseudo_labels(sample, 0, 0.5).any()
    assert pseudo_labels(sample, 0, 0.499).all()


@pytest.mark.parametrize(
    ("expression", "selected", "expected"),
    [
        (0, [1, 0, 0, 0], 0.9),
        (0, [1, 0, 0, 1], 0.45),
        (0, [0, 0, 0, 1], 0.05),
        (0, [0, 0, 0, 0], 0.0),
        (1, [1, 1, 0, 0], 0.85),
        (1, [1, 0, 0, 0], 0.45),
        (2, [0, 1, 1, 0], 1.0),  # of tracks that are no candidates
        (2, [1, 0, 0, 0], 0.0),
    ],
)
def test_selection_score(expression: int, selected: list[int], expected: float) -> None:
    score = selection_score(make_sample(), expression, np.array(selected, bool))
    assert score == pytest.approx(expected)
