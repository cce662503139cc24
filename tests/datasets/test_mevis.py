from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.mevis import CHECKSUMS, open_mevis
from rvosbench.errors import AnnotationError, DatasetError, NoGroundTruthError
from rvosbench.masks import MaskSequence

from . import toys


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toys.write_mevis(tmp_path / "mevis")


def test_samples_are_in_file_order_with_their_sentences(root: Path) -> None:
    dataset = open_mevis(root, "valid_u")
    samples = list(dataset)
    assert [s.video.id for s in samples] == ["b", "a"]
    assert [e.id for e in samples[0].expressions] == ["0", "1", "2"]
    assert samples[0].expressions[0].text == "The box"
    assert samples[0].video.frame_names == toys.FRAMES
    check_dataset(dataset)


def test_the_truth_of_an_expression_is_keyed_by_annotation(root: Path) -> None:
    target = open_mevis(root, "valid_u").target("b", "1")
    assert list(target.objects) == ["1", "2"]
    assert target.annotated == (0, 1, 2)
    assert target.void is None
    assert target.size == toys.SIZE
    wanted = toys.object_mask(1, 2) | toys.object_mask(2, 2)
    np.testing.assert_array_equal(target.union().frame(2), wanted.astype(bool))


def test_a_null_mask_is_an_empty_frame(root: Path) -> None:
    masks = open_mevis(root, "valid_u").target("b", "1").objects["2"]
    assert masks.areas().tolist() == [12, 0, 12]


def test_no_target_is_a_target_without_objects(root: Path) -> None:
    target = open_mevis(root, "valid_u").target("b", "2")
    assert target.objects == {}
    assert target.union() == MaskSequence.empty(3, toys.SIZE)


def test_objects_are_all_annotations_of_the_video(root: Path) -> None:
    dataset = open_mevis(root, "valid_u")
    assert list(dataset.objects("b")) == ["1", "2"]
    assert list(dataset.objects("a")) == ["4"]


@pytest.mark.parametrize("ids", [["1"], "1", 1], ids=["list of text", "text", "number"])
def test_ids_may_be_text_or_numbers(tmp_path: Path, ids: object) -> None:
    meta = toys.mevis_meta()
    meta["videos"]["b"]["expressions"]["0"]["anno_id"] = ids
    dataset = open_mevis(toys.write_mevis(tmp_path, meta=meta), "valid_u")
    assert list(dataset.target("b", "0").objects) == ["1"]


def test_the_parent_of_the_root_is_accepted(root: Path) -> None:
    assert len(open_mevis(root.parent, "valid_u")) == 2


def test_a_split_folder_is_the_wrong_level_and_the_message_names_the_right_one(root: Path) -> None:
    with pytest.raises(DatasetError, match=f"folder of one split.*pass its parent {root}"):
        open_mevis(root / "valid_u", "valid_u")


def test_a_folder_too_deep_or_too_high_names_the_right_level(root: Path) -> None:
    with pytest.raises(DatasetError, match=f"wrong level: {root} holds"):
        open_mevis(root / "valid_u" / "JPEGImages", "valid_u")
    moved = root.rename(root.parent / "downloaded")
    with pytest.raises(DatasetError, match=f"wrong level: {moved} holds"):
        open_mevis(moved.parent, "valid_u")


def test_a_folder_of_something_else_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DatasetError, match=r"wanted valid_u/meta_expressions\.json.*found photos/"):
        open_mevis(tmp_path, "valid_u")


def test_a_missing_split_says_what_to_unpack(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"train/meta_expressions\.json is missing.*unpack"):
        open_mevis(root, "train")


def test_a_missing_mask_file_is_an_error_when_opened(root: Path) -> None:
    (root / "valid_u" / "mask_dict.json").unlink()
    with pytest.raises(DatasetError, match=r"mask_dict\.json is missing.*download"):
        open_mevis(root, "valid_u")


