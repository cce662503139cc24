from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pycocotools import mask as coco

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence, pack, popcount, union, unpack

shapes = st.tuples(st.integers(0, 4), st.integers(1, 9), st.integers(1, 140))
stacks = shapes.flatmap(lambda shape: arrays(np.bool_, shape))


@given(stacks)
def test_packing_and_run_lengths_give_the_same_pixels(frames: NDArray[np.bool_]) -> None:
    packed = MaskSequence.from_arrays(frames, size=frames.shape[1:])
    compressed = packed.compressed()
    assert np.array_equal(packed.arrays(), frames)
    assert np.array_equal(compressed.arrays(), frames)
    assert packed == compressed == compressed.packed()
    assert packed.areas().tolist() == frames.sum(axis=(1, 2)).tolist()


@given(stacks)
def test_run_lengths_are_those_of_coco(frames: NDArray[np.bool_]) -> None:
    masks = MaskSequence.from_arrays(frames, size=frames.shape[1:])
    for index, frame in enumerate(frames):
        counts = coco.encode(np.asfortranarray(frame, np.uint8))["counts"].decode()
        assert masks.rle(index) == masks.compressed().rle(index)
        assert masks.rle(index) == {"size": list(frame.shape), "counts": counts}


@given(stacks, st.data())
def test_union_is_pixelwise_or(frames: NDArray[np.bool_], data: st.DataObject) -> None:
    others = data.draw(arrays(np.bool_, frames.shape))
    size = frames.shape[1:]
    parts = [MaskSequence.from_arrays(f, size) for f in (frames, others)]
    joined = union([parts[0], parts[1].compressed()], len(frames), size)
    assert np.array_equal(joined.arrays(), frames | others)
    assert joined.compressed() == joined


@given(arrays(np.bool_, st.tuples(st.integers(1, 5), st.integers(1, 200))))
def test_pack_puts_pixel_x_at_bit_x_of_word(mask: NDArray[np.bool_]) -> None:
    words = pack(mask)
    assert words.dtype == np.uint64
    assert words.shape == (mask.shape[0], -(-mask.shape[1] // 64))
    assert np.array_equal(unpack(words, mask.shape[1]), mask)
    assert popcount(words) == mask.sum()
    y, x = mask.shape[0] - 1, mask.shape[1] - 1
    assert bool((int(words[y, x // 64]) >> (x % 64)) & 1) == mask[y, x]


def test_any_nonzero_value_is_foreground_and_views_need_not_be_contiguous() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)[::2, ::-1]
    assert np.array_equal(MaskSequence.from_arrays([image]).frame(0), image != 0)


def test_uncompressed_run_lengths_and_missing_frames_are_read() -> None:
    masks = MaskSequence.from_rle([{"size": [2, 3], "counts": [1, 2, 3]}, None], (2, 3))
    assert masks.frame(0).astype(int).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert masks.areas().tolist() == [2, 0]


def test_sequences_of_equal_pixels_are_equal_and_have_no_hash() -> None:
    masks = MaskSequence.from_arrays(np.eye(4, dtype=bool)[:, None])
    assert masks == masks.compressed()
    assert masks != masks.at([0, 1, 3, 2])
    assert masks != masks.at([0, 1, 2])
    assert masks != "masks"
    for held in (masks, MaskSequence.empty(2, (1, 4))):
        with pytest.raises(TypeError, match="unhashable"):
            hash(held)


def test_selecting_frames_keeps_the_order_asked_for() -> None:
    masks = MaskSequence.from_arrays(np.eye(4, dtype=bool)[:, None])
    for held in (masks, masks.compressed(), union([masks, masks], 4, (1, 4))):
        assert held.at([3, 0]).arrays()[:, 0].argmax(axis=1).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaskSequence.from_arrays([]), "no frames and no size"),
        (lambda: MaskSequence.from_arrays([np.zeros((2, 3, 3))]), r"shape \(2, 3, 3\)"),
        (lambda: MaskSequence.from_arrays([np.zeros((2, 3)), np.zeros((3, 2))]), "mask 1 is 3x2"),
        (lambda: MaskSequence.from_rle([{"size": [1, 1], "counts": ""}], (2, 3)), "RLE of frame 0"),
        (lambda: union([MaskSequence.empty(1, (2, 3))], 2, (2, 3)), "cannot unite 1 masks"),
    ],
)
def test_masks_that_do_not_fit_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(MaskError, match=message):
        make()


def test_frames_of_a_reader_are_read_when_asked_for_and_not_kept() -> None:
    frames, read = [pack(np.eye(3, 4, k, bool)) for k in range(3)], list[int]()

    def reader(index: int) -> NDArray[np.uint64]:
        read.append(index)
        return frames[index]

    masks = MaskSequence.from_reader(reader, 3, (3, 4))
    part = masks.at([2, 0]).at([1, 1])
    assert (len(masks), len(part), read) == (3, 2, [])
    assert part == MaskSequence.from_words([frames[0]] * 2, (3, 4))
    assert read == [0, 0]
