"""Packing and run lengths against NumPy and pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence, pack
from rvosbench.masks.rle import decode

Mask = NDArray[np.bool_]


def plainly_packed(mask: Mask) -> NDArray[np.uint64]:
    height, width = mask.shape
    words = np.zeros((height, -(-width // 64)), np.uint64)
    for y, x in np.argwhere(mask):
        words[y, x // 64] |= np.uint64(1) << np.uint64(x % 64)
    return words


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    shape = draw(st.tuples(st.integers(1, 40), st.sampled_from([1, 2, 20, 63, 64, 65, 127, 130])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask: Mask = rng.random(shape) < draw(st.sampled_from([0, 0.01, 0.5, 0.99, 1]))
    if draw(st.booleans()):
        mask[:, :: draw(st.integers(1, 4))] ^= True
    return mask


@settings(deadline=None, max_examples=200)
@given(masks())
def test_packing_sets_the_bits_of_the_pixels(mask: Mask) -> None:
    expected = plainly_packed(mask)
    for form in (mask, mask.astype(np.uint8) * 255, mask * 0.01, np.asfortranarray(mask)):
        assert np.array_equal(pack(form), expected)
    assert np.array_equal(pack(np.flip(np.flip(mask))), expected)


@settings(deadline=None, max_examples=200)
@given(masks())
def test_run_lengths_are_decoded_as_by_pycocotools(mask: Mask) -> None:
    counts = coco.encode(np.asfortranarray(mask, np.uint8))["counts"]
    assert np.array_equal(decode(counts, mask.shape), plainly_packed(mask))


def test_runs_that_end_early_leave_the_rest_empty() -> None:
    assert not decode(b"", (3, 5)).any()
    short = coco.encode(np.asfortranarray(np.ones((2, 2)), np.uint8))["counts"]
    assert MaskSequence.from_words([decode(short, (2, 3))], (2, 3)).areas().tolist() == [4]


@pytest.mark.parametrize("counts", [b"P", b"ooooooooooooooo", b"0000o0", b"5g0"])
def test_broken_run_lengths_are_refused(counts: bytes) -> None:
    with pytest.raises(MaskError, match="do not fit a mask of 2x3"):
        decode(counts, (2, 3))
