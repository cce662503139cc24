from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.ref_davis17 import open_ref_davis17
from rvosbench.errors import AnnotationError, DatasetError

from . import toys


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toys.write_davis(tmp_path / "data")


def _meta(root: Path) -> dict[str, Any]:
    """What the ReferFormer conversion would write: `obj_id` is text, and there is no group."""
    dataset = open_ref_davis17(root, "valid")
    videos = {}
    for sample in dataset:
        objects = dataset.referents(sample.video.id) or {}
        entries = {e.id: {"exp": e.text, "obj_id": objects[e.id][0]} for e in sample.expressions}
        videos[sample.video.id] = toys.video(entries, sample.video.frame_names)
    return {"videos": videos}


def test_expression_ids_are_four_times_the_object_plus_the_annotator_set(root: Path) -> None:
    sample = open_ref_davis17(root, "valid").sample("classic-car")
    found = {e.id: (e.group, e.text) for e in sample.expressions}
    assert found == {
        "0": ("0", "a man"),
        "1": ("1", "a man walks"),  # under the misspelt name clasic-car
        "2": ("2", "a café"),  # latin-1
        "3": ("3", 'he said "go"'),
        "4": ("0", "the red car"),
        "5": ("1", "a car drives"),
        "6": ("2", "car"),
        "7": ("3", "car 2"),
    }


def test_truth_and_void(root: Path) -> None:
    dataset = open_ref_davis17(root, "valid")
    check_dataset(dataset)
    target = dataset.target("classic-car", "6")
    assert list(target.objects) == ["2"]
    assert target.annotated == (0, 1, 2)
    assert target.void is not None
    assert target.void.areas().tolist() == [12, 12, 12]
    assert "255" not in dataset.objects("classic-car")
    assert dataset.target("dog", "0").void is None


def test_both_layouts_are_the_same_dataset(root: Path, tmp_path: Path) -> None:
    before = open_ref_davis17(root, "valid")
    fingerprint, samples = before.fingerprint, [s.expressions for s in before]
    converted = toys.convert_davis(root, tmp_path / "ref-davis", _meta(root))
    after = open_ref_davis17(converted, "valid")
    check_dataset(after)
    assert [s.expressions for s in after] == samples
    assert after.fingerprint == fingerprint
    assert open_ref_davis17(tmp_path, "valid").fingerprint == fingerprint  # its parent


def test_frames_moved_away_by_the_conversion_are_explained(root: Path, tmp_path: Path) -> None:
    toys.convert_davis(root, tmp_path / "elsewhere", _meta(root))
    with pytest.raises(DatasetError, match=r"no frames.*moved by a conversion"):
        open_ref_davis17(root, "valid")


def test_objects_are_sorted_as_text(root: Path) -> None:
    texts = root / "davis_text_annotations"
    for name in toys.TEXTS:
        lines = "\n".join(f'dog {i} "{i}"' for i in range(1, 11))
        (texts / name).write_text(lines + '\nclassic-car 1 "car"\n')
    sample = open_ref_davis17(root, "valid").sample("dog")
    assert [e.text for e in sample.expressions if e.group == "0"][:3] == ["1", "10", "2"]


def test_a_sentence_for_an_object_without_mask_has_empty_truth(root: Path) -> None:
    for name in toys.TEXTS:
        path = root / "davis_text_annotations" / name
        path.write_bytes(path.read_bytes() + b'dog 5 "a ghost"\n')
    target = open_ref_davis17(root, "valid").target("dog", "4")
    assert target.objects["5"].areas().tolist() == [0, 0, 0]


def test_an_object_described_by_some_annotators_only_keeps_its_numbers(root: Path) -> None:
    path = root / "davis_text_annotations" / "Davis17_annot1.txt"
    path.write_text('classic-car 2 "the red car"\ndog 1 "a dog"\n')
    sample = open_ref_davis17(root, "valid").sample("classic-car")
    assert [e.id for e in sample.expressions] == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dog a dog", r"annot1\.txt:4: wanted <video> <id>"),
        ('dog 1 "again"', r"annot1\.txt:4: a second text for object 1 of video 'dog'"),
    ],
    ids=["no object", "twice"],
)
def test_a_bad_line_is_named(root: Path, line: str, message: str) -> None:
    path = root / "davis_text_annotations" / "Davis17_annot1.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(AnnotationError, match=message):
        open_ref_davis17(root, "valid")


def test_a_video_without_sentences_names_the_near_spelling(root: Path) -> None:
    (root / "DAVIS/ImageSets/2017/val.txt").write_text("dogs\n")
    toys.write_frames(root / "DAVIS/JPEGImages/480p/dogs")
    with pytest.raises(AnnotationError, match=r"video 'dogs' \(did you mean 'dog'\?\)"):
        open_ref_davis17(root, "valid")


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("DAVIS/JPEGImages/480p", "unpack DAVIS-2017 trainval 480p"),
        ("DAVIS/Annotations_unsupervised/480p", "DAVIS-2017-Unsupervised-trainval-480p"),
        ("DAVIS/ImageSets/2017/val.txt", "lists the videos"),
        ("davis_text_annotations/Davis17_annot2.txt", "all four"),
    ],
)
def test_missing_parts_are_named(root: Path, gone: str, message: str) -> None:
    (root / gone).rename(root / "gone")
    with pytest.raises(DatasetError, match=message):
        open_ref_davis17(root, "valid")


@pytest.mark.parametrize("inside", ["DAVIS", "davis_text_annotations", "DAVIS/JPEGImages"])
def test_a_folder_inside_the_root_names_the_root(root: Path, inside: str) -> None:
    with pytest.raises(DatasetError, match=f"wrong level: {root} holds"):
        open_ref_davis17(root / inside, "valid")


def test_masks_of_another_size_than_the_frames(root: Path) -> None:
    folder = root / "DAVIS/Annotations_unsupervised/480p/dog"
    toys.write_labels(folder, {n: np.ones((6, 10), np.uint8) for n in toys.FRAMES})
    with pytest.raises(AnnotationError, match=r"got 6x10, wanted 12x20"):
        open_ref_davis17(root, "valid").target("dog", "0")


def test_a_hidden_meta_file_in_the_converted_layout(root: Path, tmp_path: Path) -> None:
    meta = toys.without_objects(_meta(root))
    converted = toys.convert_davis(root, tmp_path / "ref-davis", meta)
    with pytest.raises(AnnotationError, match="no 'obj_id'"):
        open_ref_davis17(converted, "valid")


def test_real_sequences(shared_data: Path) -> None:
    dataset = open_ref_davis17(shared_data / "ref-davis-mini", "valid")
    check_dataset(dataset)
    assert [s.video.id for s in dataset][-1] == "tennis"
    assert sum(len(s.expressions) for s in dataset) == 32
    tennis = dataset.target("tennis", "4")
    assert list(tennis.objects) == ["2"]
    assert tennis.void is not None
    assert tennis.void.areas().sum() > 0
    assert dataset.sample("tennis").expressions[7].text == "racket moving from low to high"
