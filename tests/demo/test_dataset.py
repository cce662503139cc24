from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from rvosbench.contracts import Dataset
from rvosbench.datasets import load_dataset
from rvosbench.demo.dataset import SPEC, SPLITS, open_demo
from rvosbench.errors import DatasetError, UnknownNameError

VALID = open_demo(None, "valid")


def test_it_is_a_dataset_that_needs_no_folder() -> None:
    assert isinstance(VALID, Dataset)
    assert not SPEC.needs_root
    assert SPEC.splits[0] == "valid"
    assert open_demo(Path("anywhere"), "test").split == "test"


def test_splits_have_their_sizes_and_other_videos() -> None:
    opened = {split: open_demo(None, split) for split in SPLITS}
    assert {split: len(d) for split, d in opened.items()} == {
        "valid": 24,
        "train": 2000,
        "test": 60,
    }
    firsts = [next(iter(d)).video.read(0).tobytes() for d in opened.values()]
    assert len(set(firsts)) == 3
    assert len({d.fingerprint for d in opened.values()}) == 3
    assert VALID.fingerprint == open_demo(None, "valid").fingerprint


def test_a_sample() -> None:
    sample = VALID.sample("valid-0003")
    assert sample.video.id == "valid-0003"
    assert sample.video.frame_names[:2] == ("00000", "00001")
    assert sample.video.size == sample.video.read(0).shape[:2]
    assert [e.id for e in sample.expressions] == [str(i) for i in range(len(sample.expressions))]
    assert all(len(e.tags) == 1 and e.text for e in sample.expressions)


def test_targets_are_the_named_objects() -> None:
    objects = VALID.objects("valid-0000")
    for expression in VALID.sample("valid-0000").expressions:
        target = VALID.target("valid-0000", expression.id)
        assert set(target.objects) <= set(objects)
        assert all(target.objects[name] == objects[name] for name in target.objects)
        assert ("no_target" in expression.tags) == (not target.objects)
        assert len(target.annotated) == len(target.union()) == 20
        assert tuple(target.objects) == VALID.referents("valid-0000")[expression.id]


def test_frames_are_drawn_again_alike_after_the_cache_has_forgotten_them() -> None:
    video = VALID.sample("valid-0000").video
    before = video.read(7)
    for number in range(1, 8):
        VALID.sample(f"valid-{number:04d}")
    assert np.array_equal(video.read(7), before)


def test_a_caller_may_write_into_a_frame() -> None:
    video = VALID.sample("valid-0001").video
    frame = video.read(0)
    frame[:] = 0
    assert video.read(0).any()


def test_samples_travel_to_worker_processes() -> None:
    sample = pickle.loads(pickle.dumps(VALID.sample("valid-0002")))
    assert np.array_equal(sample.video.read(1), VALID.sample("valid-0002").video.read(1))


def test_unknown_names_are_explained() -> None:
    with pytest.raises(DatasetError, match=r"valid-003.*did you mean 'valid-00"):
        VALID.sample("valid-003")
    with pytest.raises(DatasetError, match="no expression '99'"):
        VALID.target("valid-0000", "99")
    with pytest.raises(UnknownNameError, match="valid"):
        open_demo(None, "valid_u")


def test_it_is_found_by_name() -> None:
    assert len(load_dataset("demo", split="val")) == 24
