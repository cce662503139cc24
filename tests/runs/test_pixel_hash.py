"""Predictions in files are told apart by their pixels: not by names, formats or storage."""

from __future__ import annotations

import numpy as np

from rvosbench.masks import MaskSequence
from rvosbench.runs.prediction_sources import pixel_hash


def masks(shape: tuple[int, int, int], *pixels: tuple[int, int, int]) -> MaskSequence:
    frames = np.zeros(shape, bool)
    for pixel in pixels:
        frames[pixel] = True
    return MaskSequence.from_arrays(frames)


def test_the_same_bits_of_another_size_are_other_pixels() -> None:
    shapes = [(2, 5, 60), (2, 5, 64), (2, 6, 60), (3, 5, 60), (1, 5, 60)]
    assert len({pixel_hash(masks(shape, (0, 2, 7))) for shape in shapes}) == len(shapes)
    none = [pixel_hash(MaskSequence.empty(0, (5, width))) for width in (60, 61)]
    assert none[0] != none[1]


def test_every_pixel_and_its_place_count() -> None:
    shape = (3, 4, 70)
    placed = [(), ((0, 1, 3),), ((1, 1, 3),), ((0, 2, 3),), ((0, 1, 69),), ((0, 1, 3), (0, 2, 3))]
    assert len({pixel_hash(masks(shape, *pixels)) for pixels in placed}) == len(placed)


def test_storage_does_not_count() -> None:
    packed = masks((3, 4, 70), (0, 1, 3), (2, 3, 69))
    rles = MaskSequence.from_rle([packed.rle(i) for i in range(3)], (4, 70))
    assert pixel_hash(rles) == pixel_hash(packed)