def test_the_hidden_split_has_sentences_and_no_truth(tmp_path: Path) -> None:
    meta = toys.without_objects(toys.mevis_meta())
    root = toys.write_mevis(tmp_path, "valid", meta)
    (root / "valid" / "mask_dict.json").unlink()
    dataset = open_mevis(root, "valid")
    check_dataset(dataset)
    for ask in (lambda: dataset.target("b", "0"), lambda: dataset.objects("b")):
        with pytest.raises(NoGroundTruthError, match=r"mevis valid has no ground truth.*server"):
            ask()
    assert dataset.referents("b") is None


def test_a_valid_meta_file_in_a_split_with_truth_is_named_as_such(tmp_path: Path) -> None:
    root = toys.write_mevis(tmp_path, "train", toys.without_objects(toys.mevis_meta()))
    with pytest.raises(AnnotationError, match=r"no 'anno_id'.*hidden split.*wrong folder"):
        open_mevis(root, "train")


@pytest.mark.parametrize("name", ["meta_expressions_v2.json", "meta_expressions_v2_release.json"])
def test_version_2_is_named_and_not_taken_for_version_1(root: Path, name: str) -> None:
    meta = root / "valid_u" / "meta_expressions.json"
    meta.rename(meta.with_name(name))
    with pytest.raises(DatasetError, match=r"MeViS v2.*not supported yet"):
        open_mevis(root, "valid_u")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expressions": None}, r"video 'b' has no 'expressions'"),
        (
            {"expressions": None, "objects": {"1": {"category": "dog"}}},
            r"has no 'expressions'.*meta\.json \(categories\)",
        ),
        ({"expressions": [{"exp": "x"}]}, r"'expressions' is a list"),
        ({"expressions": {"0": {"anno_id": [1]}}}, r"expression '0' has no text"),
        ({"expressions": {"0": "x"}}, r"expression '0' has no text"),
        (
            {"expressions": {"0": {"exp": "x"}, "1": {"exp": "y", "anno_id": [1]}}},
            r"expression '1' names its objects.*expression '0' does not",
        ),
        ({"expressions": {"0": {"exp": "x"}}}, r"video 'a' names objects.*video 'b' does not"),
        (
            {"expressions": {"0": {"exp": "x", "anno_id": [1.5]}}},
            r"'anno_id' of expression '0' is \[1\.5\]",
        ),
        ({"expressions": {"0": {"exp": "x", "tags": "fast"}}}, r"'tags' of expression '0'"),
        ({"frames": []}, r"lists no 'frames'"),
        ({"frames": None}, r"lists no 'frames'"),
        ({"frames": ["3", "4", "3"]}, r"lists frame '3' twice"),
    ],
    ids=str,
)
def test_a_bad_meta_file_says_where_and_what(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    meta = toys.mevis_meta()
    changed = {**meta["videos"]["b"], **change}
    meta["videos"]["b"] = {key: value for key, value in changed.items() if value is not None}
    root = toys.write_mevis(tmp_path, meta=meta)
    with pytest.raises(AnnotationError, match=message):
        open_mevis(root, "valid_u")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<html>", "cannot be read as JSON"),
        ("[]", r"at least one video, got \[\]\."),
        ('{"images": []}', r'wanted \{"videos"'),
        ('{"videos": {}}', "at least one video"),
        ('{"videos": {"b": []}}', "has no 'expressions'"),
    ],
)
def test_a_file_that_is_no_meta_file(root: Path, content: str, message: str) -> None:
    (root / "valid_u" / "meta_expressions.json").write_text(content)
    with pytest.raises(AnnotationError, match=message):
        open_mevis(root, "valid_u")


