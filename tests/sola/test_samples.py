"""Training samples on disk, pseudo-labels, and the score of a selection."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rvosbench.errors import DatasetError
from sola.labels import pseudo_labels, selection_score
from sola.samples import VideoSample, encode_texts, load_sample, load_samples, save_sample


def make_sample() -> VideoSample:
    """Tracks: of object 0, of object 1, of both, of the background. Sentences: 0, both, none."""
    rng = np.random.default_rng(0)
    return VideoSample(
        "dir/video",
        rng.normal(size=(4, 3, 2)).astype(np.float16).astype(np.float32),
        np.array([[0.9, 0.0], [0.0, 0.8], [0.5, 0.4], [0.1, 0.1]], np.float32),
        ("a", "b", "c"),
        ("the first", "both", "nothing"),
        np.array([[True, False], [True, True], [False, False]]),
        np.array([[0.9, 0, 0.5, 0.1], [0.5, 0.4, 0.95, 0.2], [0, 0, 0, 0]], np.float32),
        np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1]], bool),
    )


@pytest.mark.parametrize("full", [True, False])
def test_a_sample_survives_the_disk(tmp_path: Path, full: bool) -> None:
    sample = make_sample()
    if not full:
        sample = dataclasses.replace(sample, union_overlap=None, candidates=None)
    save_sample(tmp_path / "sub" / "video.npz", sample)
    read = load_sample(tmp_path / "sub" / "video.npz")
    assert (read.video, read.texts, read.expressions) == (
        sample.video,
        sample.texts,
        sample.expressions,
    )
    for name in ("tokens", "overlap", "targets", "union_overlap", "candidates"):
        assert_array_equal(getattr(read, name), getattr(sample, name))
        assert (getattr(read, name) is None) == (getattr(sample, name) is None)
    assert read.tokens.dtype == np.float32
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["video.npz"]


def test_empty_videos_survive_the_disk(tmp_path: Path) -> None:
    empty = VideoSample(
        "v",
        np.zeros((0, 3, 2), np.float32),
        np.zeros((0, 1), np.float32),
        ("0",),
        ("the circle",),
        np.ones((1, 1), bool),
    )
    save_sample(tmp_path / "v.npz", empty)
    read = load_samples(tmp_path)[0]
    assert pseudo_labels(read, 0, 0.5).shape == (0,)
    assert selection_score(read, 0, np.zeros(0, bool)) == 0


def test_samples_come_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        save_sample(tmp_path / f"{name}.npz", dataclasses.replace(make_sample(), video=name))
    assert [s.video for s in load_samples(tmp_path)] == ["a", "b", "c"]


def test_bad_files_and_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no training samples"):
        load_samples(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"nonsense")
    with pytest.raises(DatasetError, match=r"x\.npz: not a training sample"):
        load_samples(tmp_path)


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


def test_every_sentence_is_encoded_once() -> None:
    asked: list[list[str]] = []

    def encode(texts: list[str]) -> list[np.ndarray]:
        asked.append(list(texts))
        return [np.full((1, 2), len(text), np.float32) for text in texts]

    table = encode_texts([make_sample(), make_sample()], encode)  # type: ignore[arg-type]
    assert asked == [["both", "nothing", "the first"]]
    assert table["both"][0, 0] == 4
