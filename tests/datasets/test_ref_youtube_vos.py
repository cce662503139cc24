from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.ref_youtube_vos import open_ref_youtube_vos
from rvosbench.errors import AnnotationError, DatasetError, NoGroundTruthError

from . import toys


def _hidden(root: Path, split: str, *videos: str) -> Path:
    entry = toys.video({"0": {"exp": "x"}})
    path = root / "meta_expressions" / split / "meta_expressions.json"
    return toys.write_json(path, {"videos": {v: entry for v in videos}})


def test_train_has_truth_on_some_frames(tmp_path: Path) -> None:
    dataset = open_ref_youtube_vos(toys.write_youtube(tmp_path), "train")
    check_dataset(dataset)
    target = dataset.target("v1", "1")
    assert target.annotated == (0, 2)
    assert list(target.objects) == ["2"]
    np.testing.assert_array_equal(target.objects["2"].frame(1), toys.object_mask(2, 2) > 0)
    assert target.void is None
    assert list(dataset.objects("v1")) == ["1", "2"]


def test_parent_of_the_root_is_accepted(tmp_path: Path) -> None:
    toys.write_youtube(tmp_path / "ref-youtube-vos")
    assert len(open_ref_youtube_vos(tmp_path, "train")) == 2


def test_an_object_that_the_masks_lack(tmp_path: Path) -> None:
    root = toys.write_youtube(tmp_path)
    path = root / "meta_expressions" / "train" / "meta_expressions.json"
    path.write_text(path.read_text().replace('"2"', '"7"'))
    with pytest.raises(AnnotationError, match="names object '7', the masks hold 1, 2"):
        open_ref_youtube_vos(root, "train").target("v1", "1")


def test_a_video_without_masks(tmp_path: Path) -> None:
    root = toys.write_youtube(tmp_path)
    (root / "train" / "Annotations" / "v1").rename(root / "moved")
    with pytest.raises(AnnotationError, match="has no mask for any of the 3 frames of video 'v1'"):
        open_ref_youtube_vos(root, "train").target("v1", "0")


def test_train_without_masks_or_object_ids(tmp_path: Path) -> None:
    root = toys.write_youtube(tmp_path, masks=False)
    with pytest.raises(DatasetError, match="Annotations is missing"):
        open_ref_youtube_vos(root, "train")
    _hidden(root, "train", "v1")
    with pytest.raises(AnnotationError, match=r"no 'obj_id'.*hidden split"):
        open_ref_youtube_vos(root, "train")


def test_valid_is_hidden_and_says_how_to_score_with_masks_at_hand(tmp_path: Path) -> None:
    _hidden(tmp_path, "valid", "v1")
    toys.write_frames(tmp_path / "valid" / "JPEGImages" / "v1")
    dataset = open_ref_youtube_vos(tmp_path, "valid")
    check_dataset(dataset)
    with pytest.raises(NoGroundTruthError, match=r"valid/Annotations/<video>.*'obj_id'"):
        dataset.target("v1", "0")


def test_valid_with_masks_and_object_ids_has_truth(tmp_path: Path) -> None:
    dataset = open_ref_youtube_vos(toys.write_youtube(tmp_path, "valid"), "valid")
    check_dataset(dataset)
    assert dataset.target("v2", "0").annotated == (0, 2)


def test_the_test_file_is_subtracted_from_valid(tmp_path: Path) -> None:
    _hidden(tmp_path, "valid", "v1", "t1", "v2")
    _hidden(tmp_path, "test", "t1")
    assert [s.video.id for s in open_ref_youtube_vos(tmp_path, "valid")] == ["v1", "v2"]
    assert [s.video.id for s in open_ref_youtube_vos(tmp_path, "valid-507")] == ["v1", "t1", "v2"]
    assert [s.video.id for s in open_ref_youtube_vos(tmp_path, "test")] == ["t1"]


def test_the_frames_of_test_come_with_valid(tmp_path: Path) -> None:
    _hidden(tmp_path, "test", "t1")
    toys.write_frames(tmp_path / "valid" / "JPEGImages" / "t1")
    assert open_ref_youtube_vos(tmp_path, "test").sample("t1").video.size == toys.SIZE


def test_a_test_file_that_is_a_copy_of_valid(tmp_path: Path) -> None:
    _hidden(tmp_path, "valid", "v1")
    _hidden(tmp_path, "test", "v1")
    with pytest.raises(DatasetError, match="no valid video is left"):
        open_ref_youtube_vos(tmp_path, "valid")


@pytest.mark.parametrize("count", [202, 203])
def test_more_than_202_videos_need_the_test_file(tmp_path: Path, count: int) -> None:
    _hidden(tmp_path, "valid", *(f"v{i}" for i in range(count)))
    if count == 202:
        assert len(open_ref_youtube_vos(tmp_path, "valid")) == 202
        return
    with pytest.raises(DatasetError, match=r"203 videos.*test/meta_expressions\.json.*valid-507"):
        open_ref_youtube_vos(tmp_path, "valid")


def test_the_real_valid_file(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "ref-youtube-vos"
    with pytest.raises(DatasetError, match="holds 507 videos"):
        open_ref_youtube_vos(source, "valid")
    dataset = open_ref_youtube_vos(source, "valid-507")
    assert len(dataset) == 507
    assert sum(len(s.expressions) for s in dataset) == 2096
    assert sum(len(s.video) for s in dataset) == 13710
    real = json.loads((source / "meta_expressions/valid/meta_expressions.json").read_text())
    toys.write_json(tmp_path / "meta_expressions/valid/meta_expressions.json", real)
    _hidden(tmp_path, "test", *sorted(real["videos"])[:305])
    assert len(open_ref_youtube_vos(tmp_path, "valid")) == 202
