"""What tells the frames of a video apart: every byte, no place, and little to ask again."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.datasets.frames import video
from rvosbench.demo import dataset as demo
from rvosbench.errors import DatasetError
from rvosbench.records import Video

from . import toys

NAMES = tuple(f"{i:05d}" for i in range(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toys.write_frames(tmp_path / "v", NAMES)
    return tmp_path / "v"


def identity(folder: Path, names: tuple[str, ...] = NAMES) -> str:
    return video("toy", "v", folder, names).identity


def test_the_same_frames_elsewhere_are_the_same(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "w")
    assert identity(folder) == identity(tmp_path / "elsewhere" / "w")


@pytest.mark.parametrize("index", range(len(NAMES)))
def test_every_replaced_frame_of_the_same_name_is_noticed(folder: Path, index: int) -> None:
    before, path = identity(folder), folder / f"{NAMES[index]}.jpg"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1  # neither size nor name changes
    path.write_bytes(content)
    assert identity(folder) != before


def test_a_frame_replaced_by_another_file_of_its_time_and_size_is_noticed(folder: Path) -> None:
    before, path = identity(folder), folder / "00003.jpg"
    status, beside = path.stat(), folder.parent / "beside"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    beside.write_bytes(content)
    os.utime(beside, ns=(status.st_atime_ns, status.st_mtime_ns))
    beside.replace(path)
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (status.st_mtime_ns, status.st_size)
    assert identity(folder) != before


def test_names_order_and_number_of_frames_count(folder: Path) -> None:
    shutil.copy(folder / "00000.jpg", folder / "x.jpg")
    others = [NAMES[:-1], NAMES[::-1], ("x", *NAMES[1:])]
    assert len({identity(folder, names) for names in (NAMES, *others)}) == 4


def test_asking_again_reads_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = video("toy", "v", folder, NAMES)
    before = clip.identity
    monkeypatch.setattr(Path, "read_bytes", None)
    assert clip.identity == before
    assert identity(folder) == before


def test_a_frame_that_is_gone_is_named(folder: Path) -> None:
    clip = video("toy", "v", folder, NAMES)
    clip.read(0)
    (folder / "00007.jpg").unlink()
    with pytest.raises(DatasetError, match=r"00007.jpg cannot be read"):
        _ = clip.identity


def test_a_drawn_video_is_known_without_drawing_it() -> None:
    demo._clip.cache_clear()
    demo._expressions.cache_clear()
    valid = demo.open_demo(None, "valid")
    one, two = valid.sample("valid-0001").video, valid.sample("valid-0002").video
    drawn = demo._clip.cache_info().misses  # for their expressions
    assert one.identity == pickle.loads(pickle.dumps(one)).identity
    assert len({one.identity, two.identity}) == 2
    assert demo._clip.cache_info().misses == drawn


def test_corrupted_when_read_is_the_clean_one_and_the_corruption(folder: Path) -> None:
    clean = demo.open_demo(None, "valid")
    plans = (Plan("fog", 1), Plan("fog", 2), Plan("snow", 1), Plan("fog", 1, seed=1))
    found = {corrupted(clean, plan).sample("valid-0000").video.identity for plan in plans}
    assert len(found | {clean.sample("valid-0000").video.identity}) == 5
    again = corrupted(clean, Plan("fog", 1)).sample("valid-0000").video
    assert pickle.loads(pickle.dumps(again)).identity in found


def test_a_reader_that_cannot_tell_is_known_by_all_its_pixels() -> None:
    pixels = np.zeros((12, 4, 6, 3), np.uint8)
    plain = Video("v", tuple("abcdefghijkl"), lambda i: pixels[i], lambda: (4, 6))
    before = plain.identity
    assert replace(plain, id="elsewhere").identity == before
    assert replace(plain, frame_names=tuple("abcdefghijkm")).identity != before
    other = pixels.copy()
    other[7, 3, 5, 2] = 1
    assert replace(plain, read=lambda i: other[i]).identity != before
    turned = pixels.reshape(12, 6, 4, 3)  # the same bytes
    assert replace(plain, read=lambda i: turned[i]).identity != before
