"""Training data from track caches: overlaps once, tokens when needed, several datasets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rvosbench.errors import NoGroundTruthError, WeightsError
from rvosbench.execution.units import Unit
from rvosbench.masks import MaskSequence
from rvosbench.models.weights import ModelIdentity
from rvosbench.records import Sample, Video
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_file import (
    TrackCacheError,
    read_header,
    read_tokens,
    read_tracks,
    write_tracks,
)
from rvosbench.tracks.text_tokens import read_text_tokens, write_text_tokens
from sola.data.overlaps import mean_overlap
from sola.data.samples import TokenStore, TrackSet
from sola.data.track_data import OpenOptions, TrainingData, limited, open_training_data

from ...toys import LENGTH, SIZE, ToyDataset, moving_square
from ..caches import DIM, ENCODER, make_cache

HOW = OpenOptions(ENCODER)


def opened(cache: Path, dataset: ToyDataset | None = None) -> TrainingData:
    sets = [TrackSet(cache, dataset or ToyDataset())]
    return open_training_data(sets, sets, HOW)


def test_overlaps_are_those_of_masks_and_truth(tmp_path: Path) -> None:
    data = opened(make_cache(tmp_path))
    assert [s.video for s in data.train] == ["a", "b/c", "d"]
    sample = data.train[1]
    square, both = 25 / (25 + 25), 50 / (12 * 70)
    rows = np.array([[1, 0], [0, 1], [square, square], [25 / 840, 25 / 840], [1, 0], [0, 1]])
    assert_allclose(sample.overlap, rows, atol=1e-6)
    assert sample.texts == ("left", "right", "both", "none")
    assert_array_equal(sample.targets, [[1, 0], [0, 1], [1, 1], [0, 0]])
    assert sample.union_overlap is not None
    assert_allclose(sample.union_overlap[0], rows[:, 0], atol=1e-6)
    assert_allclose(sample.union_overlap[2], [0.5, 0.5, 1, both, 0.5, 0.5], atol=1e-6)
    assert not sample.union_overlap[3].any()
    assert sample.candidates is None
    assert sample.sources == ("grid",) * 4 + ("truth",) * 2
    assert set(data.texts) == set(sample.texts)
    assert data.facts["text_encoder"] == "2" * 64


def test_tokens_are_those_of_the_cache_and_not_copied(tmp_path: Path) -> None:
    data = opened(make_cache(tmp_path))
    sample = data.train[0]
    wanted = np.stack([t.tokens for t in TrackCache(tmp_path).tracks("a")])
    assert sample.stored.shape == wanted.shape == (6, LENGTH, DIM)
    assert_array_equal(sample.tokens, wanted)
    assert np.shares_memory(sample.tokens, sample.tokens)
    truth = sample.only(["truth"])
    assert_array_equal(truth.tokens, wanted[4:])
    assert np.shares_memory(truth.tokens, sample.tokens)
    assert_array_equal(truth.only(["truth"]).tokens, wanted[4:])


def test_tokens_beyond_the_budget_are_read_again(tmp_path: Path) -> None:
    make_cache(tmp_path)
    paths = [TrackCache(tmp_path).path(v) for v in ToyDataset().videos]
    size = read_tokens(paths[0]).nbytes
    store = TokenStore(2 * size)
    first = store.read(paths[0])
    assert store.read(paths[0]) is first
    store.read(paths[1])
    store.read(paths[0])
    store.read(paths[2])  # the second goes: it was used longest ago
    assert store.read(paths[0]) is first
    assert_array_equal(store.read(paths[1]), first)


def test_overlaps_are_computed_once(tmp_path: Path) -> None:
    make_cache(tmp_path)
    seen: list[bool] = []

    def note(unit: Unit, reused: bool) -> None:
        seen.append(reused)

    sets = [TrackSet(tmp_path, ToyDataset())]
    for _ in range(2):
        open_training_data(sets, (), dataclasses.replace(HOW, on_done=note))
    assert seen == [False] * 3 + [True] * 3
    # Other tracks of one video, and another version of the dataset, are noticed.
    path = TrackCache(tmp_path).path("a")
    write_tracks(path, read_header(path), read_tracks(path)[:3])
    seen.clear()
    data = open_training_data(sets, sets, dataclasses.replace(HOW, on_done=note))
    assert sorted(seen[:3]) == [False, True, True]
    assert len(data.train[0]) == 3
    seen.clear()
    other = [TrackSet(tmp_path, ToyDataset(fingerprint="toy-2"))]
    open_training_data(other, (), dataclasses.replace(HOW, on_done=note))
    assert seen == [False] * 3


def test_facts_tell_data_apart(tmp_path: Path) -> None:
    first = opened(make_cache(tmp_path / "a")).facts
    assert first == opened(make_cache(tmp_path / "b")).facts  # places do not matter
    (facts,) = first["train"]
    assert (facts["dataset"], facts["videos"], facts["expressions"]) == ("toy", 3, 12)
    without = opened(make_cache(tmp_path / "c", truth=False)).facts
    assert without["train"][0]["tracks"] != facts["tracks"]
    assert json.loads(json.dumps(first)) == first


def test_box_tracks_serve_their_own_expressions(tmp_path: Path) -> None:
    sample = opened(make_cache(tmp_path, boxes=True)).train[0]
    assert sample.sources[4] == "box"
    assert sample.candidates is not None
    assert sample.candidates[:, 4].tolist() == [True, False, False, False]
    assert sample.candidates[:, [0, 1, 2, 3, 5, 6]].all()
    assert sample.only(["grid", "truth"]).candidates is None
    assert sample.only(["box"]).candidates_of(0).tolist() == [True]


def test_several_datasets_are_learnt_together(tmp_path: Path) -> None:
    other = ToyDataset(name="other", videos=("x", "y"), texts={"0": "left", "1": "the right one"})
    sets = [
        TrackSet(make_cache(tmp_path / "one"), ToyDataset()),
        TrackSet(make_cache(tmp_path / "two", other), other),
    ]
    data = open_training_data(sets, (), HOW)
    assert [s.video for s in (*data.valid, *data.train)] == ["a", "b/c", "d", "x", "y"]
    assert {"right", "the right one"} <= set(data.texts)
    assert [f["dataset"] for f in data.facts["train"]] == ["toy", "other"]
    assert data.facts["valid"] == "every 10th training video"


def test_videos_of_other_splits_are_left_out_and_counted(tmp_path: Path) -> None:
    data = opened(make_cache(tmp_path), ToyDataset(videos=("a", "b/c")))
    assert [s.video for s in data.train] == ["a", "b/c"]
    assert data.n_other_splits == 2  # of training, and of validation


def test_text_tokens_of_two_encoders_are_refused(tmp_path: Path) -> None:
    other = ToyDataset(name="other", videos=("x",), texts={"0": "left", "1": "the right one"})
    sets = [
        TrackSet(make_cache(tmp_path / "one"), ToyDataset()),
        TrackSet(make_cache(tmp_path / "two", other), other),
    ]
    path = tmp_path / "two" / "texts" / "toy.parquet"
    write_text_tokens(path, read_text_tokens(path), ModelIdentity(ENCODER, "3" * 64), "float32")
    with pytest.raises(TrackCacheError, match="text tokens are of another toy/encoder"):
        open_training_data(sets, (), HOW)
    same = ToyDataset(name="other", videos=("x",))
    make_cache(tmp_path / "three", same)
    (tmp_path / "three" / "texts" / "toy.parquet").unlink()  # nothing is new: it is not asked for
    open_training_data([sets[0], TrackSet(tmp_path / "three", same)], (), HOW)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackCacheError, match="no track cache here"):
        opened(tmp_path)
    make_cache(tmp_path)
    with pytest.raises(NoGroundTruthError, match="keeps its truth"):
        opened(tmp_path, ToyDataset(hidden=True))
    with pytest.raises(TrackCacheError, match="none of its 3 videos, such as 'a', is in toy/valid"):
        opened(tmp_path, ToyDataset(videos=("x",)))
    with pytest.raises(TrackCacheError, match="other frames"):
        opened(tmp_path, Brighter(fingerprint="brighter"))
    sets = [TrackSet(tmp_path, ToyDataset())]
    with pytest.raises(WeightsError, match="another/encoder"):
        open_training_data(sets, (), OpenOptions("another/encoder"))
    next(tmp_path.glob("overlaps/*/a.json")).write_text("{")
    with pytest.raises(TrackCacheError, match=r"a\.json: cannot be read"):
        opened(tmp_path)


class Brighter(ToyDataset):
    """The toy dataset with other frames."""

    def sample(self, video_id: str) -> Sample:
        sample = super().sample(video_id)
        video = sample.video
        frame = np.full((*SIZE, 3), 9, np.uint8)
        other = Video(video.id, video.frame_names, lambda i: frame, video.measure)
        return Sample(other, sample.expressions)


def test_mean_overlap_counts_frames_empty_in_both_as_right() -> None:
    square, nothing = moving_square(1, 2), MaskSequence.empty(LENGTH, SIZE)
    assert mean_overlap(square, square) == 1
    assert mean_overlap(nothing, nothing) == 1
    assert mean_overlap(square, nothing) == 0
    half = MaskSequence.from_arrays([*square.arrays()[:2], *nothing.arrays()[2:]])
    assert mean_overlap(square, half) == 0.5
    assert mean_overlap(square.at([]), square.at([])) == 0


def test_validation_looks_at_some_videos_spread_evenly(tmp_path: Path) -> None:
    data = opened(
        make_cache(tmp_path, ToyDataset(videos=tuple("abcdefghij"))),
        ToyDataset(videos=tuple("abcdefghij")),
    )
    assert [s.video for s in limited(data.train, 4)] == ["a", "c", "f", "h"]
    assert limited(data.train, 0) == limited(data.train, 10) == list(data.train)
