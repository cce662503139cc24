"""The six exact integers behind J and F: the one place where pixels are counted.

J and F are quotients of these integers, so two ways of counting that agree here agree in every
bit of every score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rvosbench.errors import MaskError
from rvosbench.masks import BoolArray, MaskSequence, Words, popcount, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

IntArray: TypeAlias = "NDArray[np.int64]"
ByteMask: TypeAlias = "NDArray[np.uint8]"

# The disk has about 3 r^2 pixels; from here on an exact distance transform is cheaper.
_LARGE_RADIUS = 48


@dataclass(frozen=True, eq=False)
class Counts:
    """Pixel counts of T mask pairs, each (T,) int64, after void pixels were taken from both masks.

    Attributes:
        intersection: pixels in both masks.
        union: pixels in either mask.
        prediction_boundary: boundary pixels of the prediction.
        target_boundary: boundary pixels of the target.
        prediction_matched: boundary pixels of the prediction within the radius of the target's.
        target_matched: boundary pixels of the target within the radius of the prediction's.
    """

    intersection: IntArray
    union: IntArray
    prediction_boundary: IntArray
    target_boundary: IntArray
    prediction_matched: IntArray
    target_matched: IntArray


def count(
    prediction: MaskSequence,
    target: MaskSequence,
    void: MaskSequence | None = None,
    radius: int | None = None,
) -> Counts:
    """Count every pair of frames of two sequences of T masks.

    Args:
        prediction: T masks.
        target: T masks of the same size.
        void: T masks of pixels that belong to neither mask, or None. They are removed before the
            boundaries are found, so the outline of a void region is a boundary.
        radius: largest distance in pixels (Euclidean, inclusive) of matching boundary pixels.
            None leaves the boundaries uncounted (zeros).

    Raises:
        MaskError: lengths or sizes differ, or the masks have no pixels.
    """
    _check(prediction, target, "target")
    if void is not None:
        _check(prediction, void, "void")
    rows = [
        _pair(*_without_void(prediction, target, void, i), prediction.width, radius)
        for i in range(len(prediction))
    ]
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 6)
    return Counts(*np.ascontiguousarray(table.T))


def _check(prediction: MaskSequence, other: MaskSequence, name: str) -> None:
    if prediction.size != other.size or len(prediction) != len(other):
        raise MaskError(
            f"the prediction is {_face(prediction)}, the {name} {_face(other)}: "
            "they must have the same number of frames and the same size"
        )
    if 0 in prediction.size:
        raise MaskError(f"masks of {_face(prediction)} have no pixels: nothing can be measured")


def _face(masks: MaskSequence) -> str:
    return f"{len(masks)} x {masks.height}x{masks.width} (frames x height x width)"


def _without_void(
    prediction: MaskSequence, target: MaskSequence, void: MaskSequence | None, index: int
) -> tuple[Words, Words]:
    p, t = prediction.words(index), target.words(index)
    if void is None:
        return p, t
    keep = ~void.words(index)
    return p & keep, t & keep


def _pair(p: Words, t: Words, width: int, radius: int | None) -> tuple[int, ...]:
    region = (popcount(p & t), popcount(p | t))
    if radius is None:
        return (*region, 0, 0, 0, 0)
    return region + _contour(unpack(p, width), unpack(t, width), radius)


def _contour(p: BoolArray, t: BoolArray, radius: int) -> tuple[int, int, int, int]:
    box = _box(p | t)
    if box is None:
        return 0, 0, 0, 0
    p_edge, t_edge = _boundary(p[box]), _boundary(t[box])
    p_size, t_size = int(np.count_nonzero(p_edge)), int(np.count_nonzero(t_edge))
    if not p_size or not t_size:
        return p_size, t_size, 0, 0
    p_matched = np.count_nonzero(p_edge & _dilated(t_edge, radius))
    t_matched = np.count_nonzero(t_edge & _dilated(p_edge, radius))
    return p_size, t_size, int(p_matched), int(t_matched)


def _box(mask: BoolArray) -> tuple[slice, slice] | None:
    """The rows and columns with foreground and one pixel around, where the image has one.

    All boundary pixels lie inside, and the boundary of the cropped mask is the cropped boundary.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return (
        slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2),
        slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2),
    )


def _boundary(mask: BoolArray) -> ByteMask:
    """Pixels that differ from their right, lower or lower right neighbour, as 0 and 1.

    A neighbour outside the image does not count, so the image border is never a boundary. This is
    the 2x2 morphological gradient anchored at its upper left pixel.
    """
    import cv2

    corner = np.ones((2, 2), np.uint8)
    edge: ByteMask = cv2.morphologyEx(
        np.ascontiguousarray(mask).view(np.uint8), cv2.MORPH_GRADIENT, corner, anchor=(0, 0)
    )
    return edge


def _dilated(edge: ByteMask, radius: int) -> ByteMask:
    """Pixels within `radius` of a boundary pixel, as 0 and 1; `edge` has at least one."""
    if radius > _LARGE_RADIUS:
        from scipy.ndimage import distance_transform_edt

        # Square roots of integers are compared with an integer: exact for every image size.
        near: ByteMask = (distance_transform_edt(edge == 0) <= radius).astype(np.uint8)
        return near
    import cv2

    grown: ByteMask = cv2.dilate(edge, _disk(radius))
    return grown


def _disk(radius: int) -> ByteMask:
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).astype(np.uint8)
