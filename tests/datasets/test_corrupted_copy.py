"""A corrupted copy on disk: claimed, taken up, repaired, and never mixed with another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import rvosbench
from rvosbench.contracts import Dataset
from rvosbench.corruptions import Plan
from rvosbench.corruptions.storage import Storage
from rvosbench.datasets.capabilities import corruption_of
from rvosbench.datasets.copy_build import CopyOptions, write_copy
from rvosbench.datasets.corrupted import corrupted
from rvosbench.datasets.corrupted_copy import MANIFEST, CorruptedCopy, Fault
from rvosbench.errors import DatasetError, UsageError
from rvosbench.execution.units import Unit
from rvosbench.files.claims import claimed
from rvosbench.recipe import Recipe

from . import toys
from .copies import PLAN, Generated, enlarge_frames, picture, written

RECIPE = Recipe({"corruption": "fog:1", "libraries": {"numpy": "1"}})


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
        list(CorruptedCopy(out).faults())
    done = CopyOptions(on_done=lambda unit, again: reused.append((unit.key, again)))
    write_copy(source, PLAN, out, None, done)
    assert sorted(reused) == [("a", True), ("b", False), ("c", False)]
    assert written(out) == written(tmp_path / "whole")
    assert not list(out.rglob(".part-*"))
    assert not list(out.rglob(".claims"))


@pytest.mark.parametrize("damage", ["truncate", "remove", "change"])
def test_damage_is_found_and_repaired(damage: str, tmp_path: Path) -> None:
    source, out, made = Generated(), tmp_path / "copy", []
    write_copy(source, PLAN, out, None, CopyOptions())
    before, victim = written(out), out / "JPEGImages" / "one" / "00005.png"
    assert list(CorruptedCopy(out).faults()) == []
    content = victim.read_bytes()
    if damage == "remove":
        victim.unlink()
    else:
        victim.write_bytes(content[:-9] if damage == "truncate" else content[:-1] + b"\0")
    assert [fault.path for fault in CorruptedCopy(out).faults()] == ["JPEGImages/one/00005.png"]
    note = CopyOptions(on_done=lambda unit, again: made.append((unit.key, again)))
    write_copy(source, PLAN, out, None, note)
    assert sorted(made) == [("one", False), ("two words", True)]
    assert list(CorruptedCopy(out).faults()) == []
    assert written(out) == before


def test_a_changed_source_is_corrupted_anew(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean, out = rvosbench.load_dataset("mevis", root, "valid_u"), tmp_path / "copy"
    write_copy(clean, PLAN, out, root, CopyOptions())
    changed = root / "valid_u" / "JPEGImages" / "a" / f"{toys.FRAMES[1]}.jpg"
    Image.fromarray(picture(0) // 2).save(changed, quality=60)
    target = out / "valid_u" / "JPEGImages" / "a" / f"{toys.FRAMES[1]}.png"
    before = target.read_bytes()
    write_copy(clean, PLAN, out, root, CopyOptions())
    assert target.read_bytes() != before


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


def test_another_frame_of_the_same_size_is_another_source(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean, out, made = rvosbench.load_dataset("mevis", root, "valid_u"), tmp_path / "copy", []
    write_copy(clean, PLAN, out, root, CopyOptions())
    path = root / "valid_u" / "JPEGImages" / "b" / f"{toys.FRAMES[2]}.jpg"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    note = CopyOptions(on_done=lambda unit, again: made.append((unit.key, again)))
    write_copy(clean, PLAN, out, root, note)
    assert sorted(made) == [("a", True), ("b", False)]


def test_a_manifest_says_what_was_done(tmp_path: Path) -> None:
    storage = Storage("jpeg", 70)
    path = write_copy(
        Generated(), Plan("fog", 2, seed=3), tmp_path / "copy", None, CopyOptions(storage)
    )
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == CorruptedCopy(tmp_path / "copy").manifest()
    assert content["corruption"] == "fog:2@fast.1,per_frame,seed3,jpeg70"
    assert content["parameters"] == {"thickness": 2, "decay": 2}
    assert content["storage"] == {"format": "jpeg", "quality": 70, "names": "frame"}
    assert content["source"]["dataset"] == "generated"
    assert {"numpy", "pillow", "rvosbench", "libjpeg"} <= content["libraries"].keys()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("{", "cannot be read as JSON"),
        ("[]", "not the manifest"),
        ('{"format": 99, "corruption": "", "files": {}}', "update rvosbench"),
    ],
)
def test_a_broken_manifest_is_told(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(DatasetError, match=message):
        CorruptedCopy(tmp_path).manifest()


def test_faults_are_found(tmp_path: Path) -> None:
    copy = CorruptedCopy(tmp_path)
    with copy.claim(RECIPE):
        files = copy.place(Path("frames/v"), [(name, name.encode() * 9) for name in "abc"])
        copy.store.folder.mkdir()
        copy.store.output("v").write_text(json.dumps({"files": files, "frames": {}}))
        copy.finish({"corruption": "fog:1"}, ["v"])
    assert list(copy.faults()) == []
    (tmp_path / "frames" / "v" / "a").write_text("a" * 8)
    (tmp_path / "frames" / "v" / "c").unlink()
    assert list(copy.faults()) == [
        Fault("frames/v/a", "changed (8 bytes)"),
        Fault("frames/v/c", "missing"),
    ]


def test_a_folder_appears_complete_or_not_at_all(tmp_path: Path) -> None:
    def files(cut: bool) -> Iterator[tuple[str, bytes]]:
        yield "a", b"1"
        if cut:
            raise OSError("no space left")

    copy, folder = CorruptedCopy(tmp_path), Path("frames/v")
    copy.place(folder, files(cut=False))
    with pytest.raises(OSError, match="no space"):
        copy.place(folder, files(cut=True))
    assert (tmp_path / folder / "a").read_bytes() == b"1"  # what was there before
    copy.place(folder, [("b", b"2")])
    assert [p.name for p in (tmp_path / folder).iterdir()] == ["b"]
    assert not list(tmp_path.rglob(".part-*"))


def test_two_attempts_at_a_video_do_not_meet(tmp_path: Path) -> None:
    """As when a worker that was given up goes on beside its successor."""
    copy, folder = CorruptedCopy(tmp_path), Path("frames/v")

    def slow() -> Iterator[tuple[str, bytes]]:
        yield "a", b"1"
        copy.place(folder, [("a", b"1"), ("b", b"2")])  # the other attempt, from start to end
        yield "b", b"2"

    made = copy.place(folder, slow())
    assert sorted(made) == ["frames/v/a", "frames/v/b"]
    assert sorted(p.name for p in (tmp_path / folder).iterdir()) == ["a", "b"]


def test_a_damaged_record_is_made_again(tmp_path: Path) -> None:
    source, out, made = Generated(), tmp_path / "copy", []
    write_copy(source, PLAN, out, None, CopyOptions())
    before, record = written(out), CorruptedCopy(out).store.output("one")
    record.write_text(record.read_text()[:-20])
    note = CopyOptions(on_done=lambda unit, again: made.append((unit.key, again)))
    write_copy(source, PLAN, out, None, note)
    assert sorted(made) == [("one", False), ("two words", True)]
    assert written(out) == before


def test_what_differs_is_said(tmp_path: Path) -> None:
    copy = CorruptedCopy(tmp_path)
    with copy.claim(RECIPE):
        pass
    newer = RECIPE.with_facts(libraries={"numpy": "2"})
    with pytest.raises(UsageError, match=r"versions \(libraries.numpy is 1, wanted 2\): choose"):
        copy.claim(newer).__enter__()


def test_a_copy_begun_by_an_older_version_is_known(tmp_path: Path) -> None:
    """Its mark holds the digest alone."""
    copy, mark = CorruptedCopy(tmp_path), tmp_path / ".corrupt" / "run.json"
    mark.parent.mkdir()
    mark.write_text(json.dumps({"run": RECIPE.digest}))
    with copy.claim(RECIPE):
        pass
    mark.write_text(json.dumps({"run": "0" * 64}))
    with pytest.raises(UsageError, match="library versions: choose another --out"):
        copy.claim(RECIPE).__enter__()
    mark.write_text("{")
    with pytest.raises(UsageError, match=r"run.json cannot be read .*delete it"):
        copy.claim(RECIPE).__enter__()


def test_two_processes_never_write_one_copy(tmp_path: Path) -> None:
    claim = tmp_path / ".claims" / "elsewhere-1-1.json"
    claim.parent.mkdir()
    claim.write_text(
        json.dumps({"host": "elsewhere", "process": 1, "started": "1", "since": "x", "share": ""})
    )
    with pytest.raises(UsageError, match="process 1 of elsewhere works here"):
        write_copy(Generated(), PLAN, tmp_path, None, CopyOptions())
    assert not list(tmp_path.rglob("*.png"))
    claim.unlink()
    with claimed(tmp_path):  # this process itself
        write_copy(Generated(), PLAN, tmp_path, None, CopyOptions())
    assert {p.name for p in (tmp_path / "JPEGImages").iterdir()} == {"one", "two words"}


def test_a_finished_copy_keeps_its_manifest_if_the_source_is_gone(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean, out = rvosbench.load_dataset("mevis", root, "valid_u"), tmp_path / "copy"
    write_copy(clean, PLAN, out, root, CopyOptions())
    (root / "valid_u" / "JPEGImages" / "b" / f"{toys.FRAMES[1]}.jpg").unlink()
    with pytest.raises(DatasetError, match="lacks 1 of 3 frames"):
        write_copy(rvosbench.load_dataset("mevis", root, "valid_u"), PLAN, out, root, CopyOptions())
    assert CorruptedCopy(out).finished


def test_a_copy_has_the_frames_of_the_same_corruption_on_the_fly(tmp_path: Path) -> None:
    root = enlarge_frames(toys.write_mevis(tmp_path / "source"))
    clean, out = rvosbench.load_dataset("mevis", root, "valid_u"), tmp_path / "copy"
    write_copy(clean, PLAN, out, root, CopyOptions())
    noisy = corrupted(clean, PLAN).sample("a").video.identity
    assert rvosbench.load_dataset("mevis", out, "valid_u").sample("a").video.identity == noisy
    frame = out / "valid_u" / "JPEGImages" / "a" / f"{toys.FRAMES[1]}.png"
    Image.fromarray(picture(7)).save(frame)
    other = rvosbench.load_dataset("mevis", out, "valid_u").sample("a").video.identity
    assert other not in (noisy, clean.sample("a").video.identity)


def test_a_copy_in_another_storage_has_other_frames(tmp_path: Path) -> None:
    write_copy(Generated(), PLAN, tmp_path, None, CopyOptions(Storage("jpeg")))
    copy = rvosbench.load_dataset("folder", tmp_path)
    noisy = corrupted(Generated(), PLAN)
    assert copy.sample("one").video.identity != noisy.sample("one").video.identity
    assert corruption_of(copy) == f"{PLAN.signature},jpeg85"


def test_a_copy_that_was_killed_at_once_begins_again(tmp_path: Path) -> None:
    """Before its first file was complete there is nothing that says whose the folder is."""
    begun = tmp_path / "copy" / ".corrupt" / ".part-aaaaaaaa-vm-99999-1@run.json"
    begun.mkdir(parents=True)
    with CorruptedCopy(tmp_path / "copy").claim(Recipe({"corruption": "fog"})):
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("mine")
    with (
        pytest.raises(UsageError, match="is not empty"),
        CorruptedCopy(tmp_path / "other").claim(Recipe({"corruption": "fog"})),
    ):
        pass
