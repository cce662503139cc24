"""More sentences for collected samples of the demo."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rvosbench.datasets import load_dataset
from rvosbench.errors import DatasetError
from sola.recipes.sentences import main, with_more_sentences
from sola.samples import VideoSample, load_samples, save_sample


@pytest.fixture(scope="module")
def collected() -> VideoSample:
    """Truth as tracks of the second training video."""
    dataset = load_dataset("demo", None, "train")
    expressions = dataset.sample("train-0001").expressions
    names = list(dataset.objects("train-0001"))
    targets = [dataset.target("train-0001", e.id).objects for e in expressions]
    return VideoSample(
        "train-0001",
        np.zeros((len(names), 20, 4), np.float32),
        np.eye(len(names), dtype=np.float32),
        tuple(e.id for e in expressions),
        tuple(e.text for e in expressions),
        np.array([[name in t for name in names] for t in targets], bool),
    )


def test_old_sentences_stay_and_new_ones_agree_with_them(collected: VideoSample) -> None:
    more = with_more_sentences(collected, 30)
    old = len(collected.texts)
    assert more.texts[:old] == collected.texts
    assert_array_equal(more.targets[:old], collected.targets)
    assert len(more.texts) > old + 60
    assert len(set(more.expressions)) == len(more.expressions) == len(more.targets)
    meant: dict[str, list[bool]] = {}
    repeated = 0
    for text, row in zip(more.texts, more.targets.tolist(), strict=True):
        repeated += text in meant
        assert meant.setdefault(text, row) == row, text
    assert repeated
    assert with_more_sentences(collected, 30).texts == more.texts


def test_a_folder_is_enriched(tmp_path: Path, collected: VideoSample) -> None:
    save_sample(tmp_path / "in" / "train-0001.npz", collected)
    main(["--tokens", f"{tmp_path / 'in'}", "--out", f"{tmp_path / 'out'}", "--per-category", "2"])
    (sample,) = load_samples(tmp_path / "out")
    assert len(collected.texts) < len(sample.texts) <= len(collected.texts) + 16


@pytest.mark.parametrize(
    ("video", "message"),
    [("valid-0001", "is not of the demo's train split"), ("train-0002", "not those of this vers")],
)
def test_other_videos_are_refused(collected: VideoSample, video: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        with_more_sentences(dataclasses.replace(collected, video=video), 2)
