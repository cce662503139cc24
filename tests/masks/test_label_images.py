"""Label images: what is read is what was written, and what cannot be labels is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from rvosbench.errors import FileError, MaskError
from rvosbench.files.archives import Folder
from rvosbench.masks import MaskSequence
from rvosbench.masks.label_images import encode_labels, label_masks, read_labels, split_labels

from ..datasets import toys

LABELS = arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 3, 255]))


@given(LABELS)
def test_split_labels_loses_no_pixel(labels: np.ndarray) -> None:
    found = split_labels(labels)
    assert set(found) == set(np.unique(labels).tolist()) - {0}
    for value, rle in found.items():
        mask = MaskSequence.from_rle([rle], (5, 7)).frame(0)
        np.testing.assert_array_equal(mask, labels == value)


@given(LABELS)
def test_what_is_written_is_a_palette_image_that_is_read_again(labels: np.ndarray) -> None:
    content = encode_labels(labels)
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), labels)


def test_the_colours_are_those_of_davis() -> None:
    with Image.open(io.BytesIO(encode_labels(np.arange(256, dtype=np.uint8)[None]))) as image:
        colours = np.asarray(image.convert("RGB"))[0].tolist()
    assert colours[:5] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert (colours[8], colours[255]) == ([64, 0, 0], [224, 224, 192])


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_values_are_read_from_palette_grey_and_one_bit_images(tmp_path: Path, mode: str) -> None:
    labels = toys.labels((1,))
    image = Image.fromarray(labels * 255).convert("1") if mode == "1" else Image.fromarray(labels)
    if mode == "P":
        toys.write_labels(tmp_path, {"0": labels})
    else:
        image.save(tmp_path / "0.png")
    np.testing.assert_array_equal(read_labels(Folder(tmp_path), "0.png"), labels)


def test_images_that_hold_no_labels_are_refused(tmp_path: Path) -> None:
    toys.write_frames(tmp_path, ("0",), ".png")
    with pytest.raises(MaskError, match=r"0\.png: a colour image \(RGB\), wanted one channel"):
        read_labels(Folder(tmp_path), "0.png")
    Image.fromarray(toys.labels((1,)).astype(np.uint16) * 300).save(tmp_path / "1.png")
    with pytest.raises(MaskError, match=r"1\.png: .*int.* values, wanted a palette or 8-bit gray"):
        read_labels(Folder(tmp_path), "1.png")


def test_broken_and_absent_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(MaskError, match=r"0\.png: not a readable PNG"):
        read_labels(Folder(tmp_path), "0.png")
    with pytest.raises(FileError, match=r"1\.png: cannot be read"):
        read_labels(Folder(tmp_path), "1.png")


def test_a_video_is_read_label_by_label_and_absent_images_have_none(tmp_path: Path) -> None:
    toys.write_labels(tmp_path, {"0": toys.labels((1, 2)), "2": toys.labels((2, 255), 1)})
    size, masks = label_masks(Folder(tmp_path), ["0.png", None, "2.png"])
    assert size == toys.SIZE
    assert list(masks) == [1, 2, 255]
    assert masks[1].areas().tolist() == [12, 0, 0]
    assert masks[2].areas().tolist() == [12, 0, 12]
    assert label_masks(Folder(tmp_path), [None], (3, 4)) == ((3, 4), {})


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    toys.write_labels(tmp_path, {"0": np.ones((4, 5), np.uint8), "1": np.ones((5, 4), np.uint8)})
    with pytest.raises(MaskError, match=r"1\.png: got 5x4, wanted 4x5"):
        label_masks(Folder(tmp_path), ["0.png", "1.png"])
    with pytest.raises(MaskError, match=r"0\.png: got 4x5, wanted 5x4"):
        label_masks(Folder(tmp_path), ["0.png"], (5, 4))
    with pytest.raises(MaskError, match="no label images"):
        label_masks(Folder(tmp_path), [None])
