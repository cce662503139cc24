"""Corrupted datasets: on the fly, and as copies that our loaders open unchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rvosbench
from rvosbench.contracts import Dataset
from rvosbench.corruptions import Plan
from rvosbench.corruptions.storage import MANIFEST, Storage, sha256
from rvosbench.corruptions.video import corrupted_frame
from rvosbench.datasets.capabilities import corruption_of, referents
from rvosbench.datasets.conformance import check_dataset
from rvosbench.datasets.corrupted import corrupted, declared
from rvosbench.datasets.corrupted_copy import STATE, CopyOptions, verify_copy, write_copy
from rvosbench.errors import DatasetError, NoGroundTruthError, UsageError
from rvosbench.execution.units import Unit
from rvosbench.masks import MaskSequence
from rvosbench.records import Expression, Frame, Sample, Target, Video
from rvosbench.runs.evaluate import evaluate

from . import toys

PLAN = Plan("gaussian_noise", 3)
SIZE = (36, 48)
NAMES = ("00000", "00005", "00010")


def picture(index: int) -> Frame:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    planes = [(3 * x + 2 * y + 40 * index + 50 * c) % 256 for c in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@dataclass(frozen=True)
class Generated:
    """A dataset without files: two videos, two objects, truth on two frames."""

    hidden: bool = False
    overlapping: bool = False
    videos: tuple[str, ...] = ("one", "two words")
    name: str = "generated"
    split: str = "valid"
    protocols: tuple[str, ...] = ("mevis",)
    fingerprint: str = "g1"
    referring: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"0": ("left",), "1": ("left", "right"), "2": ()}
    )

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(v) for v in self.videos)

    def sample(self, video_id: str) -> Sample:
        if video_id not in self.videos:
            raise DatasetError(f"no video {video_id!r}")
        expressions = tuple(Expression(i, f"text {i}", tags=("t",)) for i in self.referring)
        return Sample(Video(video_id, NAMES, picture, _size), expressions)

    def target(self, video_id: str, expression_id: str) -> Target:
        objects = self.objects(video_id)
        return Target(SIZE, (0, 2), {k: objects[k] for k in self.referring[expression_id]})

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        if self.hidden:
            raise NoGroundTruthError("hidden")
        left, right = np.zeros((2, *SIZE), bool), np.zeros((2, *SIZE), bool)
        left[:, 3:9, 3:9] = True
        right[:, 3:9, 6 if self.overlapping else 20 : 30] = True
        return {"left": MaskSequence.from_arrays(left), "right": MaskSequence.from_arrays(right)}


def _size() -> tuple[int, int]:
    return SIZE


def written(out: Path) -> dict[str, bytes]:
    """All files of a copy but its state."""
    files = (p for p in sorted(out.rglob("*")) if p.is_file() and STATE not in p.parts)
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files}


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


def enlarge_frames(root: Path) -> Path:
    """The toys' frames are too small to corrupt."""
    for file in root.rglob("*"):
        if "JPEGImages" in file.parts and file.is_file():
            Image.fromarray(picture(len(file.stem))).save(file, quality=95)
    return root


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


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(unit: Unit, reused: bool) -> None:
        raise KilledError

    source, reused = Generated(videos=tuple("abc")), []
    write_copy(source, PLAN, tmp_path / "whole", None, CopyOptions())
    out = tmp_path / "killed"
    with pytest.raises(KilledError):
        write_copy(source, PLAN, out, None, CopyOptions(on_done=kill))
    assert not (out / MANIFEST).exists()
    with pytest.raises(DatasetError, match="again to finish it"):
        list(verify_copy(out))
    done = CopyOptions(on_done=lambda unit, again: reused.append((unit.key, again)))
    write_copy(source, PLAN, out, None, done)
    assert sorted(reused) == [("a", True), ("b", False), ("c", False)]
    assert written(out) == written(tmp_path / "whole")
    assert not (out / STATE / "frames").exists() or not any((out / STATE / "frames").iterdir())


@pytest.mark.parametrize("damage", ["truncate", "remove", "change"])
def test_damage_is_found_and_repaired(damage: str, tmp_path: Path) -> None:
    source, out, made = Generated(), tmp_path / "copy", []
    write_copy(source, PLAN, out, None, CopyOptions())
    before, victim = written(out), out / "JPEGImages" / "one" / "00005.png"
    assert list(verify_copy(out)) == []
    content = victim.read_bytes()
    if damage == "remove":
        victim.unlink()
    else:
        victim.write_bytes(content[:-9] if damage == "truncate" else content[:-1] + b"\0")
    assert [fault.path for fault in verify_copy(out)] == ["JPEGImages/one/00005.png"]
    note = CopyOptions(on_done=lambda unit, again: made.append((unit.key, again)))
    write_copy(source, PLAN, out, None, note)
    assert sorted(made) == [("one", False), ("two words", True)]
    assert list(verify_copy(out)) == []
    assert written(out) == before


def test_a_changed_source_is_corrupted_anew(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean, out = rvosbench.load_dataset("mevis", root, "valid_u"), tmp_path / "copy"
    write_copy(clean, PLAN, out, root, CopyOptions())
    changed = root / "valid_u" / "JPEGImages" / "a" / f"{toys.FRAMES[1]}.jpg"
    Image.fromarray(picture(0) // 2).save(changed, quality=60)
    target = out / "valid_u" / "JPEGImages" / "a" / f"{toys.FRAMES[1]}.png"
    before = sha256(target)
    write_copy(clean, PLAN, out, root, CopyOptions())
    assert sha256(target) != before


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "copy"
    write_copy(Generated(), PLAN, out, None, CopyOptions())
    with pytest.raises(UsageError, match="holds another corruption"):
        write_copy(Generated(), Plan("fog", 1), out, None, CopyOptions())
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        write_copy(Generated(), PLAN, precious, None, CopyOptions())
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean = rvosbench.load_dataset("mevis", root, "valid_u")
    for place in (root, root / "valid_u" / "corrupted"):
        with pytest.raises(UsageError, match="lies in the source"):
            write_copy(clean, PLAN, place, root, CopyOptions())


def test_a_missing_frame_is_told_before_any_work(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    (root / "valid_u" / "JPEGImages" / "b" / f"{toys.FRAMES[1]}.jpg").unlink()
    clean: Dataset = rvosbench.load_dataset("mevis", root, "valid_u")
    with pytest.raises(DatasetError, match="lacks 1 of 3 frames"):
        write_copy(clean, PLAN, tmp_path / "copy", root, CopyOptions())
    assert not list((tmp_path / "copy").rglob("*.png"))


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
