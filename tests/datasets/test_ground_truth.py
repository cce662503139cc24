from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from rvosbench.datasets.ground_truth import LabelTruth
from rvosbench.datasets.meta import Clip
from rvosbench.errors import AnnotationError

from . import toys

CLIP = Clip("v", ("0", "1"), (), {})


def test_masks_of_two_sizes_are_refused(tmp_path: Path) -> None:
    images = {"0": np.ones((4, 5), np.uint8), "1": np.ones((5, 4), np.uint8)}
    toys.write_labels(tmp_path / "v", images)
    with pytest.raises(AnnotationError, match=r"v/1\.png: got 5x4, wanted 4x5"):
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


def test_the_images_of_a_video_are_read_once(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1, 2)), "1": toys.labels((1,))})
    truth = LabelTruth(tmp_path)
    first = truth.target(CLIP, ["1"], None)
    for file in (tmp_path / "v").iterdir():
        file.write_bytes(b"")
    assert truth.target(CLIP, ["1"], None) == first
    assert list(truth.target(CLIP, None, None).objects) == ["1", "2"]
    with pytest.raises(AnnotationError, match=r"v/0\.png: not a readable PNG"):
        LabelTruth(tmp_path).target(CLIP, ["1"], None)


def test_identity_sees_names_and_sizes_of_files(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1,))})
    before = LabelTruth(tmp_path).identity([CLIP])
    size = (tmp_path / "v" / "0.png").stat().st_size
    assert before == [["v/0", size]]
    toys.write_labels(tmp_path / "v", {"1": toys.labels((1,))})
    assert LabelTruth(tmp_path).identity([CLIP]) != before


def test_ground_truth_in_a_zip_is_that_of_the_folder(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "masks" / "v", {"1": toys.labels((1, 2, 255))})
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.write(tmp_path / "masks" / "v" / "1.png", "v/1.png")
    folder, packed = (LabelTruth(tmp_path / name) for name in ("masks", "masks.zip"))
    assert packed.target(CLIP, None, toys.SIZE) == folder.target(CLIP, None, toys.SIZE)
    assert packed.identity([CLIP]) == folder.identity([CLIP])


def test_an_image_of_the_same_name_hides_no_mask(tmp_path: Path) -> None:
    toys.write_labels(tmp_path / "v", {"0": toys.labels((1,))})
    toys.write_frames(tmp_path / "v", ("0",), ".jpg")
    assert LabelTruth(tmp_path).target(CLIP, None, None).annotated == (0,)
