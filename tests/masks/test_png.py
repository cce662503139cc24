"""The fast reader gives Pillow's pixels, or leaves the file to Pillow."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from rvosbench.errors import FileError, MaskError
from rvosbench.files.archives import Folder
from rvosbench.masks import pack, unpack
from rvosbench.masks import png as reader
from rvosbench.masks.png import decode_words, encode_mask, frame_files, png_masks

from .pngs import GRAY, PALETTE, png


def decode_mask(content: bytes, where: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    return unpack(decode_words(content, where, size), size[1])


@st.composite
def images(draw: st.DrawFn) -> NDArray[np.uint8]:
    shape = draw(st.tuples(st.integers(1, 30), st.sampled_from([1, 7, 8, 9, 63, 64, 65, 130])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([[0, 255], [0, 1], [0, 1, 2, 7], list(range(256))]))
    image = rng.choice(np.array(values, np.uint8), shape)
    image[rng.random(shape) < draw(st.sampled_from([0, 0.5, 0.99, 1]))] = 0
    if draw(st.booleans()):
        image[: shape[0] // 2] = image[0, 0]
    return image


@settings(deadline=None, max_examples=300)
@given(images(), st.sampled_from([8, 1]), st.sampled_from([GRAY, PALETTE]), st.data())
def test_every_filter_gives_the_pixels_that_pillow_reads(
    image: NDArray[np.uint8], depth: int, colour: int, data: st.DataObject
) -> None:
    one = st.integers(0, 4)
    kinds = data.draw(st.one_of(st.lists(one, min_size=len(image), max_size=len(image)), one))
    filters = kinds if isinstance(kinds, list) else [kinds] * len(image)
    content = png(image, depth, colour, filters)
    fast = reader._plain(content, image.shape)
    assert fast is not None
    assert np.array_equal(fast, pack(image))
    assert np.array_equal(np.array(Image.open(io.BytesIO(content))) > 0, image > 0)


SIZE = (20, 30)
IMAGE = np.pad(np.full((5, 9), 255, np.uint8), ((3, 12), (4, 17)))
PLAIN = png(IMAGE, 8, GRAY, [2] * 20)


def _sixteen_bit() -> bytes:
    file = io.BytesIO()
    Image.fromarray(IMAGE.astype(np.uint16) * 3).save(file, "PNG")
    return file.getvalue()


def _wrong_checksum(kind: bytes) -> bytes:
    """The plain image, whole, but for the checksum of a chunk."""
    at = PLAIN.index(kind)
    end = at + 4 + int.from_bytes(PLAIN[at - 4 : at], "big")
    return PLAIN[:end] + bytes([PLAIN[end] ^ 1]) + PLAIN[end + 1 :]


def _interlaced() -> bytes:
    return png(IMAGE, 8, GRAY, [0] * 20, interlace=1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_sixteen_bit(), id="16 bit"),
        pytest.param(_interlaced(), id="interlaced"),
        pytest.param(PLAIN[:-20], id="cut off"),
        pytest.param(PLAIN[:60] + b"\x00" + PLAIN[61:], id="another byte"),
        pytest.param(_wrong_checksum(b"IHDR"), id="a wrong checksum of the header"),
        pytest.param(_wrong_checksum(b"IDAT"), id="a wrong checksum of pixels that inflate"),
        pytest.param(png(IMAGE, 8, 2, [0] * 20), id="fewer bytes than RGB needs"),
        pytest.param(b"", id="empty"),
        pytest.param(b"GIF89a" + PLAIN, id="another format"),
    ],
)
def test_what_is_unusual_or_broken_is_left_to_pillow(content: bytes) -> None:
    assert reader._plain(content, SIZE) is None


def test_pillow_reads_what_the_fast_reader_leaves() -> None:
    assert np.array_equal(decode_mask(_sixteen_bit(), "x.png", SIZE), IMAGE > 0)


def test_pillow_decides_what_a_wrong_checksum_means() -> None:
    with pytest.raises(MaskError, match=r"x\.png: not a readable PNG"):
        decode_mask(_wrong_checksum(b"IHDR"), "x.png", SIZE)
    # The pixels carry a checksum of their own, which is right.
    assert np.array_equal(decode_mask(_wrong_checksum(b"IDAT"), "x.png", SIZE), IMAGE > 0)


def test_another_size_is_told_by_name() -> None:
    with pytest.raises(MaskError, match=r"x\.png: got 20x30, wanted 30x20"):
        decode_mask(PLAIN, "x.png", (30, 20))


def test_without_libdeflate_zlib_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(reader, "importlib", SimpleNamespace(import_module=missing))
    reader._inflater.cache_clear()
    try:
        assert reader._inflater()[0] is reader._zlib
        assert np.array_equal(decode_mask(PLAIN, "x.png", SIZE), IMAGE > 0)
        assert reader._inflated(b"no deflate", 4) is None
    finally:
        reader._inflater.cache_clear()


def test_our_own_files_take_the_fast_way() -> None:
    assert reader._plain(encode_mask(IMAGE), SIZE) is not None


def test_the_files_of_frames_are_found_by_name(tmp_path: Path) -> None:
    for name in ("1.png", "2.PNG", "3.jpg", "3.png", "4.jpg", ".5.png"):
        (tmp_path / "v").mkdir(exist_ok=True)
        (tmp_path / "v" / name).write_bytes(b"")
    tree, frames = Folder(tmp_path), ("3", "2", "1", "4", "5", "6")
    assert frame_files(tree, "v", frames) == ("v/3.png", "v/2.PNG", "v/1.png", None, None, None)
    assert frame_files(Folder(tmp_path / "v"), "", ("1",)) == ("1.png",)
    assert frame_files(tree, None, frames) == frame_files(tree, "x", frames) == (None,) * 6


def test_masks_are_read_from_their_files_whenever_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(PLAIN)
    masks = png_masks(Folder(tmp_path), ["0.png", None, "0.png"], SIZE)
    assert masks.areas().tolist() == [45, 0, 45]
    assert np.array_equal(masks.frame(0), IMAGE > 0)
    assert masks.compressed() == masks.packed() == masks == pickle.loads(pickle.dumps(masks))
    assert masks.at([2, 1]).areas().tolist() == [45, 0]
    assert masks.rle(1) == masks.packed().rle(1)
    (tmp_path / "0.png").unlink()
    with pytest.raises(FileError, match=r"0\.png: cannot be read"):
        masks.words(0)
