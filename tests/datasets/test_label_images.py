from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from rvosbench.datasets.label_images import LabelTruth, read_labels, split_labels
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError
from rvosbench.masks import MaskSequence

from . import toys

CLIP = Clip("v", ("0", "1"), (), {})


@given(arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 3, 255])))
def test_split_labels_loses_no_pixel(labels: np.ndarray) -> None:
    found = split_labels(labels)
    assert set(found) == set(np.unique(labels).tolist()) - {0}
    for value, rle in found.items():
        mask = MaskSequence.from_rle([rle], (5, 7)).frame(0)
        np.testing.assert_array_equal(mask, labels == value)


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_values_are_read_from_palette_grey_and_one_bit_images(tmp_path: Path, mode: str) -> None:
    labels = toys.labels((1,))
    image = Image.fromarray(labels * 255).convert("1") if mode == "1" else Image.fromarray(labels)
    if mode == "P":
        toys.write_labels(tmp_path, {"0": labels})
    else:
        image.save(tmp_path / "0.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "0.png"), labels)


def test_colour_images_are_refused(tmp_path: Path) -> None:
    toys.write_frames(tmp_path, ("0",), ".png")
    with pytest.raises(AnnotationError, match=r"0\.png is a RGB image, wanted a palette"):
        read_labels(tmp_path / "0.png")


def test_broken_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(AnnotationError, match=r"0\.png cannot be read"):
        read_labels(tmp_path / "0.png")


def test_masks_of_two_sizes_are_refused(tmp_path: Path) -> None:
    images = {"0": np.ones((4, 5), np.uint8), "1": np.ones((5, 4), np.uint8)}
    toys.write_labels(tmp_path / "v", images)
    with pytest.raises(AnnotationError, match=r"1\.png is \(5, 4\).*first mask is \(4, 5\)"):
        LabelTruth(tmp_path).target(CLIP, None, None)


def test_images_of_unlisted_frames_and_other_files_are_no_truth(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"1": toys.labels((1,)), "7": toys.labels((2,))})
    toys.write_frames(tmp_path / "v", ("0",), ".jpg")
    target = LabelTruth(tmp_path).target(CLIP, None, toys.SIZE)
    assert target.annotated == (1,)
    assert list(target.objects) == ["1"]


def test_an_object_may_be_absent_from_some_frames(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1,)), "1": toys.labels((2,))})
    target = LabelTruth(tmp_path).target(CLIP, ["2"], None)
    assert target.objects["2"].areas().tolist() == [0, 12]


def test_the_images_of_a_video_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1, 2)), "1": toys.labels((1,))})
    read: list[str] = []

    def counting(path: Path) -> np.ndarray:
        read.append(path.name)
        return read_labels(path)

    monkeypatch.setattr("rvosbench.datasets.label_images.read_labels", counting)
    truth = LabelTruth(tmp_path)
    for ids in (["1"], ["2"], None):
        truth.target(CLIP, ids, None)
    assert read == ["0.png", "1.png"]


def test_identity_sees_names_and_sizes_of_files(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1,))})
    before = LabelTruth(tmp_path).identity([CLIP])
    size = (tmp_path / "v" / "0.png").stat().st_size
    assert before == [["v/0", size]]
    toys.write_labels(tmp_path / "v", {"1": toys.labels((1,))})
    assert LabelTruth(tmp_path).identity([CLIP]) != before