def test_an_annotation_that_the_masks_lack(tmp_path: Path) -> None:
    masks = toys.mevis_masks()
    del masks["2"]
    dataset = open_mevis(toys.write_mevis(tmp_path, masks=masks), "valid_u")
    assert list(dataset.target("b", "0").objects) == ["1"]
    with pytest.raises(AnnotationError, match=r"annotation '2', which the file does not hold"):
        dataset.target("b", "1")


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_wrong_number_of_masks(tmp_path: Path, count: int) -> None:
    masks = toys.mevis_masks()
    masks["1"] = (masks["1"] * 2)[:count]
    dataset = open_mevis(toys.write_mevis(tmp_path, masks=masks), "valid_u")
    with pytest.raises(AnnotationError, match=f"'b', annotation '1': {count} masks, wanted 3"):
        dataset.target("b", "0")


def test_masks_of_another_size_than_the_frames(tmp_path: Path) -> None:
    masks = toys.mevis_masks()
    masks["1"][2] = toys.rle(np.ones((6, 10), np.uint8))
    dataset = open_mevis(toys.write_mevis(tmp_path, masks=masks), "valid_u")
    with pytest.raises(
        AnnotationError, match=r"annotation '1': RLE of frame 2 is \[6, 10\], wanted \[12, 20\]"
    ):
        dataset.target("b", "0")


def test_something_that_is_no_mask(tmp_path: Path) -> None:
    masks = toys.mevis_masks()
    masks["1"][0] = {"size": [12, 20]}
    dataset = open_mevis(toys.write_mevis(tmp_path, masks=masks), "valid_u")
    with pytest.raises(AnnotationError, match=r"annotation '1': frame 0 is .*wanted null or"):
        dataset.target("b", "0")


def test_predictions_can_be_scored_without_the_frames(root: Path) -> None:
    (root / "valid_u" / "JPEGImages").rename(root / "elsewhere")
    dataset = open_mevis(root, "valid_u")
    assert dataset.target("b", "0").size == toys.SIZE
    assert dataset.target("b", "2").size == toys.SIZE  # no target: the size of its neighbours
    with pytest.raises(DatasetError, match=r"JPEGImages/b does not exist"):
        dataset.sample("b").video.read(0)


def test_unknown_videos_and_expressions_are_named(root: Path) -> None:
    dataset = open_mevis(root, "valid_u")
    with pytest.raises(DatasetError, match="no video 'c'"):
        dataset.target("c", "0")
    with pytest.raises(DatasetError, match="no expression '9', it has 0, 1, 2"):
        dataset.target("b", "9")


def test_the_fingerprint_knows_content_and_no_paths(root: Path, tmp_path: Path) -> None:
    ours = open_mevis(root, "valid_u").fingerprint
    copy = toys.write_mevis(tmp_path / "copy")
    (copy / "valid_u" / "JPEGImages").rename(copy / "frames are not looked at")
    assert open_mevis(copy, "valid_u").fingerprint == ours
    meta, masks = toys.mevis_meta(), toys.mevis_masks()
    meta["videos"]["a"]["expressions"]["0"]["exp"] = "two"
    other_text = toys.write_mevis(tmp_path / "text", meta=meta)
    masks["4"][0] = None
    other_masks = toys.write_mevis(tmp_path / "masks", masks=masks)
    prints = {open_mevis(r, "valid_u").fingerprint for r in (other_text, other_masks)}
    assert len(prints | {ours}) == 3


def test_a_dataset_travels_to_worker_processes(root: Path) -> None:
    dataset = open_mevis(root, "valid_u")
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.target("b", "1").union() == dataset.target("b", "1").union()
    np.testing.assert_array_equal(copy.sample("a").video.read(1), dataset.sample("a").video.read(1))


def test_published_checksums_are_sha256() -> None:
    assert CHECKSUMS.keys() == {"train", "valid_u"}
    assert all(len(bytes.fromhex(c)) == 32 for c in CHECKSUMS.values())


def test_real_frames_and_masks(shared_data: Path) -> None:
    dataset = open_mevis(shared_data / "mevis-mini", "valid_u")
    check_dataset(dataset)
    assert [len(s.video) for s in dataset] == [24, 24, 2]
    several = dataset.target("a1c0ffee0003", "2")
    assert list(several.objects) == ["2", "3"]
    assert several.size == (480, 854)
