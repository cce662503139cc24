"""Corrupted datasets: on the fly, and as copies that our loaders open unchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rvosbench
from rvosbench.corruptions import Plan
from rvosbench.corruptions.storage import Storage
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets.capabilities import corruption_of, referents
from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.copy_build import CopyOptions, write_copy
from rvosbench.datasets.corrupted import corrupted, declared
from rvosbench.datasets.corrupted_copy import MANIFEST
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.runs.evaluate import evaluate

from . import toys
from .copies import NAMES, PLAN, Generated, enlarge_frames, picture, written


def test_on_the_fly_it_is_a_dataset_with_other_frames() -> None:
    clean = rvosbench.load_dataset("demo")
    noisy = corrupted(clean, PLAN)
    check_dataset(noisy, videos=1)
    assert (noisy.name, noisy.split, noisy.fingerprint) == ("demo", "valid", clean.fingerprint)
    assert noisy.corruption == PLAN.signature
    video, original = (d.sample("valid-0002").video for d in (noisy, clean))
    assert (video.id, video.frame_names, video.size) == (
        original.id,
        original.frame_names,
        original.size,
    )
    wanted = corrupted_frame(PLAN, video.id, video.frame_names[3], 3, original.read(3))
    np.testing.assert_array_equal(video.read(3), wanted)
    assert noisy.target("valid-0002", "0").objects == clean.target("valid-0002", "0").objects
    assert referents(noisy, "valid-0002") == referents(clean, "valid-0002")
    with pytest.raises(UsageError, match="corrupted already"):
        corrupted(noisy, PLAN)


def test_objects_are_named_also_where_the_clean_dataset_cannot() -> None:
    assert referents(corrupted(Generated(), PLAN), "one") == Generated().referring
    assert referents(corrupted(Generated(hidden=True), PLAN), "one") is None


def test_a_result_says_what_it_was_corrupted_with(tmp_path: Path) -> None:
    clean = evaluate("empty", Generated())
    noisy = evaluate("empty", corrupted(Generated(), PLAN))
    assert clean.facts["corruption"] is None
    assert noisy.facts["corruption"] == PLAN.signature
    assert PLAN.signature in noisy.signature
    assert clean.signature != noisy.signature


def test_a_dataset_without_files_becomes_a_folder(tmp_path: Path) -> None:
    source = Generated()
    write_copy(source, PLAN, tmp_path / "copy", None, CopyOptions())
    copy = rvosbench.load_dataset("folder", tmp_path / "copy")
    check_dataset(copy)
    assert [s.video.id for s in copy] == list(source.videos)
    for sample in source:
        frames = copy.sample(sample.video.id).video
        assert frames.frame_names == NAMES
        noisy = corrupted_frame(PLAN, sample.video.id, NAMES[1], 1, picture(1))
        np.testing.assert_array_equal(frames.read(1), noisy)
        for e in sample.expressions:
            ours, theirs = (d.target(sample.video.id, e.id) for d in (copy, source))
            assert ours.annotated == theirs.annotated
            assert list(ours.objects.values()) == list(theirs.objects.values())
            assert ours.union() == theirs.union()
    assert copy.sample("one").expressions == source.sample("one").expressions


def test_a_hidden_split_stays_hidden(tmp_path: Path) -> None:
    write_copy(Generated(hidden=True), PLAN, tmp_path / "copy", None, CopyOptions())
    with pytest.raises(NoGroundTruthError):
        rvosbench.load_dataset("folder", tmp_path / "copy").target("one", "0")


def test_overlapping_objects_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="overlap in frame '00000'"):
        write_copy(Generated(overlapping=True), PLAN, tmp_path / "copy", None, CopyOptions())


LAYOUTS: Mapping[str, tuple[Callable[[Path], Path], str]] = {
    "mevis": (toys.write_mevis, "valid_u"),
    "ref-youtube-vos": (toys.write_youtube, "train"),
    "ref-davis17": (toys.write_davis, "valid"),
    "folder": (toys.write_folder, "all"),
}


@pytest.mark.parametrize("link", [True, False], ids=["link", "copy"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_copy_opens_with_the_loader_of_its_source(name: str, link: bool, tmp_path: Path) -> None:
    make, split = LAYOUTS[name]
    root, out = enlarge_frames(make(tmp_path / "source")), tmp_path / "copy"
    clean = rvosbench.load_dataset(name, root, split)
    write_copy(clean, PLAN, out, root, CopyOptions(link=link))
    copy = rvosbench.load_dataset(name, out, split)
    assert copy.fingerprint == clean.fingerprint
    assert [s.video.id for s in copy] == [s.video.id for s in clean]
    for sample in clean:
        frames = copy.sample(sample.video.id).video
        for index, frame in enumerate(sample.video.frame_names):
            noisy = corrupted_frame(PLAN, sample.video.id, frame, index, sample.video.read(index))
            np.testing.assert_array_equal(frames.read(index), noisy)
    links = [p for p in out.rglob("*") if p.is_symlink()]
    assert bool(links) == link
    assert corruption_of(declared(copy, out)) == PLAN.signature
    assert declared(clean, root) is clean
    with pytest.raises(UsageError, match="corrupted already"):
        write_copy(declared(copy, out), PLAN, tmp_path / "again", out, CopyOptions())


def test_real_mevis_targets_are_the_same(shared_data: Path, tmp_path: Path) -> None:
    root, out = shared_data / "mevis-mini", tmp_path / "copy"
    clean = rvosbench.load_dataset("mevis", root, "valid_u")
    write_copy(clean, PLAN, out, root, CopyOptions())
    copy = rvosbench.load_dataset("mevis", out, "valid_u")
    check_dataset(copy, videos=1)
    sample = next(iter(clean))
    for e in sample.expressions:
        assert copy.target(sample.video.id, e.id) == clean.target(sample.video.id, e.id)


def test_clean_frames_of_other_splits_stay_out(tmp_path: Path) -> None:
    root = tmp_path / "source"
    for split in ("valid_u", "train"):
        toys.write_mevis(root, split)
    enlarge_frames(root)
    write_copy(
        rvosbench.load_dataset("mevis", root, "valid_u"),
        PLAN,
        tmp_path / "copy",
        root,
        CopyOptions(),
    )
    assert not (tmp_path / "copy" / "train").exists()
    with pytest.raises(DatasetError):
        rvosbench.load_dataset("mevis", tmp_path / "copy", "train")


def test_files_may_keep_their_names_or_be_jpeg(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean = rvosbench.load_dataset("mevis", root, "valid_u")
    kept, jpeg = tmp_path / "kept", tmp_path / "jpeg"
    write_copy(clean, PLAN, kept, root, CopyOptions(Storage(keep_names=True)))
    write_copy(clean, PLAN, jpeg, root, CopyOptions(Storage("jpeg")))
    for out, kind in ((kept, "PNG"), (jpeg, "JPEG")):
        files = sorted((out / "valid_u" / "JPEGImages" / "a").iterdir())
        assert [f.name for f in files] == [f"{n}.jpg" for n in toys.FRAMES]
        assert {format_of(f) for f in files} == {kind}
    copies = [
        declared(rvosbench.load_dataset("mevis", out, "valid_u"), out) for out in (kept, jpeg)
    ]
    marks = [str(corruption_of(copy)) for copy in copies]
    assert marks == [PLAN.signature, PLAN.signature + ",jpeg85"]
    noisy = corrupted_frame(PLAN, "a", toys.FRAMES[0], 0, clean.sample("a").video.read(0))
    np.testing.assert_array_equal(copies[0].sample("a").video.read(0), noisy)
    with pytest.raises(UsageError, match="no file names to keep"):
        write_copy(
            Generated(), PLAN, tmp_path / "none", None, CopyOptions(Storage(keep_names=True))
        )


def format_of(file: Path) -> str | None:
    with Image.open(file) as image:
        return image.format


def shuffled(dataset: Generated) -> Generated:
    return Generated(videos=tuple(reversed(dataset.videos)))


def test_order_and_workers_change_no_byte(tmp_path: Path) -> None:
    plan, many = Plan("frost", 3, temporal="drift"), Generated(videos=tuple("abcde"))
    write_copy(many, plan, tmp_path / "serial", None, CopyOptions())
    write_copy(shuffled(many), plan, tmp_path / "shuffled", None, CopyOptions(workers=2))
    serial, other = written(tmp_path / "serial"), written(tmp_path / "shuffled")
    assert serial.keys() == other.keys()
    frames = [name for name in serial if name.startswith("JPEGImages")]
    assert len(frames) == 15
    assert all(serial[name] == other[name] for name in frames)
    manifests = [json.loads(files[MANIFEST])["files"] for files in (serial, other)]
    assert manifests[0] == manifests[1]


def test_a_copy_of_one_split_is_no_copy_of_another(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    out = tmp_path / "copy"
    write_copy(rvosbench.load_dataset("mevis", root, "valid_u"), PLAN, out, root, CopyOptions())
    shutil.copytree(root / "valid_u", out / "train")
    meta = toys.mevis_meta()
    del meta["videos"]["a"]
    toys.write_json(out / "train" / "meta_expressions.json", meta)
    with pytest.raises(DatasetError, match="only that split was corrupted"):
        declared(rvosbench.load_dataset("mevis", out, "train"), out)
