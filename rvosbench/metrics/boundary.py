"""F, the contour accuracy: how well the outlines of two masks match within a tolerance.

Source: Perazzi et al., CVPR 2016, section 3, after Martin et al., PAMI 2004; values equal those of
davis2017-evaluation bit for bit.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np

from rvosbench.errors import UsageError
from rvosbench.masks import MaskSequence
from rvosbench.metrics.counts import Scores, count
from rvosbench.metrics.region import Mask, lift

BOUND_TH = 0.008
"""The DAVIS tolerance: this fraction of the image diagonal, rounded up to whole pixels."""


@overload
def contour_accuracy(
    prediction: MaskSequence,
    target: MaskSequence,
    void: MaskSequence | None = None,
    bound_th: float = BOUND_TH,
) -> Scores: ...
@overload
def contour_accuracy(
    prediction: Mask, target: Mask, void: Mask | None = None, bound_th: float = BOUND_TH
) -> float: ...
def contour_accuracy(
    prediction: Mask | MaskSequence,
    target: Mask | MaskSequence,
    void: Mask | MaskSequence | None = None,
    bound_th: float = BOUND_TH,
) -> float | Scores:
    """F of two masks, in [0, 1], or of every frame of two sequences.

    Args:
        prediction: (H, W), nonzero = foreground, or T masks.
        target: the same shape.
        void: pixels taken from both masks before their outlines are found, or None.
        bound_th: tolerance; below 1 a fraction of the image diagonal, from 1 whole pixels.

    Returns:
        A float for arrays, (T,) float64 for sequences. Only outlines count, and the image border
        is none: two masks without outline score 1, even if one is full and the other is empty.

    Raises:
        MaskError: shapes or lengths differ, or the masks have no pixels.
        UsageError: `bound_th` is negative or not a whole number of pixels.
    """
    p, t, v = lift(prediction, target, void)
    scores = count(p, t, v, tolerance(p.size, bound_th)).f
    return scores if isinstance(prediction, MaskSequence) else float(scores[0])


def tolerance(size: tuple[int, int], bound_th: float = BOUND_TH) -> int:
    """The matching radius in pixels for masks of `size` (height, width): 8 at 480x854.

    Raises:
        UsageError: `bound_th` is negative, not finite, or from 1 not whole: the official tool
            would build a lopsided structuring element of it.
    """
    if not 0 <= bound_th < math.inf or (bound_th >= 1 and bound_th != int(bound_th)):
        raise UsageError(
            f"bound_th is {bound_th}: give a fraction of the diagonal (0 <= bound_th < 1) "
            "or a whole number of pixels"
        )
    return int(bound_th) if bound_th >= 1 else math.ceil(bound_th * float(np.linalg.norm(size)))


def score_frames(
    prediction: MaskSequence,
    target: MaskSequence,
    void: MaskSequence | None = None,
    bound_th: float = BOUND_TH,
) -> tuple[Scores, Scores]:
    """(J, F) of T frames, each (T,) float64 in [0, 1]; every mask is read once.

    Args and errors: as for `contour_accuracy`.
    """
    counts = count(prediction, target, void, tolerance(prediction.size, bound_th))
    return counts.j, counts.f
