"""The exact integers behind J and F, the one place where pixels are counted, and the quotients.

J and F are quotients of these integers, so two ways of counting that agree here agree in every
bit of every score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rvosbench.errors import MaskError
from rvosbench.masks import MaskSequence, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

IntArray: TypeAlias = "NDArray[np.int64]"
Scores: TypeAlias = "NDArray[np.float64]"

KEPT_BYTES = 64 * 2**20
"""What `Outlines` keeps at most: 300 frames of 854x480, 100 of 1920x1080."""

Outline: TypeAlias = tuple[Words, tuple[int, int], int]
"""A boundary: packed rows with a word of zeros at both ends, its span of rows, its pixels."""

_WORDWISE = 63  # the largest radius of the word-wise search


@dataclass(frozen=True, eq=False)
class Counts:
    """Pixel counts of T mask pairs, each (T,) int64, after void pixels were taken from both masks.

    Attributes:
        intersection: pixels in both masks.
        union: pixels in either mask.
        predicted: pixels in the prediction.
        prediction_boundary: boundary pixels of the prediction.
        target_boundary: boundary pixels of the target.
        prediction_matched: boundary pixels of the prediction within the radius of the target's.
        target_matched: boundary pixels of the target within the radius of the prediction's.
    """

    intersection: IntArray
    union: IntArray
    predicted: IntArray
    prediction_boundary: IntArray
    target_boundary: IntArray
    prediction_matched: IntArray
    target_matched: IntArray

    @property
    def meant(self) -> IntArray:
        """Pixels in the target."""
        return self.intersection + self.union - self.predicted

    @cached_property
    def j(self) -> Scores:
        """Region similarity, (T,) float64 in [0, 1]; two empty masks score 1."""
        return _quotient(self.intersection, self.union, empty=1.0)

    @cached_property
    def boundary_precision(self) -> Scores:
        """(T,) float64 in [0, 1]; as in the official tool 1 if nothing is predicted."""
        return _quotient(self.prediction_matched, self.prediction_boundary, empty=1.0)

    @cached_property
    def boundary_recall(self) -> Scores:
        """(T,) float64 in [0, 1]; as in the official tool 1 if there is nothing to find."""
        return _quotient(self.target_matched, self.target_boundary, empty=1.0)

    @cached_property
    def f(self) -> Scores:
        """Contour accuracy, (T,) float64 in [0, 1]; 1 without any boundary, 0 if one is empty."""
        precision, recall = self.boundary_precision, self.boundary_recall
        # The official order of operations: it decides the last bit.
        return _quotient(2 * precision * recall, precision + recall, empty=0.0)


def _quotient(part: IntArray | Scores, whole: IntArray | Scores, empty: float) -> Scores:
    found: Scores = np.divide(part, whole, out=np.full(whole.shape, empty), where=whole > 0)
    return found


@dataclass(frozen=True, eq=False)
class Outlines:
    """Target masks with their boundaries, computed once however many predictions they meet.

    Frames are kept from the first on until they fill `KEPT_BYTES`; the others are computed again
    every time, so that memory stays bounded for any video.

    Attributes:
        masks: T masks.
        void: T masks of pixels that belong to neither side, or None. They are removed before
            boundaries are found, so the outline of a void region is a boundary.
    """

    masks: MaskSequence
    void: MaskSequence | None = None
    _kept: dict[int, tuple[Words, Outline]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises MaskError if the void masks do not fit the others."""
        if self.void is not None:
            _check(self.masks, self.void, "void")

    def frame(self, index: int) -> tuple[Words, Outline]:
        """A packed mask without its void pixels, and its boundary."""
        if index in self._kept:
            return self._kept[index]
        found = self._read(index)
        size = found[0].nbytes + found[1][0].nbytes
        if (len(self._kept) + 1) * size <= KEPT_BYTES:
            self._kept[index] = found
        return found

    def _read(self, index: int) -> tuple[Words, Outline]:
        words = _without_void(self.masks, self.void, index)
        return words, _kernel().outline(words, self.masks.width)


def count(
    prediction: MaskSequence,
    target: MaskSequence | Outlines,
    void: MaskSequence | None = None,
    radius: int | None = None,
) -> Counts:
    """Count every pair of frames of two sequences of T masks.

    Args:
        prediction: T masks.
        target: T masks of the same size; `Outlines` if several predictions meet them.
        void: T masks of pixels that belong to neither mask, or None; `Outlines` bring their own.
        radius: largest distance in pixels (Euclidean, inclusive) of matching boundary pixels.
            None leaves the boundaries uncounted (zeros).

    Raises:
        MaskError: lengths or sizes differ, or the masks have no pixels.
    """
    masks = target.masks if isinstance(target, Outlines) else target
    _check(prediction, masks, "target")
    known, loops = target if isinstance(target, Outlines) else Outlines(target, void), _kernel()
    rows = []
    for index in range(len(prediction)):
        p = _without_void(prediction, known.void, index)
        if radius is None:
            t = _without_void(masks, known.void, index)
            rows.append((*loops.region(p, t), 0, 0, 0, 0))
            continue
        mine, my_rows, my_pixels = loops.outline(p, prediction.width)
        t, (theirs, their_rows, their_pixels) = known.frame(index)
        if radius <= _WORDWISE:
            near, reach = loops.near, loops.disk(radius)
        else:
            near, reach = loops.near_far, loops.halves(radius)
        met = (0, 0)  # without a boundary nothing meets
        if my_pixels and their_pixels:
            met = (
                near(mine, my_rows, theirs, their_rows, reach),
                near(theirs, their_rows, mine, my_rows, reach),
            )
        rows.append((*loops.region(p, t), my_pixels, their_pixels, *met))
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 7)
    return Counts(*np.ascontiguousarray(table.T))


def stability(masks: MaskSequence) -> float:
    """Mean J of every mask with the next one, in [0, 1]; 1 for less than two frames.

    It falls with flicker and with motion: compare a prediction's with that of its target.
    """
    frames = (_without_void(masks, None, index) for index in range(len(masks)))
    rows = [_kernel().region(last, words)[:2] for last, words in pairwise(frames)]
    shared, either = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return float(np.mean(_quotient(shared, either, empty=1.0))) if rows else 1.0


def _kernel() -> ModuleType:
    """The compiled loops: numba is imported when the first mask is measured."""
    from rvosbench.metrics import kernel as loops

    return loops


def _check(prediction: MaskSequence, other: MaskSequence, name: str) -> None:
    if prediction.size != other.size or len(prediction) != len(other):
        raise MaskError(
            f"the prediction is {_shape(prediction)}, the {name} {_shape(other)}: "
            "they must have the same number of frames and the same size"
        )
    if 0 in prediction.size:
        raise MaskError(f"masks of {_shape(prediction)} have no pixels: nothing can be measured")


def _shape(masks: MaskSequence) -> str:
    return f"{len(masks)} x {masks.height}x{masks.width} (frames x height x width)"


def _without_void(masks: MaskSequence, void: MaskSequence | None, index: int) -> Words:
    """A frame's packed bits, contiguous, without the pixels of a void mask."""
    words = masks.words(index)
    if void is not None:
        words = words & ~void.words(index)
    return np.ascontiguousarray(words, np.uint64)
