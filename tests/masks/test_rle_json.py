"""Run lengths in JSON: a mask or null for every frame, of one size, or an error that says where."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence
from rvosbench.masks.rle_json import read_rles, rle_masks, rle_size

GOOD = {"size": [2, 3], "counts": "06"}


@given(arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 70))))
def test_what_json_holds_is_read_again(frames: NDArray[np.bool_]) -> None:
    masks, size = MaskSequence.from_arrays(frames), (frames.shape[1], frames.shape[2])
    rows = [masks.rle(i) if masks.frame(i).any() else None for i in range(len(masks))]
    rles = read_rles(json.loads(json.dumps(rows)), len(masks), "here")
    assert rle_masks(rles, size, "here") == masks
    assert rle_size([rles]) == (size if any(rows) else None)


def test_lists_of_run_lengths_are_read_too() -> None:
    rles = read_rles([{"size": [2, 3], "counts": [1, 2, 3]}], 1, "here")
    assert rle_masks(rles, (2, 3), "here").areas().tolist() == [2]


@pytest.mark.parametrize("value", [None, "x", {"0": GOOD}, 3])
def test_a_list_is_wanted(value: Any) -> None:  # noqa: ANN401
    with pytest.raises(MaskError, match="here: wanted a list of RLE or null, one a frame; got"):
        read_rles(value, 1, "here")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_mask_a_frame_is_wanted(count: int) -> None:
    with pytest.raises(MaskError, match=f"here: {count} masks, wanted 2: one"):
        read_rles([GOOD] * count, 2, "here")


@pytest.mark.parametrize(
    "entry",
    [
        "06",
        [],
        {},
        {"size": [2, 3]},
        {"counts": "06"},
        {"size": [2], "counts": "06"},
        {"size": [2, 3.0], "counts": "06"},
        {"size": "23", "counts": "06"},
    ],
)
def test_what_is_neither_a_mask_nor_null_is_named(entry: Any) -> None:  # noqa: ANN401
    with pytest.raises(MaskError, match=r"here: frame 1 is .*, wanted null or"):
        read_rles([GOOD, entry], 2, "here")


def test_masks_of_another_size_are_named() -> None:
    message = r"here: RLE of frame 1 is \[2, 3\], wanted \[3, 2\].*were the frames resized"
    with pytest.raises(MaskError, match=message):
        rle_masks([None, {"size": [2, 3], "counts": "06"}], (3, 2), "here")


def test_the_size_is_that_of_the_first_mask() -> None:
    assert rle_size([[None], [None, {"size": [4, 5], "counts": ""}]]) == (4, 5)
    assert rle_size([]) is None
