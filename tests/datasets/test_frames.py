from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvosbench.datasets.frames import image_files, natural, video
from rvosbench.errors import DatasetError

from . import toys


def test_frames_are_read_as_rgb_by_content(tmp_path: Path) -> None:
    rgb = np.zeros((*toys.SIZE, 3), np.uint8)
    rgb[..., 0], rgb[..., 2] = 200, 30
    Image.fromarray(rgb).save(tmp_path / "0.jpg", format="PNG")  # a corrupted copy that keeps names
    Image.fromarray(rgb[..., 0]).save(tmp_path / "1.PNG")
    clip = video("toy", "v", tmp_path, ("0", "1"))
    assert clip.size == toys.SIZE
    np.testing.assert_array_equal(clip.read(0), rgb)
    np.testing.assert_array_equal(clip.read(1), np.repeat(rgb[..., :1], 3, axis=2))
    assert clip.read(1).flags.writeable


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    clip = video("toy", "v", tmp_path / "later", toys.FRAMES)
    toys.write_frames(tmp_path / "later")
    assert [int(frame[0, 0, 0]) for frame in clip] == [0, 10, 20]


def test_missing_frames_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    toys.write_frames(tmp_path / "v", ("00003",))
    with pytest.raises(DatasetError, match="lacks 2 of 3 frames, the first is '00004'"):
        video("toy", "v", tmp_path / "v", toys.FRAMES).read(0)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"frames/v does not exist, nor does .*frames\."):
        _ = video("toy", "v", tmp_path / "frames" / "v", toys.FRAMES).size


def test_broken_and_cut_files_are_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "0.jpg")
    whole = (tmp_path / "0.jpg").read_bytes()
    (tmp_path / "1.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "2.jpg").write_text("<html>")
    clip = video("toy", "v", tmp_path, ("0", "1", "2"))
    for index in (1, 2):
        with pytest.raises(DatasetError, match=rf"{index}\.jpg cannot be read as an image"):
            clip.read(index)


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    toys.write_frames(tmp_path, ("0",))
    toys.write_frames(tmp_path, ("1",), size=(6, 10))
    with pytest.raises(DatasetError, match=r"1\.jpg is 6x10, the video's first frame 12x20"):
        video("toy", "v", tmp_path, ("0", "1")).read(1)


def test_image_files_prefers_jpeg_and_skips_hidden_files(tmp_path: Path) -> None:
    toys.write_frames(tmp_path, ("2", "10"), ".png")
    toys.write_frames(tmp_path, ("2",), ".jpg")
    (tmp_path / "._2.jpg").touch()
    (tmp_path / "Thumbs.db").touch()
    assert [p.name for p in image_files(tmp_path).values()] == ["2.jpg", "10.png"]
    assert image_files(tmp_path / "nowhere") == {}


@given(st.lists(st.integers(0, 10**12), unique=True))
def test_natural_order_is_that_of_numbers(numbers: list[int]) -> None:
    names = [f"frame {n}" for n in numbers]
    assert sorted(names, key=natural) == [f"frame {n}" for n in sorted(numbers)]


@given(st.text(), st.text())
def test_natural_order_is_total(a: str, b: str) -> None:
    assert (natural(a) == natural(b)) == (a == b)
