from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.folder import open_folder
from rvosbench.errors import AnnotationError, DatasetError, NoGroundTruthError

from . import toys


def test_frames_are_found_in_natural_order_and_truth_on_some(tmp_path: Path) -> None:
    dataset = open_folder(toys.write_folder(tmp_path), "all")
    check_dataset(dataset)
    sample = dataset.sample("my clip")
    assert sample.video.frame_names == ("1", "2", "10")
    assert sample.expressions[0].tags == ("static",)
    target = dataset.target("my clip", "0")
    assert target.annotated == (1, 2)
    np.testing.assert_array_equal(target.objects["1"].frame(0), toys.object_mask(1) > 0)


def test_splits_are_folders_below(tmp_path: Path) -> None:
    toys.write_folder(tmp_path / "train")
    assert len(open_folder(tmp_path, "train")) == 1


def test_no_target(tmp_path: Path) -> None:
    assert (
        open_folder(toys.write_folder(tmp_path, objects=()), "all").target("my clip", "0").objects
        == {}
    )


@pytest.mark.parametrize(
    ("objects", "masks", "message"),
    [(None, True, "no 'objects'"), (("1",), False, "there is no folder .*Annotations")],
)
def test_without_truth_it_is_a_hidden_split(
    tmp_path: Path, objects: tuple[str, ...] | None, masks: bool, message: str
) -> None:
    dataset = open_folder(toys.write_folder(tmp_path, objects, masks), "all")
    check_dataset(dataset)
    with pytest.raises(NoGroundTruthError, match=message):
        dataset.target("my clip", "0")


def test_masks_of_0_and_255_are_explained(tmp_path: Path) -> None:
    root = toys.write_folder(tmp_path, masks=False)
    toys.write_labels(root / "Annotations" / "my clip", {"1": toys.labels((255,))})
    with pytest.raises(AnnotationError, match=r"object '1', the masks hold none.*255 means void"):
        open_folder(root, "all").target("my clip", "0")


def test_the_listed_frames_decide(tmp_path: Path) -> None:
    root = toys.write_folder(tmp_path)
    content = json.loads((root / "meta_expressions.json").read_text())
    content["videos"]["my clip"]["frames"] = ["10.png", "2.png"]
    toys.write_json(root / "meta_expressions.json", content)
    dataset = open_folder(root, "all")
    assert dataset.sample("my clip").video.frame_names == ("10", "2")
    assert dataset.target("my clip", "0").annotated == (0, 1)
    assert dataset.target("my clip", "0").objects["1"].frame(1)[4, 2]


def test_a_folder_without_json_or_frames(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"meta_expressions\.json is missing.*docs/datasets\.md"):
        open_folder(tmp_path, "all")
    root = toys.write_folder(tmp_path)
    (root / "JPEGImages").rename(root / "images")
    with pytest.raises(DatasetError, match="holds no images, and the JSON lists no 'frames'"):
        open_folder(root, "all")
